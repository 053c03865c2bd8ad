"""Purple's own processes on real servers, with made tools beside the real ones: fixtures of several folders."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from bench.house import answers
from purple.bootstrap import Container
from purple.contracts.campaigns import CampaignInput
from purple.domain.campaigns import Campaign, Scan
from purple.domain.errors import ConflictError
from purple.domain.identity import Actor
from purple.domain.pages import MAX_LIMIT, Query
from purple.domain.tools import Intrusiveness
from purple.domain.vulnerabilities import Vulnerability
from purple.services.identity import FIRST_ORGANISATION
from purple.settings import Settings
from tests.support.commands import Commands

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests/support"
STEPS = ("control", "analysis", "ai", "report", "notify")
TOOLS = ("recon", "scan")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer; an assertion where there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


@pytest.fixture(scope="session")
def environment(servers, tmp_path_factory) -> dict[str, str]:
    """What every process of Purple is told."""
    home = tmp_path_factory.mktemp("home")
    port = free_port()
    told = servers.environment | {
        "PURPLE_STACK__HOME": str(home),
        "PURPLE_TOOLS__EXTRA": json.dumps([str(SUPPORT / "tools")]),
        "PURPLE_PROFILES__EXTRA": json.dumps([str(SUPPORT / "profiles")]),
        "PURPLE_TOOLS__UNDO_ATTEMPTS": "3",
        "PURPLE_TOOLS__ISOLATION": "none",  # made tools write down their process ids, outside their work folder
        "PURPLE_TOOLS__REPOSITORIES": json.dumps([str(home / "repositories")]),
        "PURPLE_IDENTITY__ACTOR_KEY": "a key of the tests, which protects nothing",
        "PURPLE_API__PORT": str(port),
        "PURPLE_API__URL": f"http://127.0.0.1:{port}",
    }
    os.environ.update(told)
    return told


@pytest.fixture(scope="session")
async def container(environment) -> AsyncIterator[Container]:
    made = Container(Settings(_env_file=None))
    await made.renderer.prepare(fetch=True)  # as the stack does, so that what tests start need not
    await made.identity.first_token()
    yield made
    await made.close()


@contextmanager
def process(environment: dict[str, str], *arguments: str, **extra: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours that says when it is ready; ended with the block."""
    ready = Path(environment["PURPLE_STACK__HOME"]) / f"ready-{uuid4()}"
    log = ready.with_suffix(".log").open("wb")
    started = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=environment["PURPLE_STACK__HOME"],
        env=os.environ | environment | {"PURPLE_READY_FILE": str(ready)} | extra,
        stdout=log,
        stderr=log,
    )
    try:
        if arguments[0] == "workers":
            wait_until(lambda: ready.exists() or started.poll() is not None, 60, f"{arguments} ready")
            assert started.poll() is None, ready.with_suffix(".log").read_text()
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        log.close()


