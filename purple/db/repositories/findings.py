"""Observations in bulk, vulnerabilities, and the sightings between the two."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Row, Select, TextClause, func, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import observations, sightings, vulnerabilities
from purple.db.repositories import causes, heirs, intake, merging
from purple.db.repositories.correlations import follow
from purple.db.repositories.deadlines import DueDateRows
from purple.db.repositories.listings import OBSERVATIONS, VULNERABILITIES
from purple.db.repositories.machines import ONCE
from purple.db.repositories.observed import COLUMNS, read
from purple.domain.causes import Causes
from purple.domain.errors import NotFoundError
from purple.domain.findings import Sighting
from purple.domain.observations import ObservationKind, RecordedObservation
from purple.domain.pages import Page, Query
from purple.domain.risk import Part, Risk, Weight
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import PRESENT_STATES, Merged, Vulnerability

_RECENT = 10
_LINES = 50
"""Of the book of counts; more are summed up."""
_STORED = [column for column in vulnerabilities.c if column.name in Vulnerability.__dataclass_fields__]
_NAMES = [column.name for column in _STORED]
_SEEN = [observations.c[name] for name in COLUMNS]

_EACH = text("true")
_STANDING = func.coalesce(sightings.c.standing, sightings.c.observation_id)
_NEWEST = (sightings.c.seen_at.desc(), _STANDING)
_TOLD = (
    select(
        func.min(sightings.c.seen_at).label("first_seen"),
        func.max(sightings.c.seen_at).label("last_seen"),
        func.array_agg(sightings.c.tool.distinct()).label("tools"),
        func.array_agg(aggregate_order_by(sightings.c.observation_id, *_NEWEST)).label("observation_ids"),
        func.array_agg(aggregate_order_by(_STANDING, *_NEWEST)).label("standings"),
    )
    .where(sightings.c.vulnerability_id == vulnerabilities.c.id)
    .lateral("told")
)
"""What is told of a vulnerability by those who saw it."""
_WHOLE = select(*_STORED, *_TOLD.c)
_SIGHTINGS = text("""
    SELECT s.vulnerability_id, s.scan_id, s.campaign_id, s.observation_id, s.tool, scans.tool_version,
        scans.state AS scan_state, s.seen_at, o.rule, o.title, o.severity, s.confidence
    FROM unnest(CAST(:ids AS uuid[])) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT * FROM sightings WHERE vulnerability_id = wanted.id ORDER BY seen_at DESC, scan_id LIMIT :most
    ) AS s
    JOIN scans ON scans.id = s.scan_id JOIN observations o ON o.id = s.observation_id
    ORDER BY s.vulnerability_id, s.seen_at DESC, s.scan_id
