"""A database and a workflow server of its own, workers in this process."""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from api.app import create_app
from purple.bootstrap import Container
from purple.db.migrate import upgrade
from purple.db.outbox import libpq_url
from purple.settings import Settings
from purple.stack.servers import running_servers
from tests.support.running import STEPS, Purple
from workers.runner import build_worker

HERE = Path(__file__).parent
TOOLS_AT_ONCE = 2
BUDGET = 100
LEASE_S = 4


@pytest.fixture(scope="package")
def place() -> Iterator[Path]:
    """A folder that every user may enter."""
    made = Path(tempfile.mkdtemp(prefix="purple-gates-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="package")
def database(servers) -> Iterator[dict[str, str]]:
    """One in which no relay and no worker of other tests is at work."""
    name = "gates"

    def inside(url: str) -> str:
        return make_url(url).set(database=name).render_as_string(hide_password=False)

    with psycopg.connect(libpq_url(servers.admin_url), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE {name} OWNER "{make_url(servers.owner_url).username}"')
        upgrade(inside(servers.owner_url))
        urls = {"URL": servers.database_url, "RELAY_URL": servers.relay_url, "OWNER_URL": servers.owner_url}
        yield {f"PURPLE_DATABASE__{key}": inside(url) for key, url in urls.items()}
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="package")
def told(place, database) -> Iterator[dict[str, str]]:
    """Settings of every process."""
    tools = place / "tools"
    shutil.copytree(HERE / "tools/visitor", tools / "visitor")
    shutil.copytree(HERE / "tools/visitor", tools / "intruder")
    manifest = (tools / "visitor/tool.yaml").read_text()
    manifest = manifest.replace("name: visitor", "name: intruder").replace(
        "intrusiveness: safe", "intrusiveness: intrusive"
    )
    (tools / "intruder/tool.yaml").write_text(manifest)
    home = place / "home"
    home.mkdir(mode=0o755)
    with running_servers(place / "temporal", {"temporal"}) as servers:
        assert not servers.absent, servers.absent
        yield (
            database
            | servers.environment
            | {
                "PURPLE_STACK__HOME": str(home),
                "PURPLE_SEARCH__URL": "",
                "PURPLE_TOOLS__EXTRA": json.dumps([str(tools)]),
                "PURPLE_PROFILES__EXTRA": json.dumps([str(HERE / "profiles")]),
                "PURPLE_GATE__TOOLS_PER_TARGET": str(TOOLS_AT_ONCE),
                "PURPLE_GATE__REQUESTS_PER_SECOND": str(BUDGET),
                "PURPLE_GATE__LEASE_S": str(LEASE_S),
                "PURPLE_GATE__PROBE_EVERY_S": "0.2",
            }
        )


@pytest.fixture(scope="package")
async def house(told) -> AsyncIterator[Container]:
    """The services over them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        settings = Settings(_env_file=None)
    container = Container(settings)
    await container.identity.first_token()
    yield container
    await container.close()


@pytest.fixture
async def client(house) -> AsyncIterator[httpx.AsyncClient]:
    """The facade, without a server."""
    token = await house.identity.first_token()
    app = create_app(house.settings)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1", headers=headers) as made:
        yield made
    await app.state.container.close()


@asynccontextmanager
async def working(house: Container, *roles: str) -> AsyncIterator[None]:
    """Workers inside this process; of one queue, a client bears one."""
    async with AsyncExitStack() as stack:
        for role in roles:
            client = await house.orchestrator.connected_client()
            await stack.enter_async_context(build_worker(client, house, role))
        yield


@pytest.fixture(scope="package")
async def steps(house) -> AsyncIterator[None]:
    """Everything but tools."""
    async with working(house, *STEPS):
        yield


@pytest.fixture
def purple(house, steps) -> Purple:
    return Purple(house)


@pytest.fixture
async def tool_workers(house) -> AsyncIterator[None]:
    """Twice as many slots as a host may bear tools."""
    async with working(house, "scan", "scan"):
        yield
