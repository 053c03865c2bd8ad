"""Trial 2: the Temporal server is killed in the middle of campaigns; all finish, each effect once."""

import random
import time
from functools import partial

from bench.trials.course import Lane, lanes, prepared
from bench.trials.house import ROLES, House, stopped
from bench.trials.report import Report, moments, trial

LANES = 3
AWAY_S = 3.0


def run(points: int, seed: int, place: House) -> Report:
    """Kill it as often."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    with (
        trial(2, "kill -9 of the Temporal server") as report,
        place.workers(*ROLES),
        lanes(place, 2, LANES) as made,
    ):
        prepared(made)
        for part in moments(points, seed):
            report.attempt(partial(_kill, place, made, part, chance.uniform(0, AWAY_S)))
    return report


def _kill(place: House, made: list[Lane], part: float, away_s: float) -> str:
    """Once, while campaigns are in different phases."""
    campaigns: dict[str, Lane] = {}
    apart = made[0].length / len(made)
    for lane in made:
        campaigns[lane.start()] = lane
        time.sleep(apart * part)
    with stopped(place.parts["temporal"], "temporal"):
        time.sleep(away_s)
    for campaign, lane in campaigns.items():
        lane.facade.end(campaign)
    return "; ".join(filter(None, (lane.judge(campaign) for campaign, lane in campaigns.items())))
