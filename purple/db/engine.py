"""Connections to PostgreSQL, one engine a role."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import orjson
import psycopg
from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from purple.domain.errors import DiskFullError, UnavailableError

CONNECT_S = 5
"""For a server that accepts connections and says nothing."""


def psycopg_url(url: str) -> URL:
    """A URL that names the driver we use, whichever PostgreSQL URL was given."""
    return make_url(url).set(drivername="postgresql+psycopg")


def open_engine(url: str, *, pool_size: int = 10, asks: bool = False, units: bool = False) -> AsyncEngine:
    """An engine; where it asks, it notices a restarted server before it hands out a connection.

    One for units of work neither asks nor begins a transaction by itself: they do both at once. A connection that was
    opened stays: to open one takes PostgreSQL and us longer than most transactions. The last one used comes first, for
    it knows the statements.
    """
    return create_async_engine(
        psycopg_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,
        pool_pre_ping=asks,
        pool_timeout=10,
        json_deserializer=orjson.loads,
        **({"isolation_level": "AUTOCOMMIT"} if units else {}),
        connect_args={"connect_timeout": CONNECT_S},
    )


async def driver_of(connection: AsyncConnection) -> psycopg.AsyncConnection:
    """What speaks to PostgreSQL itself, for what SQLAlchemy has no words for or takes more turns to say."""
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, psycopg.AsyncConnection):
        raise TypeError("connections are psycopg's")
    return driver


@contextmanager
def away() -> Iterator[None]:
    """Tell a server that is away, goes away or comes back only now from one that refuses what it was asked.

    COPY speaks to the driver itself, so its errors come as the driver's own.

    Raises:
        UnavailableError: PostgreSQL is away.
        DiskFullError: it has no room for what was to be written.
    """
    try:
        yield
    except (OperationalError, PoolTimeoutError, psycopg.OperationalError) as error:
        raise _unavailable(error) from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise _unavailable(error) from error


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction of no organisation, as the relay's role has them.

    Raises, from the block: what `away` does.
    """
    with away():
        async with engine.begin() as connection:
            yield connection


def _unavailable(error: Exception) -> UnavailableError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.errors.DiskFull):
        return DiskFullError("PostgreSQL's disk is full", remedy="make room there: it goes on by itself")
    return UnavailableError("PostgreSQL is away", remedy="try again in a few seconds")
