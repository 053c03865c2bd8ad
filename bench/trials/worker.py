"""Trial 1: a tool worker is killed at any moment of a campaign, and another one takes over."""

import asyncio
import random
import subprocess
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.house import until
from bench.trials.course import Lane, abreast, lanes, prepared, tool_processes
from bench.trials.house import STEPS, House
from bench.trials.replay import history
from bench.trials.report import Report, moments, trial

LANES = 6
"""At once: what takes the time is the heartbeat's time-out."""
EACH = 10
"""Points that make another lane worth its workers."""
TOOL_S = 2.0
DEAD_S = 3.0
RETRIED_S = 11.0
"""The heartbeat's time-out and a second."""


class Crew:
    """The two workers of a lane, so that one is there when the other dies."""

    def __init__(self, place: House, zone: str, stack: ExitStack) -> None:
        self._place = place
        self._zone = zone
        self._stack = stack
        self._workers = [self._hire(), self._hire()]

    def _hire(self) -> subprocess.Popen[bytes]:
        return self._stack.enter_context(self._place.workers("scan", "--zone", self._zone))

    def kill(self, tools: list[int], chance: random.Random) -> None:
        """Kill the one that runs the tool; where none does, either."""
        above = {_parent(pid) for pid in tools}
        victim = next((each for each in self._workers if each.pid in above), None) or chance.choice(self._workers)
        victim.kill()
        victim.wait()
        self._workers.remove(victim)

    def complete(self) -> None:
        """Two again."""
        self._workers.append(self._hire())


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def run(points: int, seed: int, place: House) -> Report:
    """Kill as often."""
    with (
        trial(1, "kill -9 of a tool worker") as report,
        place.workers(*STEPS),
        lanes(place, 1, min(LANES, -(-points // EACH)), zoned=True, seconds=TOOL_S) as made,
    ):
        parts = moments(points, seed)
        abreast([partial(_lane, place, lane, report, parts[n :: len(made)]) for n, lane in enumerate(made)])
    return report


def _lane(place: House, lane: Lane, report: Report, parts: list[float]) -> None:
    with ExitStack() as stack:
        crew = Crew(place, lane.zone, stack)
        prepared([lane])
        for part in parts:
            report.attempt(partial(_kill, place, lane, crew, part, report))


def _kill(place: House, lane: Lane, crew: Crew, part: float, report: Report) -> str:
    campaign = lane.start()
    time.sleep(part * lane.busy)
    tools = tool_processes(lane.address)
    killed = datetime.now(UTC)
    crew.kill(tools, random.Random(part))  # noqa: S311 - to be repeated
    if tools:
        began = time.monotonic()
        until(lambda: not tool_processes(lane.address), DEAD_S, "the tool died with its worker")
        report.saw("seconds until the tool was dead", time.monotonic() - began)
    crew.complete()
    workflow = lane.facade.end(campaign)["workflow_id"]
    retried = asyncio.run(_retried(place, workflow))
    late = (retried - killed).total_seconds() if retried else 0.0
    report.saw("seconds until it was tried again", late)
    wrong = f"{campaign} was tried again only after {late:.1f} s; " if late > RETRIED_S else ""
    return wrong + lane.judge(campaign)


async def _retried(place: House, workflow: str) -> datetime | None:
    """When a step of it was last tried again."""
    found = await history(place.servers.temporal_address, workflow)
    again = [each for each in found.events if each.activity_task_started_event_attributes.attempt > 1]
    return again[-1].event_time.ToDatetime(UTC) if again else None
