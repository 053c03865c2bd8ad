"""Search by PostgreSQL's full text: never stale, for machines without Elasticsearch."""

from collections.abc import Iterable
from uuid import UUID

from purple.domain.ports import Work
from purple.domain.vulnerabilities import Vulnerability


class FullText:
    """See `domain.search.Search`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def index(self, rows: Iterable[Vulnerability]) -> None:
        """Nothing to do: PostgreSQL indexes its own rows."""

    async def generation(self) -> str:
        """There is but one."""
        return "postgresql"

    async def find(self, organisation_id: UUID, text: str, limit: int) -> tuple[UUID, ...]:
        """Ids of matches."""
        async with self._work(organisation_id) as uow:
            return await uow.findings.find_text(text, limit)

    async def ping(self) -> str:
        """What it is."""
        return "PostgreSQL full text"

    async def close(self) -> None:
        """Nothing to close."""
