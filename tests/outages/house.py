"""Campaigns that an outage meets, beside the same ones without it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.trials.facade import PATIENCE_S, Facade
from tests.support.running import wait_until


@dataclass
class House(Facade):
    """A facade that is asked for campaigns of the gated tool."""

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
            assert self.house.vulnerabilities(targets) == before
            assert len(before) == got.observations
