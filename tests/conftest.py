"""Real servers, started once a run and ended with it."""

import os
import sys
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from purple.db.engine import open_engine
from purple.db.migrate import upgrade
from purple.db.outbox import libpq_url
from purple.stack.servers import Servers, running_servers

pytest_plugins = ["tests.support.running"]

EXIT = pytest.StashKey[int]()
SHARING = {"browser", "gates", "outages"}


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL, Temporal, Elasticsearch and Redis."""
    with running_servers(None, {"postgres", "temporal", "elasticsearch", "valkey"}) as started:
        assert not started.absent, started.absent
        upgrade(started.owner_url)
        yield started


@pytest.fixture(scope="session")
async def engine(servers: Servers) -> AsyncIterator[AsyncEngine]:
    """The application's role."""
    opened = open_engine(servers.database_url)
    yield opened
    await opened.dispose()


@pytest.fixture
def admin(servers: Servers) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The superuser, to look behind row-level security."""
    with psycopg.connect(libpq_url(servers.admin_url), autocommit=True) as connection:
        yield connection


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run side by side, those of a file stay together, and those of a folder with servers of its own."""
    for item in items:
        folder = item.path.parent.name
        group = folder if folder in SHARING else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how it went."""
    session.config.stash[EXIT] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End at once: a process that used Temporal's client can abort while Python ends."""
    sys.stdout.flush()
    sys.stderr.flush()
    if EXIT in config.stash:
        os._exit(config.stash[EXIT])
