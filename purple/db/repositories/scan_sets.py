"""The scans of a campaign as sets."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, bindparam, case, cast, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from purple.db.models import authorisations, campaigns, observations, scans, targets
from purple.domain.campaigns import Campaign, Phase, Scan
from purple.domain.errors import NotFoundError
from purple.domain.scan_sets import BATCH, FRESH, HELD, INLINE, MAX_BATCHES, OWN, Briefing
from purple.domain.scope import Authorisation
from purple.domain.tools import ScanState

_NAMES = [field.name for field in dataclasses.fields(Scan)]
_COLUMNS = [scans.c[name] for name in _NAMES]
_HEAD = [campaigns.c[field.name] for field in dataclasses.fields(Campaign) if field.name != "target_ids"]
_CONTRACT = [authorisations.c[field.name] for field in dataclasses.fields(Authorisation)]
_BRIEFING = (
    select(*_COLUMNS, *_HEAD, *_CONTRACT, targets.c.kind)
    .select_from(scans)
    .join(campaigns, campaigns.c.id == scans.c.campaign_id)
    .join(authorisations, authorisations.c.id == campaigns.c.authorisation_id)
    .join(targets, targets.c.id == scans.c.target_id)
    .where(scans.c.id == bindparam("scan_id"))
)
_ENDING = (
    "state", "reason", "ended_at", "exit_code", "tool_version", "executable_sha256", "revision", "output_artifact",
    "log_artifact",
)  # fmt: skip
_OPEN = [str(state) for state in ScanState if not state.ended]

_CONCLUDE = (
    update(scans)
    .where(
        scans.c.id == bindparam("scan_id"),
        or_(scans.c.state.in_(_OPEN), scans.c.attempt < bindparam("tried")),
    )
    .values({name: bindparam(f"new_{name}", type_=scans.c[name].type) for name in _ENDING})
    .returning(*_COLUMNS)
)
_ADDED = scans.c.observations + bindparam("added", type_=Integer())
_COUNTED = select(func.count()).select_from(observations).where(observations.c.scan_id == scans.c.id)
_CONCLUDE_ADDING = _CONCLUDE.values(observations=_ADDED)
_CONCLUDE_COUNTING = _CONCLUDE.values(observations=_COUNTED.scalar_subquery())

_ADD = text(f"""
    INSERT INTO scans ({", ".join(_NAMES)}) SELECT {", ".join(_NAMES)}
    FROM jsonb_populate_recordset(NULL::scans, CAST(:rows AS jsonb)) ON CONFLICT DO NOTHING
""")  # noqa: S608 - our own column names

_NUMBER = text("""
    WITH fresh AS MATERIALIZED (
        SELECT id, row_number() OVER (PARTITION BY phase ORDER BY worth DESC, created_at, id) - 1 AS place,
            dense_rank() OVER (ORDER BY phase) - 1 AS part
        FROM scans WHERE campaign_id = :campaign AND batch = :fresh
    ), many AS MATERIALIZED (
        SELECT count(*) AS scans, greatest(:size, ceil(count(*) / CAST(:most AS numeric))::int) AS size FROM fresh
    ), last AS MATERIALIZED (
        SELECT greatest(max(batch), 0) AS number FROM scans WHERE campaign_id = :campaign
    )
    UPDATE scans SET batch = CASE
        WHEN :apart OR many.scans > :inline OR last.number > 0
        THEN last.number + 1 + fresh.part * (many.scans / many.size + 1) + fresh.place / many.size
        ELSE :own END
    FROM fresh, many, last WHERE scans.id = fresh.id
""")
"""A batch holds scans of one phase. Where a campaign has batches, whatever comes later goes to one.

