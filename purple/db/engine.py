"""Connections to PostgreSQL, one engine a role."""

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def psycopg_url(url: str) -> URL:
    """A URL that names the driver we use, whichever PostgreSQL URL was given."""
    return make_url(url).set(drivername="postgresql+psycopg")


def open_engine(url: str, *, pool_size: int = 5) -> AsyncEngine:
    """An engine that notices a restarted server before it hands out a connection."""
    return create_async_engine(
        psycopg_url(url), pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, pool_timeout=10
    )
