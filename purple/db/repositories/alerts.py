"""What saved searches have found; each match is a row, so that of two who find it one does."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, Uuid, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import saved_searches, search_matches, vulnerabilities
from purple.db.repositories.searching import SOURCES
from purple.domain.errors import PreconditionFailedError
from purple.domain.saved import MAX_MATCHES
from purple.domain.search import VULNERABILITIES, Wanted

_COLUMNS = ["search_id", "vulnerability_id", "organisation_id", "at"]
_V = vulnerabilities.c


class AlertRows:
    """See `domain.saved.Alerts`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def remove(self, search_id: UUID, version: int) -> None:
        """Compared and deleted in one statement; matches go with it."""
        mine = (saved_searches.c.id == search_id, saved_searches.c.version == version)
        if (await self._connection.execute(delete(saved_searches).where(*mine))).rowcount != 1:
            raise PreconditionFailedError.since("saved search", version)

    async def begin(self, search_id: UUID, wanted: Wanted, at: datetime) -> int:
        """One more than may be found tells of too many."""
        await self.end(search_id)
        found = _matches(search_id, wanted, at).limit(MAX_MATCHES + 1)
        noted = upsert(search_matches).from_select(_COLUMNS, found).returning(search_matches.c.vulnerability_id)
        statement = select(func.count()).select_from(noted.cte("noted"))
        return int((await self._connection.execute(statement)).scalar_one())

    async def end(self, search_id: UUID) -> None:
        """All of it."""
        await self._connection.execute(delete(search_matches).where(search_matches.c.search_id == search_id))

    async def news(self, search_id: UUID, wanted: Wanted, ids: Sequence[UUID], at: datetime) -> tuple[UUID, ...]:
        """By what could be inserted."""
        found = _matches(search_id, wanted, at, _V.id == func.any(list(ids)))
        noted = upsert(search_matches).from_select(_COLUMNS, found).on_conflict_do_nothing()
        new = noted.returning(search_matches.c.vulnerability_id).cte("new")
        statement = select(_V.id).join(new, new.c.vulnerability_id == _V.id).order_by(_V.risk.desc(), _V.id)
        return tuple((await self._connection.execute(statement)).scalars())


def _matches(search_id: UUID, wanted: Wanted, at: datetime, *more: ColumnElement[bool]) -> Select[tuple[UUID, ...]]:
    noted = (literal(search_id, Uuid), _V.id, _V.organisation_id, literal(at, DateTime(timezone=True)))
    return select(*noted).where(*SOURCES[VULNERABILITIES].matching(wanted), *more)
