"""A whole Purple whose servers may be stopped, each held by a supervisor of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg

from lab.receiver import Receiver
from purple.db.outbox import libpq_url
from purple.stack.processes import ProcessId
from purple.stack.servers import Servers
from purple.stack.state import PartState, read_state
from tests.support.running import wait_until

PATIENCE_S = 120
"""Bounds a hang; what is waited for takes seconds."""


@contextmanager
def stopped(servers: Servers, name: str, how: signal.Signals = signal.SIGKILL) -> Iterator[None]:
    """A server is away for the length of the block, then started again on the same files and port.

    Its supervisor would start it at once, so that one is held meanwhile.
    """
    state = read_state(servers.home)
    assert state is not None
    process = state.parts[name].process
    assert process is not None
    state.supervisor.signal(signal.SIGSTOP)
    try:
        process.signal(how)
        assert process.wait(20)
        yield
    finally:
        state.supervisor.signal(signal.SIGCONT)
    wait_until(lambda: _serves_again(servers, name, process), PATIENCE_S, f"{name} is back")


def _serves_again(servers: Servers, name: str, before: ProcessId) -> bool:
    state = read_state(servers.home)
    return state is not None and state.parts[name].state is PartState.READY and state.parts[name].process != before


@dataclass(frozen=True)
class Outcome:
    """What a campaign came to; two that were asked the same compare equal."""

    state: str
    scans: tuple[tuple[str, str, int], ...]
    fingerprints: frozenset[str]
    observations: int
    sightings: int
    ended_events: int
    reports: int
    notices: int


@dataclass
class House:
    """Its facade, its database from behind, and whom it tells."""

    environment: dict[str, str]
    admin_url: str
    received: Path
    token: str = ""
    _authorisation: str = field(default="", init=False)

    @property
    def url(self) -> str:
        return self.environment["PURPLE_API__URL"]

    def ask(self, method: str, path: str, timeout: float = 30, **more: Any) -> httpx.Response:
        """One request on a connection of its own, as a newcomer would make it; a stream of events is not read."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.url}/api/v1{path}"
        with httpx.stream(method, url, headers=headers, timeout=timeout, trust_env=False, **more) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                answer.read()
        return answer

    def get(self, path: str, **params: Any) -> Any:
        answer = self.ask("GET", path, params=params)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.ask("POST", path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def health(self) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"{self.url}/health", timeout=5, trust_env=False).json()
        return answer

    def parts_away(self) -> set[str]:
        return {name for name, part in self.health()["dependencies"].items() if not part["ok"]}

    def bootstrap(self) -> None:
        """Migrations and a token, as the stack's own set-up makes them."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", "bootstrap"],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.token = done.stdout.strip()

    def authorisation(self) -> str:
        if not self._authorisation:
            until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            body = {"name": "n", "signed_by": "s", "include": ["127.60.0.0/16"], "valid_until": until}
            self._authorisation = self.post("/authorisations", body)["id"]
        return self._authorisation

    def targets(self, *addresses: str) -> list[str]:
        return [self.post("/targets", {"value": each})["id"] for each in addresses]

    def wanted(self, targets: Sequence[str], **options: Any) -> dict[str, Any]:
        """The body of a request for a campaign."""
        return {
            "profile": "made-gated",
            "target_ids": list(targets),
            "authorisation_id": self.authorisation(),
            "options": {"made-gated": {"flaws": [80, 443, 8080]} | options},
        }

    def start(self, targets: Sequence[str], **options: Any) -> str:
        started: str = self.post("/campaigns", self.wanted(targets, **options))["id"]
        return started

    def end(self, campaign: str, seconds: float = PATIENCE_S) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            answer = self.ask("GET", f"/campaigns/{campaign}")
            return answer.json() if answer.is_success and answer.json()["ended_at"] else None

        found: dict[str, Any] = wait_until(ended, seconds, f"campaign {campaign} has ended")
        return found

    def outcome(self, campaign: str) -> Outcome:
        """Counted in the tables, behind every service."""
        with psycopg.connect(libpq_url(self.admin_url)) as connection:

            def rows(statement: str) -> list[tuple[Any, ...]]:
                return connection.execute(statement, {"campaign": campaign}).fetchall()  # type: ignore[arg-type]

            ((state,),) = rows("SELECT state FROM campaigns WHERE id = %(campaign)s")
            scans = rows("SELECT host, state, observations FROM scans WHERE campaign_id = %(campaign)s ORDER BY host")
            prints = rows("SELECT fingerprint FROM observations WHERE campaign_id = %(campaign)s")
            ((sightings,),) = rows("SELECT count(*) FROM sightings WHERE campaign_id = %(campaign)s")
            ((ended,),) = rows(
                "SELECT count(*) FROM events WHERE campaign_id = %(campaign)s AND type = 'campaign.ended'"
            )
            ((reports,),) = rows("SELECT count(*) FROM reports WHERE campaign_id = %(campaign)s")
        return Outcome(
            state, tuple(scans), frozenset(row[0] for row in prints), len(prints), sightings, ended, reports,
            len(self.notices(campaign)),
        )  # fmt: skip

    def vulnerabilities(self, targets: Sequence[str]) -> int:
        with psycopg.connect(libpq_url(self.admin_url)) as connection:
            statement = "SELECT count(*) FROM vulnerabilities WHERE target_id = ANY(%s)"
            row = connection.execute(statement, [list(targets)]).fetchone()
        assert row is not None
        return int(row[0])

    def notices(self, campaign: str) -> set[str]:
        """Ids of what the receiver got; one that came again under its id is one, as Standard Webhooks has it."""
        lines = self.received.read_text().splitlines() if self.received.exists() else []
        bodies = [(each["id"], httpx.Response(200, text=each["body"]).json()) for each in map(_json, lines)]
        return {one for one, body in bodies if body["data"]["campaign_id"] == campaign}


def _json(line: str) -> Any:
    return httpx.Response(200, text=line).json()


class Disturbed:
    """Campaigns that an outage meets in different phases, and the same ones later without it."""

    def __init__(self, house: House, gates: Path, subnet: str) -> None:
        """Start them: the first holds at its tools until the gate opens, the others go on."""
        self.house = house
        self.gate = gates
        self.gate.mkdir()
        self.gate.chmod(0o777)
        self.asked: dict[str, list[str]] = {}
        held = house.targets(*(f"{subnet}.{n}" for n in range(1, 4)))
        self.asked[house.start(held, mode="gate", marker=str(self.gate))] = held
        wait_until(lambda: len(list(self.gate.iterdir())) == 2, PATIENCE_S, "two tools run at once")
        for n in range(4, 7):  # a phase takes about so long
            free = house.targets(f"{subnet}.{n}")
            self.asked[house.start(free, mode="gate", marker=str(self._open_gate()))] = free
            time.sleep(0.5)

    @property
    def held(self) -> str:
        return next(iter(self.asked))

    def _open_gate(self) -> Path:
        beside = self.gate.with_name(f"{self.gate.name}-open")
        beside.mkdir(exist_ok=True)
        beside.chmod(0o777)
        (beside / "open").touch()
        return beside

    def let_go(self) -> None:
        (self.gate / "open").touch()

    def check(self) -> None:
        """Each ended as its undisturbed twin does."""
        for campaign in self.asked:
            self.house.end(campaign)
        twins = {
            campaign: self.house.start(targets, mode="gate", marker=str(self._open_gate()))
            for campaign, targets in self.asked.items()
        }
        for campaign, twin in twins.items():
            targets = self.asked[campaign]
            before = self.house.vulnerabilities(targets)
            self.house.end(twin)
            assert self.house.outcome(campaign) == self.house.outcome(twin)
            got = self.house.outcome(campaign)
            assert (got.state, got.ended_events, got.reports, got.notices) == ("completed", 1, 3, 1)
            assert got.observations == len(got.fingerprints) == 3 * len(targets)
            assert self.house.vulnerabilities(targets) == before == got.observations


@contextmanager
def receiving(file: Path, port: int, secret: str) -> Iterator[Path]:
    """Somebody whom campaigns tell that they ended; each notice is a line of the file."""
    server = Receiver(port, secret, file)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield file
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
