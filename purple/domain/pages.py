"""Lists in pages: a filter, a cursor, a limit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows, from where, how many."""

    filters: Mapping[str, Any] = field(default_factory=dict)
    """Column to wanted value; None filters nothing."""
    cursor: str = ""
    """As the page before gave it; opaque to callers."""
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, and the cursor of the next; empty at the end."""

    items: tuple[T, ...]
    next_cursor: str = ""