""")


class FindingRows:
    """See `domain.findings.Findings`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._due_dates = DueDateRows(connection, organisation_id)

    async def record(self, rows: Iterator[RecordedObservation], threads: Executor | None = None) -> int:
        """See `intake`."""
        return await intake.take_in(self._connection, rows, threads)

    async def count(self, scan_id: UUID) -> int:
        """Of one scan."""
        statement = select(func.count()).select_from(observations).where(observations.c.scan_id == scan_id)
        return (await self._connection.execute(statement)).scalar_one()

    async def observations(self, query: Query) -> Page[RecordedObservation]:
        """In the order in which they were recorded, by default."""
        rows = (await self._connection.execute(OBSERVATIONS.page(select(*_SEEN), query))).all()
        return Page(tuple(map(read, rows[: query.limit])), OBSERVATIONS.cursor(rows, query))

    async def observation(self, row_id: UUID) -> RecordedObservation:
        """One."""
        row = (await self._connection.execute(select(*_SEEN).where(observations.c.id == row_id))).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no observation {row_id}", value=row_id, remedy="list those that exist")
        return read(row)

    async def observed(self, ids: Iterable[UUID]) -> Mapping[UUID, RecordedObservation]:
        """In one statement."""
        statement = select(*_SEEN).where(observations.c.id == func.any(list(ids)))
        return {one.id: one for one in map(read, await self._connection.execute(statement))}

    async def services(self, campaign_id: UUID, target_ids: Sequence[UUID]) -> tuple[RecordedObservation, ...]:
        """Listening services."""
        statement = select(*_SEEN).where(
            observations.c.campaign_id == campaign_id,
            observations.c.kind == ObservationKind.SERVICE.value,
            observations.c.target_id == func.any(list(target_ids)),
        )
        rows = await self._connection.execute(statement.order_by(observations.c.seq))
        return tuple(read(row) for row in rows)

    async def merge(self, campaign_id: UUID, at: datetime) -> Merged:
        """See `merging`."""
        run = self._connection.execute
        campaign = {"campaign": campaign_id}
        now = campaign | {"at": at}
        await run(merging.LOCK, campaign)
        await heirs.adopt(self._connection, campaign_id)
        await follow(self._connection, campaign=campaign_id)
        await run(merging.FLAWS)
        await run(merging.GATHER, campaign)
        merged = Merged((), (), (), 0)
        news = (await run(merging.NEWS, campaign)).one()
        if news.more or news.back:
            merged = await self._learn(now)
        seen, reopened = await self._sight(now, news)
        worst = (await run(merging.WORST, {"reopened": list(reopened)})).scalar_one()
        await run(merging.DONE)
        fixed = (await run(merging.CLOSE, now)).scalars().all()
        return replace(
            merged,
            reopened=reopened,
            fixed=tuple(fixed),
            sightings=seen,
            worst=Severity(worst) if worst else None,
        )

    async def _sight(self, now: Mapping[str, Any], news: Row[Any]) -> tuple[int, tuple[UUID, ...]]:
        """How many sightings are new, and what they reopen; nothing where none of what was seen counts as fixed."""
        if not news.back:
            statement = merging.SIGHT_AGAIN if news.again else merging.SIGHT
            return (await self._connection.execute(statement, now)).rowcount, ()
        seen = (await self._connection.execute(merging.SIGHT_AND_REOPEN, now)).one()
        return seen.sightings, tuple(seen.reopened)

    async def _learn(self, now: Mapping[str, Any]) -> Merged:
        """What a campaign tells of flaws beside that they are there."""
        run = self._connection.execute
        await run(merging.MEASURE)
        rules = {"rules": await self._due_dates.told()}
        found = (await run(merging.ADD_VULNERABILITIES, rules)).scalars().all()
        raised = (await run(merging.RAISE_SEVERITY, now)).scalars().all()
        retold = (await run(merging.RETELL)).scalars().all()
        moved = (await run(merging.MOVE)).scalars().all()
        return Merged(
            tuple(found),
            (),
            (),
            0,
            tuple(raised),
            tuple(retold),
            tuple(dict.fromkeys((*found, *raised, *retold, *moved))),
        )

    async def vulnerabilities(self, query: Query, *, once: bool = False) -> Page[Vulnerability]:
        """Worst risk first, by default."""
        which = select(vulnerabilities.c.id).where(text(ONCE)) if once else select(vulnerabilities.c.id)
        page, cursors, order = VULNERABILITIES.inner_page(which, query)
        rows = (await self._connection.execute(_of(page).add_columns(*cursors).order_by(*order))).all()
        return Page(tuple(map(_vulnerability, rows[: query.limit])), VULNERABILITIES.cursor(rows, query))

    async def seen_by(self, campaign_id: UUID, most: int) -> tuple[Vulnerability, ...]:
        """By the same way as they are counted."""
        mine = select(sightings.c.vulnerability_id).where(sightings.c.campaign_id == campaign_id).distinct()
        ids = mine.cte("mine").prefix_with("MATERIALIZED")
        ordered = (vulnerabilities.c.id, vulnerabilities.c.state, vulnerabilities.c.risk)
        one = select(*ordered).where(vulnerabilities.c.id == ids.c.vulnerability_id).offset(0).lateral("one")
        joined = select(*one.c).select_from(ids.join(one, _EACH))
        page = joined.order_by(*_present_first(one)).limit(most).subquery("page")
        rows = await self._connection.execute(_of(page).order_by(*_present_first(page)))
        return tuple(map(_vulnerability, rows))

    async def number_seen_by(self, campaign_id: UUID) -> int:
        """Each once."""
        mine = select(func.count(sightings.c.vulnerability_id.distinct())).where(sightings.c.campaign_id == campaign_id)
        return (await self._connection.execute(mine)).scalar_one()

    async def sightings(self, ids: Sequence[UUID], most: int) -> Sequence[Sighting]:
        """In one statement."""
        rows = await self._connection.execute(_SIGHTINGS, {"ids": list(ids), "most": most})
        return [
            Sighting(
                vulnerability_id=row.vulnerability_id,
                scan_id=row.scan_id,
                campaign_id=row.campaign_id,
                observation_id=row.observation_id,
                tool=row.tool,
                tool_version=row.tool_version,
                scan_state=ScanState(row.scan_state),
                seen_at=row.seen_at,
                rule=row.rule,
                title=row.title,
                severity=Severity(row.severity),
                confidence=row.confidence,
            )
            for row in rows
        ]

    async def causes(self, query: Query) -> Causes:
        """See `causes`."""
        return await causes.heaviest(self._connection, query)

    async def ids(self, after: UUID | None, limit: int) -> Sequence[UUID]:
        """By the primary key."""
        statement = select(vulnerabilities.c.id).order_by(vulnerabilities.c.id).limit(limit)
        if after is not None:
            statement = statement.where(vulnerabilities.c.id > after)
        return (await self._connection.execute(statement)).scalars().all()

    async def vulnerability(self, row_id: UUID) -> Vulnerability:
        """One."""
        one = _WHOLE.select_from(vulnerabilities.join(_TOLD, _EACH)).where(vulnerabilities.c.id == row_id)
        row = (await self._connection.execute(one)).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no vulnerability {row_id}", value=row_id, remedy="list those that exist")
        return _vulnerability(row)

    async def present(self, campaign_id: UUID | None = None) -> Mapping[str, int]:
        """By severity."""
        statement = merging.PRESENT_OF if campaign_id else merging.PRESENT_OF_ALL
        rows = await self._connection.execute(statement, {"campaign": campaign_id} if campaign_id else {})
        return {str(row[0]): row[1] for row in rows}

    async def sum_up(self) -> None:
        """In one statement."""
        await self._connection.execute(merging.SUM_UP, {"most": _LINES})

    async def of_targets(self, target_ids: Sequence[UUID]) -> tuple[Weight, ...]:
        """What they are alike in."""
        statement = select(vulnerabilities.c.id).where(vulnerabilities.c.target_id == func.any(list(target_ids)))
        return await self.weights((await self._connection.execute(statement)).scalars().all(), lock=True)

    async def weights(self, ids: Sequence[UUID], *, lock: bool = False) -> tuple[Weight, ...]:
        """Likewise; the locks are those of an analysis."""
        if not ids:
            return ()
        if lock:
            await self._connection.execute(merging.LOCK_SEVERAL, {"ids": list(ids)})
        return await self._weights(merging.WEIGHTS, ids=list(ids))

    async def _weights(self, statement: TextClause, **values: Any) -> tuple[Weight, ...]:
        rows = await self._connection.execute(statement, values)
        return tuple(
            Weight(
                target_id=row.target_id,
                severity=Severity(row.severity),
                tools=row.tools,
                confidence=row.confidence,
                risk=row.risk,
                parts=tuple(Part(*part) for part in row.risk_parts),
                ids=tuple(row.ids),
                cve=tuple(row.cve),
                cvss_vector=row.cvss_vector,
                cvss_score=row.cvss_score,
            )
            for row in rows
        )

    async def set_risks(self, risks: Sequence[tuple[Sequence[UUID], Risk]]) -> None:
        """Each risk is told once, however many have it."""
        if risks:
            told = [
                {"n": n, "score": risk.score, "parts": [*map(_told, risk.parts)]} for n, (_, risk) in enumerate(risks)
            ]
            which = [n for n, (ids, _) in enumerate(risks) for _ in ids]
            values = {"ids": [each for ids, _ in risks for each in ids], "which": which, "risks": json.dumps(told)}
            await self._connection.execute(merging.SET_RISKS, values)


