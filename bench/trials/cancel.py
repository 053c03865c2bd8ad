"""Trial 11: a campaign is cancelled at any moment; its tools are dead soon, and what they changed is taken back."""

import time
from functools import partial

from bench.trials.course import Lane, abreast, lanes, prepared, tool_processes
from bench.trials.house import ROLES, House
from bench.trials.report import Report, moments, trial

LANES = 6
EACH = 10
"""Points that are worth another one."""
TOOL_S = 2.0
DEAD_S = 5.0
LATER_S = 0.5


def run(points: int, seed: int, place: House) -> Report:
    """Cancel as often."""
    with (
        trial(11, "cancelling a campaign") as report,
        place.workers(*ROLES),
        lanes(place, 11, min(LANES, -(-points // EACH)), seconds=TOOL_S) as made,
    ):
        parts = moments(points, seed)
        prepared(made)
        abreast([partial(_lane, lane, report, parts[n :: len(made)]) for n, lane in enumerate(made)])
    return report


def _lane(lane: Lane, report: Report, parts: list[float]) -> None:
    for part in parts:
        report.attempt(partial(_cancel, lane, part, report))


def _cancel(lane: Lane, part: float, report: Report) -> str:
    campaign = lane.start()
    time.sleep(part * lane.length)
    began = lived = time.monotonic()
    lane.facade.post(f"/campaigns/{campaign}/cancel", {})
    ended: dict[str, str] = {}
    while not ended.get("ended_at") and time.monotonic() - began < 60:
        lived = time.monotonic() if tool_processes(lane.address) else lived
        ended = lane.facade.get(f"/campaigns/{campaign}")
        time.sleep(0.02)
    report.saw("seconds until the tools were dead", lived - began)
    report.saw("seconds until it had ended", time.monotonic() - began)
    acted = lane.register.asked.count("PUT")
    time.sleep(LATER_S)
    wrong = [
        f"{campaign}: tools lived {lived - began:.1f} s" if lived - began > DEAD_S else "",
        f"{campaign}: a tool acted after the end" if lane.register.asked.count("PUT") != acted else "",
        lane.judge(campaign, whole=ended["state"] != "cancelled"),
    ]
    return "; ".join(filter(None, wrong))
