"""What compliance is judged by."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import compliance_days, targets, vulnerabilities
from purple.db.repositories.listings import TARGETS, VULNERABILITIES
from purple.domain.campaigns import CampaignState, Phase
from purple.domain.compliance import Breach, ComplianceDay, Look, Status
from purple.domain.pages import Query
from purple.domain.targets import Target, in_use
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import PRESENT_STATES, VulnerabilityState

_D, _V = compliance_days.c, vulnerabilities.c
_COLUMNS = [targets.c[field.name] for field in fields(Target)]

_LOOKS = text("""
    SELECT DISTINCT ON (target_id, tool, state = 'complete') * FROM (
        SELECT s.target_id, s.tool, s.campaign_id, (array_agg(s.id ORDER BY rank, s.ended_at))[1] AS scan_id,
            min(coalesce(covering.ended_at, s.ended_at, s.created_at)) AS at,
            (array_agg(CASE rank WHEN 1 THEN 'complete' ELSE s.state END ORDER BY rank, s.ended_at))[1] AS state,
            (array_agg(CASE rank WHEN 1 THEN '' ELSE s.reason END ORDER BY rank, s.ended_at))[1] AS reason
        FROM scans s LEFT JOIN scans covering ON covering.id = s.covered_by
        CROSS JOIN LATERAL (SELECT (s.state = 'complete' OR s.covered_by IS NOT NULL)::int AS rank) AS ranked
        WHERE s.target_id = ANY(:targets) AND s.tool = ANY(:tools) AND s.created_at >= :since
        GROUP BY s.target_id, s.tool, s.campaign_id
    ) AS runs ORDER BY target_id, tool, state = 'complete', at DESC
""")
"""A campaign's scans of a tool at a target are one look, as good as the worst of them."""
_NOTHING = text("""
    SELECT DISTINCT ON (recon.target_id, step ->> 'tool')
        recon.target_id, step ->> 'tool' AS tool, recon.campaign_id, recon.scan_id, recon.at
    FROM (
        SELECT target_id, campaign_id, min(ended_at) AS at, (array_agg(id ORDER BY ended_at))[1] AS scan_id
        FROM scans WHERE target_id = ANY(:targets) AND phase = :recon AND created_at >= :since
        GROUP BY target_id, campaign_id HAVING bool_and(state = 'complete')
    ) AS recon
    JOIN campaigns c ON c.id = recon.campaign_id AND c.state = :completed
    CROSS JOIN LATERAL jsonb_array_elements(c.plan -> 'tools') AS step
    WHERE step ->> 'tool' = ANY(:tools) AND step ->> 'when' <> 'always' AND NOT EXISTS (
        SELECT FROM scans s
        WHERE s.campaign_id = recon.campaign_id AND s.target_id = recon.target_id AND s.tool = step ->> 'tool')
    ORDER BY recon.target_id, step ->> 'tool', recon.at DESC
""")
"""A campaign that completed would have run the tool at each place that recon found for it: there was none."""


class ComplianceRows:
    """See `domain.compliance.Compliance`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def targets(self, framework: str, filter_: str) -> Sequence[Target]:
        """In one statement."""
        mine = TARGETS.conditions(Query(filter=in_use(f"frameworks:{framework} {filter_}")))
        statement = select(*_COLUMNS).where(*mine).order_by(targets.c.value)
        return [Target(**row._mapping) for row in await self._connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name for it

    async def applicable(self, target_ids: Sequence[UUID], filter_: str) -> Collection[UUID]:
        """In one statement."""
        mine = (targets.c.id == func.any(list(target_ids)), *TARGETS.conditions(Query(filter=filter_)))
        found = await self._connection.execute(select(targets.c.id).where(*mine))
        return set(found.scalars())

    async def looks(self, target_ids: Sequence[UUID], tools: Collection[str], since: datetime) -> Sequence[Look]:
        """In two statements."""
        asked = {"targets": list(target_ids), "tools": list(tools), "since": since}
        found = [
            Look(row.target_id, row.tool, row.campaign_id, row.scan_id, row.at, ScanState(row.state), row.reason)
            for row in await self._connection.execute(_LOOKS, asked)
        ]
        told = asked | {"recon": Phase.RECON, "completed": CampaignState.COMPLETED}
        found += [
            Look(row.target_id, row.tool, row.campaign_id, row.scan_id, row.at, ScanState.COMPLETE, "", nothing=True)
            for row in await self._connection.execute(_NOTHING, told)
        ]
        return found

    async def breaches(self, target_ids: Sequence[UUID], filter_: str) -> Mapping[UUID, Breach]:
        """In one statement."""
        present = _V.state.in_(PRESENT_STATES)
        worst = aggregate_order_by(_V.id, present.desc(), _V.risk.desc(), _V.id)
        title = aggregate_order_by(_V.title, present.desc(), _V.risk.desc(), _V.id)
        statement = (
            select(
                _V.target_id,
                func.count().filter(present).label("present"),
                func.count().filter(_V.state == VulnerabilityState.RISK_ACCEPTED).label("accepted"),
                func.array_agg(worst).label("worst"),
                func.array_agg(title).label("titles"),
            )
            .where(
                _V.target_id == func.any(list(target_ids)),
                _V.state.in_([*PRESENT_STATES, VulnerabilityState.RISK_ACCEPTED]),
                *VULNERABILITIES.conditions(Query(filter=filter_)),
            )
            .group_by(_V.target_id)
        )
        rows = await self._connection.execute(statement)
        return {
            row.target_id: Breach(row.target_id, row.present, row.accepted, row.worst[0], row.titles[0]) for row in rows
        }

    async def used(self) -> Sequence[str]:
        """In one statement."""
        some = (func.cardinality(targets.c.frameworks) > 0) & targets.c.retired_at.is_(None)
        statement = select(func.unnest(targets.c.frameworks)).where(some).distinct()
        return sorted((await self._connection.execute(statement)).scalars())

    async def record(self, day: date, framework: str, statuses: Mapping[str, Status]) -> None:
        """In two statements, behind a lock: of two who write the same day one is the last."""
        lock = func.pg_advisory_xact_lock(func.hashtext(f"compliance {self._organisation_id} {framework}"))
        await self._connection.execute(select(lock))
        same = (_D.framework == framework) & (_D.day == day)
        await self._connection.execute(delete(compliance_days).where(same))
        key = {"organisation_id": self._organisation_id, "framework": framework, "day": day}
        rows = [key | {"control": control, "status": status} for control, status in statuses.items()]
        await self._connection.execute(insert(compliance_days), rows)

    async def days(self, framework: str, since: date) -> Sequence[ComplianceDay]:
        """In one statement."""
        counts = [
            func.count().filter(_D.status == status).label(str(status))
            for status in (Status.NOT_MET, Status.NOT_TESTED, Status.MET)
        ]
        statement = (
            select(_D.day, *counts).where(_D.framework == framework, _D.day >= since).group_by(_D.day).order_by(_D.day)
        )
        return [ComplianceDay(**row._mapping) for row in await self._connection.execute(statement)]  # noqa: SLF001 - as above
