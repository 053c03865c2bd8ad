"""The relay's side of the outbox, on the relay's own role."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
import psycopg.sql
from sqlalchemy import ColumnElement, Function, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from purple.db.engine import CONNECT_S, away, transaction
from purple.db.models import authorisations, campaigns, events, feeds, schedules, undos
from purple.db.models.findings import PRESENT
from purple.db.repositories.events import CHANNEL_PLACED, CHANNEL_WRITTEN, COLUMNS
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.events import Event
from purple.domain.outbox import PLACED
from purple.domain.risk import ENRICHED
from purple.domain.schedules import Schedule, ScheduleState
from purple.domain.undos import UndoState

LEADER = 0x70_75_72_70
"""Key of the advisory lock."""
_LEADS = func.pg_try_advisory_lock(LEADER), func.pg_advisory_unlock(LEADER)

_PLACE = text("""
    WITH waiting AS (
        SELECT id, row_number() OVER (ORDER BY seq) AS n FROM (
            SELECT id, seq FROM events WHERE position IS NULL ORDER BY seq LIMIT :limit
        ) AS oldest
    )
    UPDATE events SET position = (SELECT coalesce(max(position), 0) FROM events) + waiting.n
    FROM waiting WHERE events.id = waiting.id
""")


_LAPSED = text(f"""
    SELECT organisation_id FROM vulnerabilities WHERE state = 'risk_accepted' AND accepted_until <= :now
    UNION SELECT organisation_id FROM vulnerabilities
    WHERE overdue_at IS NULL AND state IN ({PRESENT}) AND due_at <= :now
""")  # noqa: S608 - our own words


_UNWEIGHED = text("""
    WITH newest AS (
        SELECT coalesce(max(revision), 0) AS revision FROM reference_editions WHERE dataset = ANY(:datasets)
    )
    SELECT o.id FROM newest CROSS JOIN organisations o LEFT JOIN risk_rules r ON r.organisation_id = o.id
    WHERE coalesce(r.weighed_revision, 0) < newest.revision
       OR r.weighed_version <> r.version OR r.weighed_model <> :model
    ORDER BY o.id
""")


_UNSCORED = text("""
    SELECT o.id FROM organisations o LEFT JOIN false_positive_rules r ON r.organisation_id = o.id
    LEFT JOIN (SELECT organisation_id, max(version) AS newest FROM false_positive_models GROUP BY organisation_id) AS m
        ON m.organisation_id = o.id
    WHERE r.organisation_id IS NULL OR r.scored_release <> :release OR r.scored_version <> r.version
       OR r.scored_model <> coalesce(m.newest, 0)
    ORDER BY o.id
""")


LOOK_S = 5.0
"""How often a relay that has nothing to place says that it is there."""
_LOOKED = text(f"""
    INSERT INTO feeds (name, position, at) SELECT '{PLACED}', coalesce(max(position), 0), now() FROM events
    ON CONFLICT (name) DO UPDATE SET position = excluded.position, at = excluded.at
