"""The facade as a user has it, and the database from behind: what a campaign came to."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bench.house import until
from purple.db.outbox import libpq_url

TLS = ssl.create_default_context()
"""Not used on loopback, and too dear to be made for each request."""
PATIENCE_S = 120
"""Bounds a hang; what is waited for takes seconds."""
MARGIN = timedelta(hours=12)
"""By which contracts began before now and hold after it: wider than any clock is off."""
NETWORK = "127.60.0.0/16"
"""Where all targets are."""


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
    undos: frozenset[str]
    """Their states."""


@dataclass
class Facade:
    """Requests to it, each on a connection of its own, as a newcomer would make it."""

    environment: dict[str, str]
    admin_url: str
    received: Path
    """Of the receiver of notices, a line each."""
    token: str = ""
    _authorisation: str = field(default="", init=False)

    @property
    def url(self) -> str:
        """Where it serves."""
        return self.environment["PURPLE_API__URL"]

    def ask(self, method: str, path: str, timeout: float = 30, **more: Any) -> httpx.Response:
        """One request; a stream of events is not read."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        url = f"{self.url}/api/v1{path}"
        with httpx.stream(method, url, headers=headers, timeout=timeout, trust_env=False, verify=TLS, **more) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                answer.read()
        return answer

    def get(self, path: str, **params: Any) -> Any:
        """What it answers."""
        return _body(self.ask("GET", path, params=params))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """What it answers."""
        return _body(self.ask("POST", path, json=body))

    def health(self) -> dict[str, Any]:
        """How its parts are."""
        answer: dict[str, Any] = httpx.get(f"{self.url}/health", timeout=5, trust_env=False, verify=TLS).json()
        return answer

    def parts_away(self) -> set[str]:
        """Those that it misses."""
        return {name for name, part in self.health()["dependencies"].items() if not part["ok"]}

    def bootstrap(self) -> None:
        """Migrations and a token, as the stack's own set-up makes them.

        Raises:
            RuntimeError: they cannot be made.
        """
        done = self.command("bootstrap")
        if done.returncode:
            raise RuntimeError(done.stderr)
        self.token = done.stdout.strip()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line, as somebody on this machine has it."""
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def authorisation(self) -> str:
        """The one that covers all targets."""
        if not self._authorisation:
            self._authorisation = self.covering(NETWORK)
        return self._authorisation

    def covering(self, *include: str) -> str:
        """A new one."""
        body = {
            "name": "n",
            "signed_by": "s",
            "include": include,
            "valid_from": (datetime.now(UTC) - MARGIN).isoformat(),
            "valid_until": (datetime.now(UTC) + MARGIN).isoformat(),
            "max_intrusiveness": "intrusive",
        }
        return str(self.post("/authorisations", body)["id"])

    def targets(self, *addresses: str, **more: str) -> list[str]:
        """Register them."""
        return [self.post("/targets", {"value": each} | more)["id"] for each in addresses]

    def end(self, campaign: str, seconds: float = PATIENCE_S) -> dict[str, Any]:
        """It, once it has ended."""
        found: dict[str, Any] = {}

        def ended() -> object:
            answer = self.ask("GET", f"/campaigns/{campaign}")
            found.update(answer.json() if answer.is_success else {})
            return found.get("ended_at")

        until(ended, seconds, f"campaign {campaign} has ended", 0.05)
        return found

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """From the tables, behind every service."""
        with psycopg.connect(libpq_url(self.admin_url)) as connection:
            return connection.execute(statement, values).fetchall()

    def outcome(self, campaign: str) -> Outcome:
        """Counted in the tables."""
        ((state,),) = self.rows("SELECT state FROM campaigns WHERE id = %s", campaign)
        scans = self.rows(
            "SELECT host, state, observations FROM scans WHERE campaign_id = %s ORDER BY host, tool", campaign
        )
        prints = self.rows("SELECT fingerprint FROM observations WHERE campaign_id = %s", campaign)
        counts = {
            each: self.rows(f"SELECT count(*) FROM {each} WHERE campaign_id = %s", campaign)[0][0]  # noqa: S608 - names of ours
            for each in ("sightings", "reports")
        }
        ended = self.rows("SELECT id FROM events WHERE campaign_id = %s AND type = 'campaign.ended'", campaign)
        undos = self.rows("SELECT state FROM undos WHERE campaign_id = %s", campaign)
        return Outcome(
            state=state,
            scans=tuple(scans),
            fingerprints=frozenset(row[0] for row in prints),
            observations=len(prints),
            ended_events=len(ended),
            notices=len(self.notices(campaign)),
            undos=frozenset(row[0] for row in undos),
            **counts,
        )

    def vulnerabilities(self, targets: Sequence[str]) -> frozenset[tuple[str, str]]:
        """Each with its state."""
        found = self.rows("SELECT fingerprint, state FROM vulnerabilities WHERE target_id = ANY(%s)", list(targets))
        return frozenset((row[0], row[1]) for row in found)

    def notices(self, campaign: str) -> set[str]:
        """Ids of what the receiver got; one that came again under its id is one, as Standard Webhooks has it."""
        lines = self.received.read_text().splitlines() if self.received.exists() else []
        bodies = [(each["id"], json.loads(each["body"])) for each in map(json.loads, lines)]
        return {one for one, body in bodies if body["data"]["campaign_id"] == campaign}


def _body(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise RuntimeError(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}")
    return answer.json()
