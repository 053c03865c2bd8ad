"""Batches: each item by itself, with a result of its own."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

from pydantic import Field

from api.schemas import Answer, Problem
from purple.domain.errors import PurpleError, UnavailableError

MAX_ITEMS = 200
I = TypeVar("I")  # noqa: E741 - an item


class Row(Protocol):
    """What became of an item."""

    @property
    def id(self) -> UUID: ...  # noqa: D102 - the name says it
    @property
    def version(self) -> int: ...  # noqa: D102 - the same


class ResultAnswer(Answer):
    """What became of one item."""

    index: int = Field(description="Of the item, from 0")
    status: int = Field(description="As a request for this item alone would have been answered")
    id: UUID | None = None
    version: int | None = Field(default=None, description="What the next edit is made from")
    problem: Problem | None = None


class BatchAnswer(Answer):
    """What became of each item, in their order."""

    done: int
    failed: int
    results: list[ResultAnswer]


async def each_by_itself(items: Sequence[I], status: int, act: Callable[[I], Awaitable[Row]]) -> BatchAnswer:
    """Do them in order; one that fails stops none of the others.

    Args:
        items: what to do.
        status: of an item that is done.
        act: does one, in a transaction of its own.

    Raises:
        UnavailableError: a part that all of them need is away; what was done before stays done.
    """
    results = []
    for index, item in enumerate(items):
        try:
            row = await act(item)
        except UnavailableError:
            raise
        except PurpleError as error:
            problem: dict[str, Any] = error.problem()
            problem |= {"value": str(problem.get("value", ""))}
            results.append(ResultAnswer(index=index, status=error.status, problem=Problem(**problem)))
        else:
            results.append(ResultAnswer(index=index, status=status, id=row.id, version=row.version))
    failed = sum(each.problem is not None for each in results)
    return BatchAnswer(done=len(results) - failed, failed=failed, results=results)
