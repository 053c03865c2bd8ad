"""How scans went, kept by month."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, case, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import scan_metrics, targets
from purple.db.repositories.listings import TARGETS
from purple.db.repositories.trends import of_targets
from purple.domain.metrics import ENDED, ToolMetrics
from purple.domain.pages import Query
from purple.domain.targets import in_use
from purple.domain.tools import ScanState
from purple.domain.trends import Period

_M = scan_metrics.c

_MAKE_MONTHS = text("""
    SELECT count(purple_make_month(month::date)) FROM (
        SELECT date_trunc('month', min(ended_at) AT TIME ZONE 'UTC') AS first,
            date_trunc('month', max(ended_at) AT TIME ZONE 'UTC') AS last
        FROM scans WHERE campaign_id = :campaign
    ) AS mine CROSS JOIN LATERAL generate_series(first, last, interval '1 month') AS month
""")
_FILL = text("""
    INSERT INTO scan_metrics (
        organisation_id, campaign_id, scan_id, day, target_id, tool, state, covered, seconds, attempts, observations)
    SELECT organisation_id, campaign_id, id, (ended_at AT TIME ZONE 'UTC')::date, target_id, tool, state,
        covered_by IS NOT NULL, extract(epoch FROM ended_at - started_at), attempt, observations
    FROM scans WHERE campaign_id = :campaign AND ended_at IS NOT NULL
    ON CONFLICT DO NOTHING
""")


class MetricRows:
    """See `domain.metrics.Metrics`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def fill(self, campaign_id: UUID, *, again: bool) -> None:
        """In one statement; what is kept already goes first, since a scan that ran again ended on another day."""
        run = self._connection.execute
        if again:
            await run(delete(scan_metrics).where(_M.campaign_id == campaign_id))
        await run(_MAKE_MONTHS, {"campaign": campaign_id})
        await run(_FILL, {"campaign": campaign_id})

    async def tools(self, wanted: Period, filter_: str) -> Sequence[ToolMetrics]:
        """In one statement."""
        complete = _M.state == ScanState.COMPLETE
        seconds = case((complete, _M.seconds))
        states = [func.count().filter(_M.state == state).label(state) for state in ENDED]
        statement = (
            select(
                _M.tool,
                func.count().filter(_M.covered).label("covered"),
                func.sum(func.greatest(_M.attempts - 1, 0)).label("again"),
                func.sum(_M.observations).label("observations"),
                func.percentile_disc(0.5).within_group(seconds).label("seconds_p50"),
                func.percentile_disc(0.95).within_group(seconds).label("seconds_p95"),
                *states,
            )
            .where(_M.day.between(wanted.since, wanted.until), *of_targets(_M.target_id, filter_))
            .group_by(_M.tool)
            .order_by(_M.tool)
        )
        return [
            ToolMetrics(
                tool=row.tool,
                states={state: row._mapping[state] for state in ENDED},  # noqa: SLF001 - SQLAlchemy's public name for it
                covered=row.covered,
                again=row.again,
                observations=row.observations,
                seconds_p50=row.seconds_p50,
                seconds_p95=row.seconds_p95,
            )
            for row in await self._connection.execute(statement)
        ]

    async def coverage(self, wanted: Period, filter_: str) -> tuple[int, int]:
        """In one statement."""
        looked = select(_M.target_id).where(_M.day.between(wanted.since, wanted.until), _M.state == ScanState.COMPLETE)
        statement = select(func.count(), func.count().filter(targets.c.id.in_(looked)))
        statement = statement.where(and_(*TARGETS.conditions(Query(filter=in_use(filter_)))))
        row = (await self._connection.execute(statement.select_from(targets))).one()
        return row[0], row[1]
