"""The ports of search: rows as documents, and an index of them that may be stale, away or lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Protocol
from uuid import UUID

from purple.domain.conditions import Condition, Fields, Kind, Shape
from purple.domain.queries import Phrase

VULNERABILITIES = "vulnerabilities"
SCAN_RESULTS = "scan_results"
AUDIT_LOGS = "audit_logs"
"""Every event but samples: who did what, when, to which object."""
SYSTEM_METRICS = "system_metrics"
SAMPLED = "system.sampled"
"""The type of events that are samples of the system's health."""
POSTGRESQL = "postgresql"
"""The engine that is always there."""
MOST_COUNTED = 10_000
"""So many of the rows that PostgreSQL finds are counted; Elasticsearch counts all."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Document = Mapping[str, Any]
"""A row as an index holds it: JSON with `id`, `organisation_id`, its fields, and its words under `words` and `heading`.

Moments are microseconds since 1970, which is all that PostgreSQL keeps of them.
"""


@dataclass(frozen=True, slots=True)
class Index:
    """What is searched: the name of its rows, and their fields."""

    name: str
    fields: Fields
    facets: Mapping[str, int] = field(default_factory=dict)
    """Fields by whose values rows are counted, and how many of the values."""
    first: tuple[str, ...] = ()
    """Fields by which rows are ordered, the highest first."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for. Best matches come first, and those alike as the index is ordered."""

    conditions: tuple[Condition, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    limit: int = 0
    facets: Mapping[str, int] = field(default_factory=dict)
    """Those of the index whose counts are asked for."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found."""

    ids: tuple[UUID, ...]
    total: int
    counts: Mapping[str, Mapping[str, int]]
    """By facet and value, the most frequent first; without a value is the empty text."""
    bounded: bool = False
    """Whether there are more than were counted, so that `total` and `counts` say at least."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an index is not what the database is."""

    missing: tuple[UUID, ...] = ()
    """Of the index."""
    left_over: tuple[UUID, ...] = ()
    """In the index."""
    other: tuple[UUID, ...] = ()
    """In both, and not the same."""

    @property
    def ids(self) -> tuple[UUID, ...]:
        """All of them."""
        return (*self.missing, *self.left_over, *self.other)

    @staticmethod
    def together(several: Sequence["Difference"]) -> "Difference":
        """All of them as one."""
        parts = zip(*((each.missing, each.left_over, each.other) for each in several), strict=True)
        return Difference(*(tuple(chain.from_iterable(part)) for part in parts))


def record(index: Index, document: Document) -> dict[str, Any]:
    """A document's fields, moments as such."""
    return {name: _read(shape, document[name]) for name, shape in index.fields.shapes.items()}


def _read(shape: Shape, value: Any) -> Any:
    if shape.kind is Kind.MOMENT and value is not None:
        return _EPOCH + timedelta(microseconds=value)
    return value


def feed_of(generation: str) -> str:
    """The name of the feed that fills an index."""
    return f"search/{generation}"


class Documents(Protocol):
    """Rows of an organisation as an index holds them, and what PostgreSQL itself finds."""

    async def ids(
        self, index: str, after: UUID | None, limit: int, where: Mapping[str, Sequence[UUID]] | None = None
    ) -> Sequence[UUID]:
        """Of some rows, in order; those after one of them, and of those that have one of the values of each field."""
        ...

    async def some(self, index: str, ids: Sequence[UUID]) -> Sequence[Document]:
        """Those of these rows that there are."""
        ...

    async def find(self, index: str, wanted: Wanted) -> Hits:
        """By PostgreSQL's own full text."""
        ...

    async def settled(self, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
        """The same with names that only the database knows, those of business units, as ids."""
        ...


class Search(Protocol):
    """One index. Fed by the relay; may be stale, may be away.

    Each method raises UnavailableError where it is away.
    """

    @property
    def engine(self) -> str:
        """Who answers: `elasticsearch` or `postgresql`."""
        ...

    async def index(self, documents: Sequence[Document], into: str = "") -> None:
        """Add or replace, in the index that is asked or in one that is being built; found after `refresh`."""
        ...

    async def refresh(self) -> None:
        """Have what was indexed found."""
        ...

    async def find(self, organisation_id: UUID, wanted: Wanted) -> Hits:
        """The best matches, and how many there are by facet."""
        ...

    async def generation(self, index: str = "") -> str:
        """Names the index as it is; another name means that what was indexed before is gone."""
        ...

    async def renew(self) -> str:
        """Make an empty index beside the one that is asked, to be filled; its name.

        Raises:
            ConflictError: there is none to be filled, since PostgreSQL searches.
        """
        ...

    async def put_in_force(self, index: str) -> None:
        """Have this one asked from now on, and let all others go, in one step."""
        ...

    async def discard(self, index: str) -> None:
        """Let one go that was not put in force."""
        ...

    async def compare(
        self, organisation_id: UUID, documents: Sequence[Document], after: UUID | None, until: UUID | None
    ) -> Difference:
        """What the index holds between two ids, beside all documents that the database has between them."""
        ...

    async def ping(self) -> str:
        """A few words on its state."""
        ...
