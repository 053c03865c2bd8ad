"""The outbox and the memory of repeated requests."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import events, feeds, idempotency_keys
from purple.domain.errors import ConflictError
from purple.domain.events import Event
from purple.domain.outbox import Feed

COLUMNS = [events.c[field.name] for field in dataclasses.fields(Event)]
CHANNEL_WRITTEN = "purple_written"
"""Told by a transaction that wrote events; the relay listens."""
CHANNEL_PLACED = "purple_placed"
"""Told by the relay when events have their position; the live streams listen."""
_WAKE = select(func.pg_notify(CHANNEL_WRITTEN, ""))
_VALUES = {column.name: bindparam(column.name, type_=column.type) for column in COLUMNS}
_WRITE_ONE = _WAKE.add_cte(upsert(events).values(_VALUES).on_conflict_do_nothing().cte("written"))
_WRITE_MANY = text("""
    INSERT INTO events (id, organisation_id, type, subject_id, at, data, campaign_id)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
        id uuid, organisation_id uuid, type text, subject_id uuid, at timestamptz, data jsonb, campaign_id uuid)
    ON CONFLICT DO NOTHING
""")
_AT_ONCE = 20_000
"""Events in one document: PostgreSQL holds no larger ones than 256 MB."""


class EventRows:
    """See `domain.outbox.Events`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, *rows: Event) -> None:
        """Write, and wake the relay on commit."""
        if not rows:
            return
        if len(rows) == 1:  # in one statement, for most changes tell of one thing
            (row,) = rows
            values = {column.name: getattr(row, column.name) for column in COLUMNS}
            await self._connection.execute(_WRITE_ONE, values)
            return
        for start in range(0, len(rows), _AT_ONCE):
            told = [
                {column.name: getattr(row, column.name) for column in COLUMNS} for row in rows[start : start + _AT_ONCE]
            ]
            await self._connection.execute(_WRITE_MANY, {"rows": json.dumps(told, default=str)})
        await self._connection.execute(_WAKE)

    async def written(self, ids: Sequence[UUID]) -> tuple[Event, ...]:
        """By id."""
        found = await self._connection.execute(select(*COLUMNS).where(events.c.id.in_(ids)))
        return tuple(Event(**row._mapping) for row in found)  # noqa: SLF001 - SQLAlchemy's public name for it

    async def after(self, position: int, limit: int) -> tuple[Event, ...]:
        """In order of position."""
        statement = select(*COLUMNS).where(events.c.position > position).order_by(events.c.position).limit(limit)
        return tuple(Event(**row._mapping) for row in await self._connection.execute(statement))  # noqa: SLF001 - SQLAlchemy's public name for it

    async def last(self) -> int:
        """The highest position."""
        highest = await self._connection.execute(select(func.coalesce(func.max(events.c.position), 0)))
        return int(highest.scalar_one())

    async def feeds(self, *names: str) -> Mapping[str, Feed]:
        """By name."""
        found = await self._connection.execute(select(feeds).where(feeds.c.name.in_(names)))
        return {row.name: Feed(row.position, row.at) for row in found}

    async def of_campaign(self, campaign_id: UUID, position: int) -> tuple[Event, ...]:
        """In order of position."""
        mine = select(*COLUMNS).where(events.c.campaign_id == campaign_id, events.c.position > position)
        found = await self._connection.execute(mine.order_by(events.c.position))
        return tuple(Event(**row._mapping) for row in found)  # noqa: SLF001 - as above

    async def milestones(self, campaign_id: UUID) -> tuple[Event, ...]:
        """In order of time; they may have no position yet."""
        mine = select(*COLUMNS).where(events.c.campaign_id == campaign_id, events.c.type.not_like("scan.%"))
        found = await self._connection.execute(mine.order_by(events.c.seq))
        return tuple(Event(**row._mapping) for row in found)  # noqa: SLF001 - as above


class IdempotencyRows:
    """See `domain.ports.Idempotency`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def find(self, key: str) -> tuple[str, UUID] | None:
        """Hash and id, or None."""
        columns = select(idempotency_keys.c.request_sha256, idempotency_keys.c.row_id)
        row = (await self._connection.execute(columns.where(idempotency_keys.c.key == key))).one_or_none()
        return None if row is None else (row.request_sha256, row.row_id)

    async def add(self, key: str, request_sha256: str, row_id: UUID) -> None:
        """Keep it."""
        values = {
            "organisation_id": self._organisation_id,
            "key": key,
            "request_sha256": request_sha256,
            "row_id": row_id,
            "created_at": datetime.now(UTC),
        }
        try:
            await self._connection.execute(insert(idempotency_keys).values(values))
        except IntegrityError as error:
            raise ConflictError("a request with this Idempotency-Key is under way", remedy="send it again") from error
