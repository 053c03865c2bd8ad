"""Observations on their way in: written down in a thread, and taken in by PostgreSQL meanwhile."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Executor
from typing import Any
from uuid import UUID

from psycopg import AsyncClientCursor
from psycopg.errors import UniqueViolation
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.engine import driver_of
from purple.db.repositories.observed import ORIGIN, OWN, line, origin
from purple.domain.errors import NotFoundError
from purple.domain.observations import FEW, RecordedObservation

_MOST = 1 << 21
"""Characters that are held at once, about: rows may come faster than PostgreSQL takes them in."""
_FIRST = 250
"""Rows of the first batch, for which PostgreSQL waits. It gets no fewer, unless there are no more."""
_MORE = 100
"""Rows that each batch has beyond the one before, at least."""
_SAVED = 50
"""Batches for which there is a point to go back to; PostgreSQL keeps track of 64 before all others pay for it."""
_SCAN = 4
"""How many of ORIGIN say whose rows they are."""
_OWN = ", ".join(OWN)
_INCOMING = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming ON COMMIT DELETE ROWS
    AS SELECT {_OWN} FROM observations WITH NO DATA
"""  # noqa: S608 - our own column names
"""Of the connection, whoever uses it next: making one takes as long as a hundred rows."""
_COPY = f"COPY incoming ({_OWN}) FROM STDIN"
_OF_SCAN = "SELECT 1 FROM scans WHERE (organisation_id, campaign_id, id, target_id) = (%s, %s, %s, %s) FOR KEY SHARE"
"""The scan is asked for once a batch, not for each row as a foreign key would."""
_INSERT = f"""
    INSERT INTO observations ({", ".join(ORIGIN)}, {_OWN})
    SELECT {", ".join(["%s"] * len(ORIGIN))}, {_OWN} FROM incoming
"""  # noqa: S608 - the same
_NEW = f"{_OF_SCAN}; SAVEPOINT before; {_INSERT}; RELEASE SAVEPOINT before"
_PERHAPS_KNOWN = f"{_OF_SCAN}; {_INSERT} ON CONFLICT DO NOTHING"
_Ready = list[tuple[tuple[object, ...], bytes]]
"""What the rows of each scan share, and their lines."""


async def take_in(connection: AsyncConnection, rows: Iterator[RecordedObservation], threads: Executor | None) -> int:
    """By COPY to a temporary table (row-level security refuses COPY itself), then INSERT; how many are new.

    They are taken for new until one is not: to look for each before it is written is a tenth of PostgreSQL's work.
    """
    driver = await driver_of(connection)
    added = number = 0
    new = True
    async with contextlib.aclosing(_ahead(rows, threads)) as batches, AsyncClientCursor(driver) as cursor:
        async for batch in batches:
            for shared, own in batch:
                # most runs of most tools see nothing, and most others have one batch
                await cursor.execute("TRUNCATE incoming" if number else _INCOMING)
                async with cursor.copy(_COPY) as copy:
                    await copy.write(own)
                number += 1
                if new := new and number <= _SAVED:
                    try:
                        added += await _insert(cursor, _NEW, shared)
                    except UniqueViolation:
                        await cursor.execute("ROLLBACK TO SAVEPOINT before")
                        new = False
                if not new:
                    added += await _insert(cursor, _PERHAPS_KNOWN, shared)
    return added


async def _insert(cursor: AsyncClientCursor[Any], statements: str, shared: tuple[object, ...]) -> int:
    scan = shared[:_SCAN]
    await cursor.execute(statements, (*scan, *shared))
    if not cursor.rowcount:
        raise NotFoundError("there is no such scan of that campaign and target", value=scan)
    added = 0
    while cursor.nextset():
        if (cursor.statusmessage or "").startswith("INSERT"):
            added = cursor.rowcount
    return added


async def _ahead(rows: Iterator[RecordedObservation], threads: Executor | None) -> AsyncGenerator[_Ready]:
    """Batches, each made while the one before is taken in: as many rows as are read in that time."""
    loop = asyncio.get_running_loop()
    wanted, least = threading.Event(), _FIRST
    coming = loop.run_in_executor(threads, _written, rows, wanted, least)
    try:
        while True:
            wanted.set()
            if not (present := await coming):
                return
            wanted, least = threading.Event(), least + _MORE
            coming = loop.run_in_executor(threads, _written, rows, wanted, least)
            yield present
    finally:
        wanted.set()
        if not coming.cancel() and not coming.cancelled():
            coming.exception()  # what is raised here already is told


def _written(rows: Iterator[RecordedObservation], wanted: threading.Event, least: int) -> _Ready:
    """The next rows, by their scans; few at a time are made and then written down, as they are in the cache still."""
    scans: dict[UUID, tuple[tuple[object, ...], list[str]]] = {}
    number = size = 0
    while size < _MOST and not (number >= least and wanted.is_set()):
        few = list(itertools.islice(rows, FEW))
        for row in few:
            if (mine := scans.get(row.scan_id)) is None:
                mine = scans[row.scan_id] = (origin(row), [])
            mine[1].append(text := line(row))
            size += len(text)
        number += len(few)
        if len(few) < FEW:
            break
    return [(shared, "".join(lines).encode()) for shared, lines in scans.values()]
