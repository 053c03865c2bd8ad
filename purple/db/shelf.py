"""Editions of what others publish: written on the relay's own role, read by everybody."""

import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from psycopg import AsyncConnection as DriverConnection
from psycopg.types.json import Jsonb
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from purple.db.engine import transaction
from purple.db.models import reference_editions, reference_facts
from purple.domain.enrichment import Brought, Dataset, Edition, Fact

LOCK = 0x70_75_72_64
"""Of the advisory lock under which revisions count up."""
_COLUMNS = [reference_editions.c[name] for name in Edition.__dataclass_fields__]

_INCOMING = """
    CREATE TEMPORARY TABLE incoming_facts (n bigint GENERATED ALWAYS AS IDENTITY, key text, fact jsonb) ON COMMIT DROP
"""
_LAST_OF_EACH = """
    DELETE FROM incoming_facts a USING incoming_facts b WHERE a.key = b.key AND a.n < b.n
"""
_ADD = text("""
    INSERT INTO reference_facts (dataset, key, fact, revision)
    SELECT :dataset, key, fact, :revision FROM incoming_facts ON CONFLICT DO NOTHING
""")
_CHANGE = text("""
    UPDATE reference_facts f SET fact = i.fact, revision = :revision
    FROM incoming_facts i
    WHERE f.dataset = :dataset AND f.key = i.key AND f.fact IS DISTINCT FROM i.fact
""")
_REMOVE = text("""
    UPDATE reference_facts f SET fact = NULL, revision = :revision
    WHERE f.dataset = :dataset AND f.fact IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM incoming_facts i WHERE i.key = f.key)
""")


class SqlShelf:
    """See `domain.enrichment.Shelf`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def editions(self) -> tuple[Edition, ...]:
        """By dataset."""
        async with transaction(self._engine) as connection:
            return await editions(connection)

    async def put(
        self,
        dataset: Dataset,
        batches: AsyncIterator[Sequence[tuple[str, Fact]]],
        finish: Callable[[int], Edition],
    ) -> Brought:
        """COPY to a temporary table, then only what differs is written."""
        async with transaction(self._engine) as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            await connection.execute(text(_INCOMING))
            await _copy(connection, batches)
            await connection.execute(text("CREATE INDEX ON incoming_facts (key)"))
            await connection.execute(text("ANALYZE incoming_facts"))
            await connection.execute(text(_LAST_OF_EACH))
            count = (await connection.execute(text("SELECT count(*) FROM incoming_facts"))).scalar_one()
            last = (await connection.execute(select(func.max(reference_editions.c.revision)))).scalar_one() or 0
            edition = replace(finish(count), revision=last + 1)
            values = {"dataset": dataset, "revision": edition.revision}
            changed = (await connection.execute(_CHANGE, values)).rowcount
            removed = (await connection.execute(_REMOVE, values)).rowcount
            added = (await connection.execute(_ADD, values)).rowcount
            row = {name: getattr(edition, name) for name in Edition.__dataclass_fields__}
            statement = upsert(reference_editions).values(row)
            await connection.execute(statement.on_conflict_do_update(index_elements=["dataset"], set_=row))
            return Brought(edition, added, changed, removed)

    async def seen(self, dataset: Dataset, at: datetime) -> Edition:
        """Its time alone."""
        mine = reference_editions.c.dataset == dataset
        statement = update(reference_editions).where(mine).values(brought_at=at).returning(*_COLUMNS)
        async with transaction(self._engine) as connection:
            return Edition(**(await connection.execute(statement)).one()._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


async def _copy(connection: AsyncConnection, batches: AsyncIterator[Sequence[tuple[str, Fact]]]) -> None:
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, DriverConnection):
        raise TypeError("facts are brought in through psycopg")
    async with driver.cursor() as cursor, cursor.copy("COPY incoming_facts (key, fact) FROM STDIN") as copy:
        async for batch in batches:
            for key, fact in batch:
                await copy.write_row((key, Jsonb(fact, dumps=json.dumps)))


async def editions(connection: AsyncConnection) -> tuple[Edition, ...]:
    """Those kept, by dataset."""
    rows = await connection.execute(select(*_COLUMNS).order_by(reference_editions.c.dataset))
    return tuple(Edition(**row._mapping) for row in rows)  # noqa: SLF001 - as above


class LibraryRows:
    """See `domain.enrichment.Library`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def editions(self) -> tuple[Edition, ...]:
        """By dataset."""
        return await editions(self._connection)

    async def facts(self, datasets: Collection[Dataset], keys: Collection[str]) -> Mapping[Dataset, Mapping[str, Fact]]:
        """By their primary key."""
        found: dict[Dataset, dict[str, Fact]] = {each: {} for each in datasets}
        if keys:
            table = reference_facts.c
            statement = select(table.dataset, table.key, table.fact).where(
                table.dataset.in_(list(datasets)), table.key == func.any(list(keys)), table.fact.is_not(None)
            )
            for row in await self._connection.execute(statement):
                found[row.dataset][row.key] = row.fact
        return found