def _told(part: Part) -> tuple[str, int, str]:
    return part.name, part.points, part.detail


def _of(page: FromClause) -> Select[Any]:
    """Those whose ids a page has, whole."""
    rows = page.join(vulnerabilities, vulnerabilities.c.id == page.c.id)
    return _WHOLE.select_from(rows.join(_TOLD, _EACH))


def _present_first(rows: FromClause) -> tuple[ColumnElement[Any], ...]:
    return rows.c.state.in_(PRESENT_STATES).desc(), rows.c.risk.desc(), rows.c.id.desc()


def _vulnerability(row: Row[Any]) -> Vulnerability:
    stored = dict(zip(_NAMES, row, strict=False))  # by place: a name costs more to look up than all the rest
    return Vulnerability(
        **stored,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        tools=tuple(row.tools or ()),
        observation_ids=_telling(row.standings or (), row.observation_ids or ()),
    )


def _telling(standings: Sequence[UUID], newest: Sequence[UUID]) -> tuple[UUID, ...]:
    """The newest observation of each different telling, the best told first; then others, the newest first."""
    different: dict[UUID, UUID] = {}
    others = []
    for standing, observation in zip(standings, newest, strict=True):
        if different.setdefault(standing, observation) != observation:
            others.append(observation)
    told = [observation for _, observation in sorted(list(different.items())[:_RECENT])]
    return (*told, *others)[:_RECENT]
