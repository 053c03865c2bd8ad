"""Lists in pages: a filter, an order, a cursor, a limit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from purple.domain.errors import InvalidInputError

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows, from where, how many, in which order."""

    where: Mapping[str, Any] = field(default_factory=dict)
    """Field to wanted value or values, as code gives them; None filters nothing."""
    cursor: str = ""
    """As the page before gave it; opaque to callers."""
    limit: int = DEFAULT_LIMIT
    filter: str = ""
    """As people write it, by the grammar of `filters`."""
    sort: str = ""
    """The same; by default the list's own order."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, and the cursor of the next; empty at the end."""

    items: tuple[T, ...]
    next_cursor: str = ""
    note: str = ""
    """What a reader should know of how it came about."""


def check_limit(limit: int) -> int:
    """A page size within bounds.

    Raises:
        InvalidInputError: it is not.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInputError(
            f"a page holds 1 to {MAX_LIMIT} rows", field="limit", value=limit, remedy="choose a limit in that range"
        )
    return limit
