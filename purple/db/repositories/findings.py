"""Observations in bulk, vulnerabilities, and the sightings between the two."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection as DriverConnection
from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import observations, sightings, vulnerabilities
from purple.db.repositories import merging
from purple.db.repositories.observed import COLUMNS, read, values
from purple.db.repositories.rows import bad_cursor, check_limit, decode_cursor, encode_cursor
from purple.domain.errors import NotFoundError
from purple.domain.observations import ObservationKind, RecordedObservation
from purple.domain.pages import Page, Query
from purple.domain.ports import Merged
from purple.domain.vulnerabilities import Vulnerability

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
        """In the order in which they were recorded."""
        limit = check_limit(query.limit)
        conditions = [observations.c[name] == value for name, value in query.filters.items() if value is not None]
        if query.cursor:
            (last,) = decode_cursor(query.cursor, 1)
            if not last.isdigit():
                raise bad_cursor(query.cursor)
            conditions.append(observations.c.seq > int(last))
        statement = select(*_SEEN, observations.c.seq).where(*conditions).order_by(observations.c.seq).limit(limit + 1)
        rows = list(await self._connection.execute(statement))
        more = len(rows) > limit
        return Page(tuple(read(row) for row in rows[:limit]), encode_cursor(rows[limit - 1].seq) if more else "")

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
        """Worst risk first."""
        limit = check_limit(query.limit)
        conditions = [_condition(name, value) for name, value in query.filters.items() if value is not None]
        if query.cursor:
            risk, last = decode_cursor(query.cursor, 2)
            try:
                at, after = int(risk), UUID(last)
            except ValueError:
                raise bad_cursor(query.cursor) from None
            table = vulnerabilities.c
            conditions.append(or_(table.risk < at, and_(table.risk == at, table.id > after)))
        order = (vulnerabilities.c.risk.desc(), vulnerabilities.c.id)
        rows = [
            _vulnerability(row)
            for row in await self._connection.execute(_with_sightings(*conditions).order_by(*order).limit(limit + 1))
        ]
        last_row = rows[limit - 1] if len(rows) > limit else None
        return Page(tuple(rows[:limit]), encode_cursor(last_row.risk, last_row.id) if last_row else "")

    async def vulnerability(self, row_id: UUID) -> Vulnerability:
        """One."""
        row = (await self._connection.execute(_with_sightings(vulnerabilities.c.id == row_id))).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no vulnerability {row_id}", value=row_id, remedy="list those that exist")
        return _vulnerability(row)

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


def _condition(name: str, value: Any) -> ColumnElement[bool]:
    match name:
        case "campaign_id":
            return exists().where(
                sightings.c.vulnerability_id == vulnerabilities.c.id, sightings.c.campaign_id == value
            )
        case "ids":
            return vulnerabilities.c.id.in_(value)
        case _ if isinstance(value, (list, tuple, set, frozenset)):
            return vulnerabilities.c[name].in_([str(each) for each in value])
        case _:
            same: ColumnElement[bool] = vulnerabilities.c[name] == value
            return same


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
    derived = {"tools": tuple(row.tools or ()), "observation_ids": tuple((row.observation_ids or ())[:_RECENT])}
    return Vulnerability(**{**row._mapping, **derived})  # noqa: SLF001 - SQLAlchemy's public name for it