@contextmanager
def together(*processes: AbstractContextManager[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Several that start at once, and end with the block."""
    with ExitStack() as stack, ThreadPoolExecutor(len(processes)) as pool:
        starting = [(each, pool.submit(each.__enter__)) for each in processes]
        for each, start in starting:
            if start.exception() is None:
                stack.push(each)
        for _, start in starting:
            start.result()
        yield


@pytest.fixture(scope="session")
def workers(environment, container) -> Iterator[None]:
    """All steps, one tool worker, the relay."""
    steps, tools = process(environment, "workers", *STEPS), process(environment, "workers", *TOOLS)
    with together(steps, tools, process(environment, "workers", "relay")):
        yield


@pytest.fixture(scope="session")
def api(environment, container) -> Iterator[str]:
    """The facade's URL."""
    url = environment["PURPLE_API__URL"]
    with process(environment, "api"):
        wait_until(lambda: answers(f"{url}/health"), 60, "API")
        yield url


@pytest.fixture
async def token(container) -> str:
    """The administrator's."""
    return str(await container.identity.first_token())


def asking(api: str, token: str) -> httpx.AsyncClient:
    """Asks version 1 of the API."""
    return httpx.AsyncClient(base_url=f"{api}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60)


@pytest.fixture
async def client(api, token) -> AsyncIterator[httpx.AsyncClient]:
    """Asks as the administrator."""
    async with asking(api, token) as made:
        yield made


@dataclass
class Purple:
    """What tests do to a running Purple."""

    container: Container
    organisation: UUID = FIRST_ORGANISATION

    async def authorisation(self, *include: str, **changes: Any) -> UUID:
        fields: dict[str, Any] = {
            "name": "test",
            "signed_by": "test",
            "include": include or ("127.0.0.0/8",),
            "valid_until": self.container.clock.now() + timedelta(hours=1),
            "max_intrusiveness": Intrusiveness.INTRUSIVE,
        }
        return (await self.container.authorisations.create(self.organisation, **fields | changes)).id

    async def told(self) -> None:
        """Wait until every event that was written before has its position."""
        import asyncio

        from purple.services.events import event

        mark = event(self.organisation, "made.mark", uuid4(), self.container.clock.now())
        async with self.container.work(self.organisation) as uow:
            await uow.events.add(mark)
        async with asyncio.timeout(120):
            while True:
                async with self.container.work(self.organisation) as uow:
                    if (await uow.events.written([mark.id]))[0].position is not None:
                        return
                await asyncio.sleep(0.05)

    async def start(self, target: str, profile: str = "made", **options: dict[str, Any]) -> Campaign:
        registered = await self.container.targets.ensure(self.organisation, target)
        wanted = CampaignInput(
            organisation_id=self.organisation,
            name=f"test {target}",
            profile=profile,
            target_ids=(registered.id,),
            authorisation_id=await self.authorisation(),
            options=options,
        )
        return await self.container.campaigns.start(wanted)

    async def end(self, campaign: Campaign, seconds: float = 120) -> Campaign:
        import asyncio

        async with asyncio.timeout(seconds):
            while not (campaign := await self.container.campaigns.get(self.organisation, campaign.id)).state.ended:
                await asyncio.sleep(0.1)
        return campaign

    async def retry(self, campaign: Campaign) -> Campaign:
        """Have what failed in a campaign run again, once its workflow has closed behind its last step."""
        import asyncio

        admin = Actor(uuid4(), self.organisation, "admin")
        async with asyncio.timeout(60):
            while True:
                try:
                    return await self.container.steering.retry_failed(self.organisation, campaign.id, admin)
                except ConflictError as refused:
                    if "about to end" not in refused.detail:
                        raise
                    await asyncio.sleep(0.1)

    async def run(self, target: str, profile: str = "made", **options: dict[str, Any]) -> Campaign:
        return await self.end(await self.start(target, profile, **options))

    async def scans(self, campaign: Campaign) -> tuple[Scan, ...]:
        query = Query({"campaign_id": campaign.id}, limit=MAX_LIMIT)
        return (await self.container.campaigns.scans(self.organisation, query)).items

    async def scan(self, campaign: Campaign) -> Scan:
        (only,) = await self.scans(campaign)
        return only

    async def vulnerabilities(self, target: str) -> tuple[Vulnerability, ...]:
        registered = await self.container.targets.ensure(self.organisation, target)
        query = Query({"target_id": registered.id}, limit=MAX_LIMIT)
        return (await self.container.findings.vulnerabilities(self.organisation, query)).items


@pytest.fixture
def purple(container, workers) -> Purple:
    return Purple(container)


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    """What becomes the command line."""
    made = Commands()
    yield made
    made.close()


@pytest.fixture
def purple_command(environment, workers, commands) -> Command:
    """The command line, in a process of its own."""

    def run(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return commands.run(arguments, os.environ | environment | extra)

    return run


@pytest.fixture
def purple_started(environment, workers) -> Command:
    """The same, started as people start it."""

    def run(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            env=os.environ | environment | extra,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
