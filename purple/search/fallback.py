"""Search by PostgreSQL's full text: never stale, for machines without Elasticsearch."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from purple.domain.errors import ConflictError
from purple.domain.ports import Work
from purple.domain.search import Difference
from purple.domain.vulnerabilities import Vulnerability


class FullText:
    """See `domain.search.Search`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def index(self, rows: Iterable[Vulnerability], into: str = "") -> None:
        """Nothing to do: PostgreSQL indexes its own rows."""

    async def generation(self, index: str = "") -> str:  # noqa: ARG002 - the port's signature
        """There is but one."""
        return "postgresql"

    async def renew(self) -> str:
        """Refuse."""
        raise ConflictError(
            "there is no index to build: PostgreSQL searches its own rows",
            field="search.url",
            remedy="set PURPLE_SEARCH__URL to use Elasticsearch",
        )

    async def put_in_force(self, index: str) -> None:
        """Nothing to do."""

    async def discard(self, index: str) -> None:
        """Nothing to do."""

    async def compare(
        self,
        organisation_id: UUID,  # noqa: ARG002 - the port's signature
        rows: Sequence[Vulnerability],  # noqa: ARG002 - as above
        after: UUID | None,  # noqa: ARG002 - as above
        until: UUID | None,  # noqa: ARG002 - as above
    ) -> Difference:
        """They are the same rows."""
        return Difference()

    async def find(self, organisation_id: UUID, text: str, limit: int) -> tuple[UUID, ...]:
        """Ids of matches."""
        async with self._work(organisation_id) as uow:
            return await uow.findings.find_text(text, limit)

    async def ping(self) -> str:
        """What it is."""
        return "PostgreSQL full text"

    async def close(self) -> None:
        """Nothing to close."""
