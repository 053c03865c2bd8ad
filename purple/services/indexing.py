"""An index as a copy of the database: compared, and built anew while the old one answers."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from purple.domain.clock import Clock
from purple.domain.errors import ConflictError
from purple.domain.outbox import PLACED, Outbox
from purple.domain.ports import Work
from purple.domain.search import Difference, Document, Search, feed_of
from purple.services.feeding import ROWS, copy
from purple.services.identity import FIRST_ORGANISATION

LOOKED_AT_AGAIN = 1_000
"""Where more differ it is not for what was fed just now."""
SILENT_AFTER = timedelta(seconds=30)
"""A relay that lives looks for events every few seconds."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the index is behind the database."""

    events: int
    """That have their position and were not fed."""
    seconds: float
    """Since it last moved; 0 where it is behind by none."""
    silent_s: float
    """Since the relay was last heard of; 0 while that is not long ago."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What the comparison of an index with the database found."""

    rows: int
    """In the database."""
    difference: Difference
    behind: int
    """Events that were not fed when it ended; what they speak of may differ for now."""


@dataclass(frozen=True, slots=True)
class _Page:
    """All rows of an organisation between two ids; the last page has no end."""

    organisation_id: UUID
    documents: Sequence[Document]
    after: UUID | None
    until: UUID | None


class Indexing:
    """Over all organisations, with the relay's role."""

    def __init__(self, outbox: Outbox, work: Work, index: str, search: Search) -> None:
        self._outbox = outbox
        self._work = work
        self._index = index
        self._search = search

    async def rebuild(self, told: Callable[[int], None]) -> int:
        """Fill a new index beside the old one and put it in its place; how many rows it holds.

        The feed of the new index begins where that of the old one stood at the start: whatever changes meanwhile, or
        is on its way into the old one just then, comes again.

        Args:
            told: hears how many were copied so far.

        Raises:
            ConflictError: PostgreSQL searches, so there is nothing to build; or it is being built anew already.
            UnavailableError: Elasticsearch or PostgreSQL is away; the old index stays.
        """
        async with self._outbox.alone(f"rebuild {self._index}") as alone:
            if not alone:
                raise ConflictError(
                    f"index {self._index} is being built anew already",
                    field="index",
                    value=self._index,
                    remedy="wait until that is done",
                )
            return await self._rebuild(told)

    async def _rebuild(self, told: Callable[[int], None]) -> int:
        position = await self._outbox.feed(feed_of(await self._search.generation()))
        index = await self._search.renew()
        try:
            copied = await copy(self._search, self._parts(told), index)
            await self._outbox.advance(feed_of(await self._search.generation(index)), position)
            await self._search.put_in_force(index)
        except BaseException:
            await self._search.discard(index)
            raise
        return copied

    async def _parts(self, told: Callable[[int], None]) -> AsyncIterator[Sequence[Document]]:
        count = 0
        async for page in self._everything():
            yield page.documents
            count += len(page.documents)
            told(count)

    async def verify(self, told: Callable[[int], None]) -> Compared:
        """Hold every document against its row.

        What differs is looked at once more at the end, for it may have been fed since.

        Raises:
            UnavailableError: Elasticsearch or PostgreSQL is away.
        """
        await self._search.generation()  # one that was lost is there, if empty
        rows, found = 0, list[Difference]()
        seen: list[tuple[UUID, UUID]] = []
        async for page in self._everything():
            rows += len(page.documents)
            told(rows)
            difference = await self._search.compare(page.organisation_id, page.documents, page.after, page.until)
            found.append(difference)
            seen += [(page.organisation_id, row_id) for row_id in difference.ids]
        placed = await self._outbox.feed(PLACED)
        fed = await self._outbox.feed(feed_of(await self._search.generation()))
        if len(seen) <= LOOKED_AT_AGAIN:
            found = [await self._again(*each) for each in seen]
        return Compared(rows, Difference.together(found), max(0, placed - fed))

    async def _again(self, organisation_id: UUID, row_id: UUID) -> Difference:
        before = UUID(int=row_id.int - 1) if row_id.int else None
        async with self._work(organisation_id) as uow:
            found = await uow.documents.some(self._index, [row_id])
        return await self._search.compare(organisation_id, found, before, row_id)

    async def _everything(self) -> AsyncIterator[_Page]:
        """Of each organisation all rows, by id."""
        for organisation_id in await self._outbox.organisations():
            after: UUID | None = None
            while True:
                async with self._work(organisation_id) as uow:
                    ids = await uow.documents.ids(self._index, after, ROWS)
                    found = await uow.documents.some(self._index, ids)
                until = ids[-1] if len(ids) == ROWS else None
                yield _Page(organisation_id, found, after, until)
                if until is None:
                    break
                after = until


async def lag_of(work: Work, search: Search, clock: Clock) -> Lag:
    """How far search is behind, as anybody may see it.

    Raises:
        UnavailableError: Elasticsearch or PostgreSQL is away.
    """
    name = feed_of(await search.generation())
    async with work(FIRST_ORGANISATION) as uow:
        feeds = await uow.events.feeds(PLACED, name)
    now, placed, fed = clock.now(), feeds.get(PLACED), feeds.get(name)
    if placed is None:
        return Lag(0, 0.0, 0.0)
    behind = max(0, placed.position - (fed.position if fed else 0))
    since = (now - (fed.at if fed else placed.at)).total_seconds() if behind else 0.0
    silent = now - placed.at
    return Lag(behind, max(0.0, since), silent.total_seconds() if silent > SILENT_AFTER else 0.0)
