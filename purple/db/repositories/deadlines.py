"""Due dates as sets, and the rules they follow."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import sla_rules
from purple.db.models.findings import PRESENT
from purple.db.repositories.merging import BUCKET, DAYS, PLACES, ROOM
from purple.domain.deadlines import SHIPPED, Rule
from purple.domain.severity import Severity
from purple.domain.targets import Exposure

_LOCK_ALL = text(f"SELECT count(pg_advisory_xact_lock({ROOM}, bucket)) FROM generate_series(0, 255) AS bucket")  # noqa: S608 - our own words
"""As an analysis takes some of them: rows of every target are changed."""
LOCK_SOME = text(f"""
    SELECT count(pg_advisory_xact_lock({ROOM}, bucket)) FROM (
        SELECT DISTINCT {BUCKET} AS bucket FROM unnest(:targets) AS one (target_id) ORDER BY bucket
    ) AS mine
""").bindparams(bindparam("targets", type_=ARRAY(Uuid())))  # noqa: S608 - our own words


def _dating(which: str) -> str:
    return f"""
        WITH dated AS MATERIALIZED (
            SELECT v.id, {DAYS.format("v")} + coalesce(
                v.reopened_at, (SELECT min(seen_at) FROM sightings s WHERE s.vulnerability_id = v.id)) AS due
            FROM vulnerabilities v JOIN ({PLACES}) AS place ON place.id = v.target_id
            WHERE v.state IN ({PRESENT}, 'risk_accepted') AND NOT v.due_by_hand AND {which}
        )
        UPDATE vulnerabilities v SET due_at = dated.due, overdue_at = NULL
        FROM dated WHERE v.id = dated.id AND v.due_at IS DISTINCT FROM dated.due
    """  # noqa: S608 - our own words


_DATE_ALL = text(_dating("true"))
_DATE_SOME = text(_dating("v.id = ANY(:ids)")).bindparams(bindparam("ids", type_=ARRAY(Uuid())))
_DATE_TARGETS = text(_dating("v.target_id = ANY(:targets)")).bindparams(bindparam("targets", type_=ARRAY(Uuid())))
"""The version stays: the date follows from what is there already."""

_OVERDUE = text(f"""
    UPDATE vulnerabilities SET overdue_at = :at WHERE id IN (
        SELECT id FROM vulnerabilities
        WHERE overdue_at IS NULL AND state IN ({PRESENT}) AND due_at <= :at
        ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id, due_at
""")  # noqa: S608 - our own words


class DueDateRows:
    """See `domain.deadlines.DueDates`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def rules(self) -> tuple[Rule, ...]:
        """Few."""
        columns = select(sla_rules.c.severity, sla_rules.c.days, sla_rules.c.exposure, sla_rules.c.unit_id)
        found = [
            Rule(Severity(row.severity), row.days, Exposure(row.exposure) if row.exposure else None, row.unit_id)
            for row in await self._connection.execute(columns)
        ]
        return tuple(found) or SHIPPED

    async def set_rules(self, rules: Sequence[Rule]) -> None:
        """All of them anew."""
        await self._connection.execute(delete(sla_rules))
        shared = {"organisation_id": self._organisation_id}
        values = [shared | _row(rule) | {"unit_id": rule.unit_id} for rule in rules]
        if values:
            await self._connection.execute(insert(sla_rules), values)

    async def told(self) -> str:
        """The rules as the statements read them."""
        rules = await self.rules()
        return json.dumps([_row(rule) | {"unit": rule.unit_id and str(rule.unit_id)} for rule in rules])

    async def date(self, ids: Sequence[UUID] | None = None, target_ids: Sequence[UUID] | None = None) -> int:
        """In one statement."""
        rules = {"rules": await self.told()}
        run = self._connection.execute
        if ids is not None:
            return (await run(_DATE_SOME, rules | {"ids": list(ids)})).rowcount if ids else 0
        if target_ids is None:
            await run(_LOCK_ALL)
            return (await run(_DATE_ALL, rules)).rowcount
        mine = {"targets": list(target_ids)}
        await run(LOCK_SOME, mine)
        return (await run(_DATE_TARGETS, rules | mine)).rowcount

    async def overdue(self, at: datetime, limit: int) -> Sequence[tuple[UUID, datetime]]:
        """Those that wait longest first."""
        rows = await self._connection.execute(_OVERDUE, {"at": at, "limit": limit})
        return [(row.id, row.due_at) for row in rows]


def _row(rule: Rule) -> dict[str, Any]:
    return {"severity": rule.severity, "exposure": rule.exposure or "", "days": rule.days}
