"""Real servers, started once a run and ended with it."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import PurePath
from typing import Any

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from xdist.scheduler import LoadScopeScheduling

from purple.db.engine import open_engine
from purple.db.migrate import upgrade
from purple.db.outbox import libpq_url
from purple.stack.servers import Servers, running_servers
from purple.toolkit.process import Guardians

pytest_plugins = ["tests.support.running"]

os.environ.setdefault("PURPLE_STACK__ELASTICSEARCH_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
"""Servers of tests live for minutes: where busy code is not compiled once more for speed, Java takes a third less."""
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
    opened = open_engine(servers.database_url, units=True)
    yield opened
    await opened.dispose()


@pytest.fixture
def admin(servers: Servers) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The superuser, to look behind row-level security."""
    with psycopg.connect(libpq_url(servers.admin_url), autocommit=True) as connection:
        yield connection


@pytest.fixture
async def guardians() -> AsyncIterator[Guardians]:
    """What programs run under."""
    made = Guardians()
    yield made
    await made.close()


class Together(LoadScopeScheduling):
    """Tests of a file run in one process, and so do those of a folder that has servers of its own."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePath(nodeid.split("::", 1)[0])
        return file.parent.name if file.parent.name in SHARING else str(file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How tests are dealt out where several processes run them."""
    return Together(config, log)


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
