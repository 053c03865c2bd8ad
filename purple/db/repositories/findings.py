"""Observations in bulk, vulnerabilities, and the sightings between the two."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection as DriverConnection
from sqlalchemy import ColumnElement, Row, Select, func, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import observations, sightings, vulnerabilities
from purple.db.repositories import merging
from purple.db.repositories.listings import OBSERVATIONS, VULNERABILITIES
from purple.db.repositories.observed import COLUMNS, read, values
from purple.domain.errors import NotFoundError
from purple.domain.observations import ObservationKind, RecordedObservation
from purple.domain.pages import Page, Query
from purple.domain.ports import Merged
from purple.domain.vulnerabilities import Vulnerability, VulnerabilityState

_NAMES = ", ".join(COLUMNS)
_RECENT = 10
_STORED = [column for column in vulnerabilities.c if column.name in Vulnerability.__dataclass_fields__]
_SEEN = [observations.c[name] for name in COLUMNS]

_SET_RISK = text("""
    UPDATE vulnerabilities v
    SET risk = new.risk, risk_reasons = ARRAY(SELECT jsonb_array_elements_text(new.reasons))
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new(id uuid, risk int, reasons jsonb)
    WHERE v.id = new.id
      AND (v.risk <> new.risk OR v.risk_reasons <> ARRAY(SELECT jsonb_array_elements_text(new.reasons)))
""")

_FIND_TEXT = text("""
    SELECT id FROM vulnerabilities
    WHERE purple_words(title, description, host, url, weakness, cve) @@ websearch_to_tsquery('simple', :words)
    ORDER BY risk DESC, id LIMIT :limit
""")


class FindingRows:
    """See `domain.ports.Findings`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def record(self, batches: AsyncIterator[Sequence[RecordedObservation]]) -> int:
        """COPY to a temporary table (row-level security refuses COPY itself), then INSERT what is new."""
        raw = await self._connection.get_raw_connection()
        driver = raw.driver_connection
        if not isinstance(driver, DriverConnection):
            raise TypeError("observations are recorded through psycopg")
        await driver.execute(
            f"CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {_NAMES} FROM observations WITH NO DATA"  # noqa: S608 - our own column names
        )
        async with driver.cursor() as cursor, cursor.copy(f"COPY incoming ({_NAMES}) FROM STDIN") as copy:
            async for batch in batches:
                for row in batch:
                    await copy.write_row(values(row))
        added = await driver.execute(
            f"INSERT INTO observations ({_NAMES}) SELECT {_NAMES} FROM incoming ON CONFLICT DO NOTHING"  # noqa: S608 - the same
        )
        await driver.execute("DROP TABLE incoming")
        return added.rowcount

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

    async def services(self, campaign_id: UUID) -> tuple[RecordedObservation, ...]:
        """Listening services."""
        statement = select(*_SEEN).where(
            observations.c.campaign_id == campaign_id, observations.c.kind == ObservationKind.SERVICE.value
        )
        rows = await self._connection.execute(statement.order_by(observations.c.seq))
        return tuple(read(row) for row in rows)

    async def merge(self, campaign_id: UUID) -> Merged:
        """See `merging`."""
        campaign = {"campaign": campaign_id}
        found = (await self._connection.execute(merging.ADD_VULNERABILITIES, campaign)).scalars().all()
        seen = (await self._connection.execute(merging.ADD_SIGHTINGS, campaign)).scalars().all()
        reopened = (await self._connection.execute(merging.REOPEN, {"seen": list(seen)})).scalars().all()
        await self._connection.execute(merging.RAISE_SEVERITY, campaign)
        fixed = (await self._connection.execute(merging.CLOSE, campaign)).scalars().all()
        return Merged(tuple(found), tuple(reopened), tuple(fixed), len(seen))

    async def vulnerabilities(self, query: Query) -> Page[Vulnerability]:
        """Worst risk first, by default."""
        rows = (await self._connection.execute(VULNERABILITIES.page(_with_sightings(), query))).all()
        return Page(tuple(map(_vulnerability, rows[: query.limit])), VULNERABILITIES.cursor(rows, query))

    async def vulnerability(self, row_id: UUID) -> Vulnerability:
        """One."""
        row = (await self._connection.execute(_with_sightings(vulnerabilities.c.id == row_id))).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no vulnerability {row_id}", value=row_id, remedy="list those that exist")
        return _vulnerability(row)

    async def present(self) -> Mapping[str, int]:
        """By severity."""
        states = [state.value for state in VulnerabilityState if state.counts]
        statement = (
            select(vulnerabilities.c.severity, func.count())
            .where(vulnerabilities.c.state.in_(states))
            .group_by(vulnerabilities.c.severity)
        )
        return {str(row[0]): row[1] for row in await self._connection.execute(statement)}

    async def confidence(self, vulnerability_ids: Sequence[UUID]) -> Mapping[UUID, float]:
        """The best of each one's sightings."""
        statement = (
            select(sightings.c.vulnerability_id, func.max(observations.c.confidence))
            .join(observations, observations.c.id == sightings.c.observation_id)
            .where(sightings.c.vulnerability_id.in_(vulnerability_ids))
            .group_by(sightings.c.vulnerability_id)
        )
        return {row[0]: row[1] for row in await self._connection.execute(statement)}

    async def set_risk(self, risks: Mapping[UUID, tuple[int, tuple[str, ...]]]) -> None:
        """Where it differs."""
        rows = [{"id": str(key), "risk": score, "reasons": reasons} for key, (score, reasons) in risks.items()]
        await self._connection.execute(_SET_RISK, {"rows": json.dumps(rows)})

    async def find_text(self, words: str, limit: int) -> tuple[UUID, ...]:
        """By PostgreSQL's full text."""
        found = await self._connection.execute(_FIND_TEXT, {"words": words, "limit": limit})
        return tuple(found.scalars())


def _with_sightings(*conditions: ColumnElement[bool]) -> Select[Any]:
    newest = func.array_agg(aggregate_order_by(sightings.c.observation_id, sightings.c.seen_at.desc()))
    seen = (
        select(
            func.min(sightings.c.seen_at).label("first_seen"),
            func.max(sightings.c.seen_at).label("last_seen"),
            func.array_agg(sightings.c.tool.distinct()).label("tools"),
            newest.label("observation_ids"),
        )
        .where(sightings.c.vulnerability_id == vulnerabilities.c.id)
        .lateral("seen")
    )
    joined = vulnerabilities.join(seen, text("true"))
    return select(*_STORED, *seen.c).select_from(joined).where(*conditions)


def _vulnerability(row: Row[Any]) -> Vulnerability:
    stored = {column.name: getattr(row, column.name) for column in _STORED}
    return Vulnerability(
        **stored,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        tools=tuple(row.tools or ()),
        observation_ids=tuple((row.observation_ids or ())[:_RECENT]),
    )
