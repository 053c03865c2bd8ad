"""Two campaigns side by side."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import targets
from purple.db.repositories.listings import TARGETS
from purple.db.repositories.merging import SAME_WAY
from purple.domain.comparisons import Became, Compared
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import ChangeCause, VulnerabilityState

_REPEATED = f"""NOT EXISTS (
    SELECT 1 FROM sightings s JOIN scans saw ON saw.id = s.scan_id
    WHERE s.vulnerability_id = seen.vulnerability_id AND s.campaign_id = {{saw_it}} AND NOT EXISTS (
        SELECT 1 FROM scans again WHERE again.campaign_id = {{looked}} AND {SAME_WAY} {{also}}))"""  # noqa: S608 - our own words
"""Whether every scan that saw it in one campaign was made in the same way, and to the end, in the other."""

_JUDGED = f"""
    WITH seen AS MATERIALIZED (
        SELECT vulnerability_id, bool_or(campaign_id = :before) AS was, bool_or(campaign_id = :after) AS here
        FROM sightings WHERE campaign_id IN (:before, :after) GROUP BY vulnerability_id
    ), judged AS (
        SELECT v.id, v.title, v.severity, v.state, v.risk, v.target_id, v.host, v.port, v.url, seen.vulnerability_id,
            CASE
                WHEN here AND EXISTS (
                    SELECT 1 FROM vulnerability_changes c
                    WHERE c.vulnerability_id = v.id AND c.campaign_id = :after AND c.cause = '{ChangeCause.SCAN}'
                      AND c.after ->> 'state' = '{VulnerabilityState.REOPENED}') THEN '{Became.REOPENED}'
                WHEN here AND was THEN '{Became.STILL_THERE}'
                WHEN here THEN '{Became.NEW}'
                WHEN {_REPEATED.format(saw_it=":before", looked=":after", also="AND again.started_at > s.seen_at")}
                    THEN '{Became.FIXED}'
                ELSE '{Became.NOT_TESTED}'
            END AS became
        FROM seen JOIN vulnerabilities v ON v.id = seen.vulnerability_id
        WHERE CAST(:targets AS uuid[]) IS NULL OR v.target_id = ANY(CAST(:targets AS uuid[]))
    )
"""  # noqa: S608 - our own words
_COUNTS = text(f"{_JUDGED} SELECT became, severity, count(*) FROM judged GROUP BY became, severity")  # noqa: S608 - our own words
_ITEMS = text(f"""{_JUDGED}
    SELECT id, became, title, severity, state, risk, target_id, host, port, url,
        became = '{Became.NEW}' AND {_REPEATED.format(saw_it=":after", looked=":before", also="")} AS looked_before
    FROM judged AS seen WHERE became = ANY(:kinds) ORDER BY risk DESC, id LIMIT :limit
""")  # noqa: S608 - our own words


class ComparisonRows:
    """See `domain.comparisons.Comparisons`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def targets(self, filter_: str) -> Sequence[UUID] | None:
        """In one statement."""
        if not filter_:
            return None
        found = select(targets.c.id).where(*TARGETS.conditions(Query(filter=filter_)))
        return list((await self._connection.execute(found)).scalars())

    async def counts(
        self, before: UUID, after: UUID, targets: Sequence[UUID] | None = None
    ) -> Mapping[tuple[Became, Severity], int]:
        """In one statement."""
        asked = {"before": before, "after": after, "targets": targets}
        rows = await self._connection.execute(_COUNTS, asked)
        return {(Became(row[0]), Severity(row[1])): row[2] for row in rows}

    async def items(
        self,
        before: UUID,
        after: UUID,
        kinds: tuple[Became, ...],
        limit: int,
        targets: Sequence[UUID] | None = None,
    ) -> tuple[Compared, ...]:
        """In one statement."""
        asked = {"before": before, "after": after, "kinds": [str(each) for each in kinds], "limit": limit}
        rows = await self._connection.execute(_ITEMS, asked | {"targets": targets})
        return tuple(
            Compared(
                id=row.id,
                became=Became(row.became),
                title=row.title,
                severity=Severity(row.severity),
                state=VulnerabilityState(row.state),
                risk=row.risk,
                target_id=row.target_id,
                host=row.host,
                port=row.port,
                url=row.url,
                looked_before=row.looked_before,
            )
            for row in rows
        )
