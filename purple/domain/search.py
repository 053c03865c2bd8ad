"""The port of search: what the services need of an index that may be stale, away or lost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol
from uuid import UUID

from purple.domain.vulnerabilities import Vulnerability


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


def feed_of(generation: str) -> str:
    """The name of the feed that fills an index."""
    return f"search/{generation}"


class Search(Protocol):
    """Full text over vulnerabilities. Fed by the relay; may be stale, may be away.

    Each method raises UnavailableError where it is away.
    """

    async def index(self, rows: Iterable[Vulnerability], into: str = "") -> None:
        """Add or replace, in the index that is asked or in one that is being built."""
        ...

    async def find(self, organisation_id: UUID, text: str, limit: int) -> tuple[UUID, ...]:
        """Ids of the best matches."""
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
        self, organisation_id: UUID, rows: Sequence[Vulnerability], after: UUID | None, until: UUID | None
    ) -> Difference:
        """What the index holds between two ids, beside all rows that the database has between them."""
        ...

    async def ping(self) -> str:
        """A few words on its state."""
        ...
