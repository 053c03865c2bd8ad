"""Complete scans of the past, the newest of each kind and place."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import scans
from purple.domain.coverage import LastScan
from purple.domain.tools import ScanState

_KIND = (scans.c.target_id, scans.c.tool, scans.c.host, scans.c.port, scans.c.url, scans.c.options)
_COLUMNS = [scans.c[name] for name in LastScan.__dataclass_fields__]


class CoverageRows:
    """See `domain.coverage.Coverage`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def last(self, target_ids: Sequence[UUID], since: datetime, besides: UUID) -> Sequence[LastScan]:
        """In one statement, by the index on targets."""
        statement = (
            select(*_COLUMNS)
            .ext(distinct_on(*_KIND))
            .where(
                scans.c.target_id == func.any(list(target_ids)),
                scans.c.state == ScanState.COMPLETE,
                scans.c.ended_at >= since,
                scans.c.campaign_id != besides,
            )
            .order_by(*_KIND, scans.c.ended_at.desc())
        )
        return [LastScan(**row._mapping) for row in await self._connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name for it
