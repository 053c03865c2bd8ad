"""One house for all outages: servers of their own, Purple's processes, a receiver of notices."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.trials.house import apart, notifying
from bench.trials.house import inbox as received_by
from purple.stack.catalogue import SERVERS
from purple.stack.servers import Servers
from tests.outages.house import House
from tests.support.running import STEPS, SUPPORT, TOOLS, free_port, process, together, wait_until

OUTPUT_MB = 256


@pytest.fixture(scope="package")
def place() -> Iterator[Path]:
    """A folder that every user may enter, as whom servers and tools may run."""
    made = Path(tempfile.mkdtemp(prefix="purple-outages-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="package")
def parts(place) -> Iterator[dict[str, Servers]]:
    """Each server under a supervisor of its own."""
    with apart(place, *SERVERS) as started:
        yield started


@pytest.fixture(scope="package")
def told(place, parts) -> dict[str, str]:
    """Settings of every process of the house."""
    home = place / "home"
    home.mkdir(mode=0o755)
    api = free_port()
    environment = {name: value for each in parts.values() for name, value in each.environment.items()}
    return (
        environment
        | {
            "PURPLE_STACK__HOME": str(home),
            "PURPLE_TOOLS__EXTRA": json.dumps([str(SUPPORT / "tools")]),
            "PURPLE_TOOLS__OUTPUT_MB": str(OUTPUT_MB),
            "PURPLE_TOOLS__ISOLATION": "none",  # made tools wait at gates outside their work folder
            "PURPLE_PROFILES__EXTRA": json.dumps([str(SUPPORT / "profiles")]),
            "PURPLE_API__PORT": str(api),
            "PURPLE_API__URL": f"http://127.0.0.1:{api}",
        }
        | notifying("of the outages' own house")
    )


@pytest.fixture(scope="package")
def inbox(place, told) -> Iterator[Path]:
    """What the receiver of notices got."""
    with received_by(place / "received.jsonl", told) as file:
        yield file


@pytest.fixture(scope="package")
def tool_worker(told, parts) -> Iterator[int]:
    """The process that runs tools."""
    with process(told, "workers", *TOOLS) as started:
        yield started.pid


@pytest.fixture(scope="package")
def house(told, parts, inbox, tool_worker) -> Iterator[House]:
    made = House(told, parts["postgres"].admin_url, inbox)
    made.bootstrap()
    with together(process(told, "workers", *STEPS), process(told, "workers", "relay"), process(told, "api")):
        wait_until(lambda: _healthy(made), 60, "the house is whole")
        yield made


def _healthy(house: House) -> bool:
    import httpx

    try:
        return bool(house.health()["status"] == "ok")
    except httpx.HTTPError:
        return False
