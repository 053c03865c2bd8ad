"""The port of search: what the services need of an index that may be stale, away or lost."""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from purple.domain.vulnerabilities import Vulnerability


class Search(Protocol):
    """Full text over vulnerabilities. Fed by the relay; may be stale, may be away."""

    async def index(self, rows: Iterable[Vulnerability]) -> None:
        """Add or replace.

        Raises:
            UnavailableError: try again later.
        """
        ...

    async def find(self, organisation_id: UUID, text: str, limit: int) -> tuple[UUID, ...]:
        """Ids of the best matches.

        Raises:
            UnavailableError: try again later.
        """
        ...

    async def generation(self) -> str:
        """Names the index as it is; another name means that what was indexed before is gone.

        Raises:
            UnavailableError: it is away.
        """
        ...

    async def ping(self) -> str:
        """A few words on its state.

        Raises:
            UnavailableError: it is away.
        """
        ...