""")  # noqa: S608 - our own words


class SqlOutbox:
    """See `domain.outbox.Outbox`."""

    def __init__(self, engine: AsyncEngine, url: str) -> None:
        """Take the relay's engine, and its URL as libpq reads it for listening."""
        self._engine = engine
        self._url = url
        self._listener: psycopg.AsyncConnection[tuple[object, ...]] | None = None
        self._leading: AsyncConnection | None = None
        self._looked = 0.0

    @asynccontextmanager
    async def lead(self) -> AsyncIterator[bool]:
        """By a lock, on whose connection it then works."""
        async with self._locked(*_LEADS) as connection:
            if connection is None:
                yield False
                return
            self._leading = connection
            try:
                yield True
            finally:
                self._leading = None

    @asynccontextmanager
    async def alone(self, task: str) -> AsyncIterator[bool]:
        """By a lock of the task's name."""
        key = (LEADER, func.hashtext(task))
        async with self._locked(func.pg_try_advisory_lock(*key), func.pg_advisory_unlock(*key)) as connection:
            yield connection is not None

    @asynccontextmanager
    async def _locked(self, lock: Function[Any], unlock: Function[Any]) -> AsyncIterator[AsyncConnection | None]:
        """A lock that PostgreSQL frees when our connection goes, however we end; None where another has it."""
        with away():
            async with self._engine.connect() as connection:
                locked = bool((await connection.execute(select(lock))).scalar_one())
                await connection.commit()
                if not locked:
                    yield None
                    return
                try:
                    yield connection
                finally:
                    if not connection.invalidated:
                        await connection.execute(select(unlock))

    async def place(self, limit: int) -> int:
        """Number committed events; a sequence alone commits out of order.

        A leader does it on the connection that holds the lock: one whose lock is gone numbers nothing more.
        """
        leading = self._leading
        with away():
            async with self._engine.begin() if leading is None else _begun(leading) as connection:
                placed = (await connection.execute(_PLACE, {"limit": limit})).rowcount
                if placed:
                    await connection.execute(select(func.pg_notify(CHANNEL_PLACED, "")))
                if placed or time.monotonic() - self._looked > LOOK_S:
                    await connection.execute(_LOOKED)
                    self._looked = time.monotonic()
                return placed

    async def after(self, position: int, limit: int, kind: str = "") -> tuple[Event, ...]:
        """In order."""
        statement = select(*COLUMNS).where(events.c.position > position).order_by(events.c.position).limit(limit)
        if kind:
            statement = statement.where(events.c.type == kind)
        async with transaction(self._engine) as connection:
            return tuple(Event(**row._mapping) for row in await connection.execute(statement))  # noqa: SLF001 - SQLAlchemy's public name for it

    async def feed(self, name: str) -> int:
        """Its position."""
        async with transaction(self._engine) as connection:
            statement = select(feeds.c.position).where(feeds.c.name == name)
            return (await connection.execute(statement)).scalar_one_or_none() or 0

    async def advance(self, name: str, position: int) -> None:
        """Keep its position."""
        moved = {"position": position, "at": func.now()}
        statement = upsert(feeds).values(name=name, **moved)
        statement = statement.on_conflict_do_update(index_elements=["name"], set_=moved)
        async with transaction(self._engine) as connection:
            await connection.execute(statement)

    async def organisations(self) -> tuple[UUID, ...]:
        """In the order of their ids."""
        async with transaction(self._engine) as connection:
            return tuple((await connection.execute(text("SELECT id FROM organisations ORDER BY id"))).scalars())

    async def lost_starts(self, older_than: datetime) -> tuple[Campaign, ...]:
        """Whose workflow the server may never have been told of."""
        return await self._campaigns(campaigns.c.state == CampaignState.PENDING, campaigns.c.created_at < older_than)

    async def left_undone(self) -> tuple[Campaign, ...]:
        """Whose clean-up is under way, or was lost."""
        mine = undos.c.campaign_id == campaigns.c.id
        return await self._campaigns(select(undos.c.campaign_id).where(mine, undos.c.state == UndoState.OPEN).exists())

    async def silent(self, since: datetime, most: int) -> tuple[Campaign, ...]:
        """Whose workflow may have been ended from outside."""
        heard = select(events.c.id).where(events.c.campaign_id == campaigns.c.id, events.c.at >= since).exists()
        live = [state for state in CampaignState if not state.ended and state is not CampaignState.PENDING]
        return await self._campaigns(campaigns.c.state.in_(live), ~heard, most=most)

    async def lost_revocations(self, older_than: datetime) -> tuple[Campaign, ...]:
        """Whose workflow may never have been told that it must stop."""
        revoked = select(authorisations.c.id).where(authorisations.c.revoked_at < older_than)
        live = [state for state in CampaignState if not state.ended]
        return await self._campaigns(campaigns.c.state.in_(live), campaigns.c.authorisation_id.in_(revoked))

    async def _campaigns(self, *conditions: ColumnElement[bool], most: int | None = None) -> tuple[Campaign, ...]:
        """All of them, or some, drawn by lot."""
        wanted = select(*(campaigns.c[name] for name in Campaign.__dataclass_fields__)).where(*conditions)
        if most is not None:
            wanted = wanted.order_by(func.random()).limit(most)
        async with transaction(self._engine) as connection:
            rows = await connection.execute(wanted)
            return tuple(Campaign(**row._mapping) for row in rows)  # noqa: SLF001 - as above

    async def schedules(self) -> tuple[Schedule, ...]:
        """Of every organisation."""
        columns = [schedules.c[name] for name in Schedule.__dataclass_fields__]
        statement = select(*columns).where(
            (schedules.c.state != ScheduleState.DELETED) | (schedules.c.told_version < schedules.c.version)
        )
        async with transaction(self._engine) as connection:
            return tuple(Schedule(**row._mapping) for row in await connection.execute(statement))  # noqa: SLF001 - as above

    async def lapsed(self, now: datetime) -> tuple[UUID, ...]:
        """By what the partial indexes find."""
        async with transaction(self._engine) as connection:
            return tuple((await connection.execute(_LAPSED, {"now": now})).scalars())

    async def unweighed(self, model: int) -> tuple[UUID, ...]:
        """By the few rows that say how far each is."""
        values = {"model": model, "datasets": [str(each) for each in ENRICHED]}
        async with transaction(self._engine) as connection:
            return tuple((await connection.execute(_UNWEIGHED, values)).scalars())

    async def unscored(self, release: int) -> tuple[UUID, ...]:
        """By the few rows that say how far each is."""
        async with transaction(self._engine) as connection:
            return tuple((await connection.execute(_UNSCORED, {"release": release})).scalars())

    async def keep_months(self, first: date, present: date) -> None:
        """By a function that has the owner's rights."""
        values = {"first": first, "present": present}
        async with transaction(self._engine) as connection:
            await connection.execute(text("SELECT purple_keep_months(:first, :present)"), values)

    async def wait(self, timeout_s: float) -> None:
        """LISTEN on a connection of its own; where that is lost, the time-out alone paces us."""
        try:
            if self._listener is None or self._listener.closed:
                self._listener = await listen(self._url, CHANNEL_WRITTEN)
            async for _ in self._listener.notifies(timeout=timeout_s, stop_after=1):
                return
        except psycopg.OperationalError:
            self._listener = None
            await asyncio.sleep(timeout_s)

    async def close(self) -> None:
        """Let the listening connection go."""
        if self._listener is not None:
            await self._listener.close()


