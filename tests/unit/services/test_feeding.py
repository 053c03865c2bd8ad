"""Documents on their way into an index."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from purple.domain.errors import UnavailableError
from purple.domain.search import Document
from purple.services.feeding import ON_THEIR_WAY, copy

PARTS = [[{"id": f"{part}.{number}"} for number in range(3)] for part in range(6)]


class Slow:
    """An index that takes a part when it is told to; it may refuse one."""

    def __init__(self, refused: str = "") -> None:
        self.refused = refused
        self.open = asyncio.Event()
        self.under_way: list[str] = []
        self.most = 0
        self.taken: list[str] = []

    async def index(self, documents: Sequence[Document], into: str = "") -> None:
        assert into == "new"
        first = documents[0]["id"]
        if first == self.refused:
            raise UnavailableError("the index is away", remedy="try again")
        self.under_way.append(first)
        self.most = max(self.most, len(self.under_way))
        try:
            await self.open.wait()
            self.taken += [each["id"] for each in documents]
        finally:
            self.under_way.remove(first)


async def parts() -> AsyncIterator[Sequence[Document]]:
    for each in PARTS:
        yield each
        await asyncio.sleep(0)


async def copied_into(index: Slow) -> asyncio.Task[int]:
    """A copy that has sent as many parts as may be on their way."""
    copying = asyncio.create_task(copy(index, parts(), "new"))
    async with asyncio.timeout(10):
        while len(index.under_way) < ON_THEIR_WAY:
            await asyncio.sleep(0)
    return copying


async def test_parts_are_sent_while_others_are_on_their_way_and_no_more_than_some() -> None:
    index = Slow()
    copying = await copied_into(index)
    index.open.set()
    assert await copying == sum(map(len, PARTS))
    assert sorted(index.taken) == [each["id"] for part in PARTS for each in part]
    assert index.most == ON_THEIR_WAY


async def test_of_a_part_that_is_refused_it_is_told_and_none_stays_on_its_way() -> None:
    index = Slow(refused="0.0")
    with pytest.raises(UnavailableError, match="the index is away"):
        await copy(index, parts(), "new")
    assert index.most, "the next was on its way"
    assert not index.under_way


async def test_a_copy_that_is_ended_leaves_none_on_its_way() -> None:
    index = Slow()
    copying = await copied_into(index)
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert not index.under_way
    assert not index.taken
