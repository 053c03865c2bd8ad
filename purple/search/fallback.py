"""Search by PostgreSQL's full text: never stale, for machines without Elasticsearch."""

from collections.abc import Sequence
from uuid import UUID

from purple.domain.errors import ConflictError
from purple.domain.ports import Work
from purple.domain.search import POSTGRESQL, Difference, Document, Hits, Wanted


class FullText:
    """See `domain.search.Search`."""

    engine = POSTGRESQL

    def __init__(self, work: Work, index: str) -> None:
        self._work = work
        self._index = index

    async def index(self, documents: Sequence[Document], into: str = "") -> None:
        """Nothing to do: PostgreSQL indexes its own rows."""

    async def refresh(self) -> None:
        """Nothing to do."""

    async def generation(self, index: str = "") -> str:  # noqa: ARG002 - the port's signature
        """There is but one."""
        return POSTGRESQL

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
        documents: Sequence[Document],  # noqa: ARG002 - as above
        after: UUID | None,  # noqa: ARG002 - as above
        until: UUID | None,  # noqa: ARG002 - as above
    ) -> Difference:
        """They are the same rows."""
        return Difference()

    async def find(self, organisation_id: UUID, wanted: Wanted) -> Hits:
        """As the database finds them."""
        async with self._work(organisation_id) as uow:
            return await uow.documents.find(self._index, wanted)

    async def ping(self) -> str:
        """What it is."""
        return "PostgreSQL full text"