@asynccontextmanager
async def _begun(connection: AsyncConnection) -> AsyncIterator[AsyncConnection]:
    """A transaction on a connection that stays open."""
    async with connection.begin():
        yield connection


async def listen(url: str, channel: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    """A connection that hears a channel."""
    connection = await psycopg.AsyncConnection.connect(libpq_url(url), autocommit=True, connect_timeout=CONNECT_S)
    await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
    return connection


def libpq_url(url: str) -> str:
    """The URL without SQLAlchemy's driver name."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


class PlacedSignal:
    """Tells the live streams of this process that events were placed. One connection, many readers."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._changed = asyncio.Condition()
        self._count = 0

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is opened again, and the readers look in between."""
        while True:
            try:
                async with await listen(self._url, CHANNEL_PLACED) as connection:
                    await self._tell()
                    async for _ in connection.notifies():
                        await self._tell()
            except psycopg.OperationalError:
                await self._tell()
                await asyncio.sleep(1)

    async def _tell(self) -> None:
        async with self._changed:
            self._count += 1
            self._changed.notify_all()

    async def wait(self, timeout_s: float) -> None:
        """Return at the next signal, or after the time."""
        async with self._changed:
            before = self._count
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait_for(lambda: self._count != before)
            except TimeoutError:
                return


__all__ = ["PlacedSignal", "SqlOutbox", "libpq_url", "listen"]