What is not materialised is computed again for each scan, which 50,000 of them made minutes.
"""


class ScanSetRows:
    """See `domain.scan_sets.ScanSets`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def campaign(self, campaign_id: UUID, *, lock: bool = False) -> Campaign:
        """Without its targets."""
        statement = select(*_HEAD).where(campaigns.c.id == campaign_id)
        found = await self._connection.execute(statement.with_for_update() if lock else statement)
        row = found.one_or_none()
        if row is None:
            raise NotFoundError(
                f"there is no campaign {campaign_id}", value=campaign_id, remedy="list those that exist"
            )
        return Campaign(**row._mapping, target_ids=())  # noqa: SLF001 - SQLAlchemy's public name for it

    async def briefing(self, scan_id: UUID) -> Briefing:
        """In one statement."""
        row = (await self._connection.execute(_BRIEFING, {"scan_id": scan_id})).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no scan {scan_id}", value=scan_id, remedy="list those that exist")
        values = iter(row)

        def taken(columns: list[Any]) -> dict[str, Any]:
            return {column.name: next(values) for column in columns}

        scan, head, contract = Scan(**taken(_COLUMNS)), taken(_HEAD), Authorisation(**taken(_CONTRACT))
        return Briefing(scan, Campaign(**head, target_ids=()), next(values), contract)

    async def conclude(self, ended: Scan, added: int | None) -> Scan | None:
        """In one statement, which looks at the row again where it had to wait for it."""
        told = {f"new_{name}": getattr(ended, name) for name in _ENDING}
        told |= {"scan_id": ended.id, "tried": ended.attempt}
        if added is None:
            found = await self._connection.execute(_CONCLUDE_COUNTING, told)
        else:
            found = await self._connection.execute(_CONCLUDE_ADDING, told | {"added": added})
        row = found.one_or_none()
        return None if row is None else _scan(row)

    async def add(self, rows: Sequence[Scan]) -> int:
        """As one value, which PostgreSQL takes apart."""
        values = [{name: getattr(row, name) for name in _NAMES} for row in rows]
        told = {"rows": json.dumps(values, default=str)}
        return (await self._connection.execute(_ADD, told)).rowcount if values else 0

    async def number(self, campaign_id: UUID, *, apart: bool = False) -> None:
        """In one statement."""
        told = {"fresh": FRESH, "own": OWN, "inline": INLINE, "size": BATCH, "most": MAX_BATCHES, "apart": apart}
        await self._connection.execute(_NUMBER, {"campaign": campaign_id} | told)

    async def due(
        self, campaign_id: UUID, phase: Phase, batch: int, limit: int, request_id: str = ""
    ) -> Sequence[Scan]:
        """What is worth most first, of that the oldest."""
        mine = [*_due(campaign_id, phase, request_id), scans.c.batch == batch]
        return await self._read(mine, limit, scans.c.worth.desc(), scans.c.created_at, scans.c.id)

    async def batches(self, campaign_id: UUID, phase: Phase, request_id: str = "") -> Mapping[int, int]:
        """By number."""
        mine = [*_due(campaign_id, phase, request_id), scans.c.batch > OWN]
        statement = select(scans.c.batch, func.count()).where(*mine).group_by(scans.c.batch).order_by(scans.c.batch)
        return {row[0]: row[1] for row in await self._connection.execute(statement)}

    async def held(self, campaign_id: UUID, phase: Phase) -> Mapping[str, int]:
        """By tool."""
        mine = [*_due(campaign_id, phase, ""), scans.c.batch == HELD]
        statement = select(scans.c.tool, func.count()).where(*mine).group_by(scans.c.tool).order_by(scans.c.tool)
        return {row[0]: row[1] for row in await self._connection.execute(statement)}

    async def counts(self, campaign_id: UUID) -> Mapping[ScanState, int]:
        """By state."""
        statement = select(scans.c.state, func.count()).where(scans.c.campaign_id == campaign_id)
        return {row[0]: row[1] for row in await self._connection.execute(statement.group_by(scans.c.state))}

    async def judged(self, campaign_id: UUID) -> Mapping[ScanState, int]:
        """By what each comes to."""
        state = case((scans.c.covered_by.is_not(None), ScanState.COMPLETE), else_=scans.c.state).label("state")
        statement = select(state, func.count()).where(scans.c.campaign_id == campaign_id).group_by(state)
        return {ScanState(row[0]): row[1] for row in await self._connection.execute(statement)}

    async def worst_first(self, campaign_id: UUID, limit: int) -> Sequence[Scan]:
        """In the order of who needs to be seen."""
        order = case(
            (scans.c.state == ScanState.RUNNING, 0),
            (scans.c.state == ScanState.PENDING, 2),
            (scans.c.state == ScanState.COMPLETE, 3),
            else_=1,
        )
        return await self._read([scans.c.campaign_id == campaign_id], limit, order, scans.c.created_at, scans.c.id)

    async def end(  # noqa: PLR0913 - as the port has it
        self,
        campaign_id: UUID,
        *,
        state: ScanState,
        reason: str,
        at: datetime,
        limit: int,
        states: Iterable[ScanState],
        tool: str = "",
        scan_id: UUID | None = None,
    ) -> Sequence[Scan]:
        """A part of them at a time, so that neither side holds thousands."""
        mine = [scans.c.campaign_id == campaign_id, scans.c.state.in_(list(states))]
        mine += [scans.c.tool == tool] if tool else []
        mine += [scans.c.id == scan_id] if scan_id else []
        some = select(scans.c.id).where(*mine).limit(limit)
        statement = update(scans).where(scans.c.id.in_(some)).values(state=state, reason=reason, ended_at=at)
        return [_scan(row) for row in await self._connection.execute(statement.returning(*_COLUMNS))]

    async def failed(self, campaign_id: UUID, *, tools: Iterable[str], ids: Iterable[UUID]) -> int:
        """Their number."""
        statement = select(func.count()).select_from(scans).where(*_failed(campaign_id, tools, ids))
        return (await self._connection.execute(statement)).scalar_one()

    async def reset(self, campaign_id: UUID, retry_id: str, *, tools: Iterable[str], ids: Iterable[UUID]) -> None:
        """What waits for approval goes on waiting."""
        statement = update(scans).where(*_failed(campaign_id, tools, ids), scans.c.retry_id != retry_id)
        batch = case((scans.c.batch == HELD, HELD), else_=FRESH)
        again = {"state": ScanState.PENDING, "reason": "", "ended_at": None, "retry_id": retry_id, "batch": batch}
        await self._connection.execute(statement.values(again))

    async def of_request(self, campaign_id: UUID, request_id: str) -> int:
        """Their number."""
        mine = [scans.c.campaign_id == campaign_id, scans.c.retry_id == request_id]
        return (await self._connection.execute(select(func.count()).select_from(scans).where(*mine))).scalar_one()

    async def release(self, campaign_id: UUID, tool: str, request_id: str) -> None:
        """Those that have not ended."""
        mine = [scans.c.campaign_id == campaign_id, scans.c.batch == HELD, scans.c.tool == tool]
        statement = update(scans).where(*mine, scans.c.state.in_(_OPEN))
        await self._connection.execute(statement.values(batch=FRESH, retry_id=request_id))

    async def _read(self, mine: list[ColumnElement[bool]], limit: int, *order: ColumnElement[Any]) -> list[Scan]:
        statement = select(*_COLUMNS).where(*mine).order_by(*order).limit(limit)
        return [_scan(row) for row in await self._connection.execute(statement)]


def _due(campaign_id: UUID, phase: Phase, request_id: str) -> list[ColumnElement[bool]]:
    mine = [scans.c.campaign_id == campaign_id, scans.c.phase == phase, scans.c.state.in_(_OPEN)]
    return [*mine, scans.c.retry_id == request_id] if request_id else mine


def _failed(campaign_id: UUID, tools: Iterable[str], ids: Iterable[UUID]) -> list[ColumnElement[bool]]:
    return [
        scans.c.campaign_id == campaign_id,
        scans.c.state.in_([str(state) for state in ScanState if state.ended and state is not ScanState.COMPLETE]),
        scans.c.covered_by.is_(None),
        scans.c.tool != func.all(_array(tools, Text())),
        scans.c.id != func.all(_array(ids, Uuid())),
    ]


def _array(values: Iterable[Any], kind: Any) -> ColumnElement[Any]:
    return cast(list(values), ARRAY(kind))


def _scan(row: Any) -> Scan:
    return Scan(**row._mapping)  # noqa: SLF001 - as above
