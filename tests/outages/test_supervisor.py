"""The stack's supervisor is killed while a campaign runs; the stack is started again and the campaign goes on."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen

import httpx
import pytest

from bench.trials.facade import PATIENCE_S
from bench.trials.house import inbox, notifying
from purple.settings.paths import default_cache
from purple.stack.catalogue import APPLICATION, SERVERS
from purple.stack.launcher import bring_down, follow, spawn
from purple.stack.processes import ProcessId, marked
from purple.stack.servers import Servers
from purple.stack.state import StackState, read_state
from tests.outages.house import Disturbed, House
from tests.support.running import SUPPORT, wait_until

pytestmark = pytest.mark.timeout(900)

PARTS = [each for each in (*SERVERS, *APPLICATION) if each not in {"elasticsearch", "tools"}]


@pytest.fixture
def home(place) -> Iterator[Path]:
    made = place / "stack"
    made.mkdir(mode=0o711)
    yield made
    bring_down(made)
    assert marked(str(made)) == []


@pytest.fixture
def up(home) -> Iterator[Callable[[dict[str, str]], StackState]]:
    """Starts a stack for data that may be lost: it ends with us, whatever happens here."""
    started: list[Popen[bytes]] = []

    def start(environment: dict[str, str]) -> StackState:
        started.append(spawn(home, default_cache(), PARTS, ephemeral=True, environment=environment))
        return follow(home, started[-1], PARTS, timeout_s=300)

    yield start
    for each in started:
        assert each.stdin is not None
        each.stdin.close()
        each.wait(PATIENCE_S)


def test_a_killed_supervisor_costs_no_campaign_anything(home, place, up) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PURPLE_")}
    environment |= {
        "PURPLE_TOOLS__EXTRA": json.dumps([str(SUPPORT / "tools")]),
        "PURPLE_PROFILES__EXTRA": json.dumps([str(SUPPORT / "profiles")]),
        "PURPLE_TOOLS__ISOLATION": "none",
    } | notifying("of the stack that lost its head")
    with inbox(place / "received-stack.jsonl", environment) as received:
        first = up(environment)
        admin = Servers(home, dict(first.offered)).admin_url
        house = House(dict(first.offered), admin, received, (home / "admin.token").read_text().strip())
        campaigns = Disturbed(house, place / "gate-supervisor", "127.60.20")
        found = read_state(home)  # a part may have been started again since
        assert found is not None
        children = processes(found)
        found.supervisor.signal(signal.SIGKILL)
        assert found.supervisor.wait(10)
        assert gone(found) == [], "they outlive it"
        assert house.get(f"/campaigns/{campaigns.held}")["state"] == "running", "what it held goes on without it"
        campaigns.let_go()
        second = up(environment)
        assert not any(child.alive for child in children), "nothing of the old stack beside the new one"
        assert second.offered == first.offered
        wait_until(lambda: _answers(house), PATIENCE_S, "the facade answers")
        campaigns.check()


def _answers(house: House) -> bool:
    try:
        return house.ask("GET", "/campaigns").is_success
    except httpx.HTTPError:
        return False


def gone(state: StackState) -> list[str]:
    return [name for name, part in state.parts.items() if part.process and not part.process.alive]


def processes(state: StackState) -> list[ProcessId]:
    return [part.process for part in state.parts.values() if part.process]
