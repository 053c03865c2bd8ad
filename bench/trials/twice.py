"""Trial 8: the same request eight times at once, every step of its campaign eight times at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from threading import Barrier
from uuid import UUID

import httpx

from bench.trials.course import Lane, lanes, prepared
from bench.trials.eightfold import TIMES
from bench.trials.house import ROLES, House
from bench.trials.report import Report, trial

TOOL_S = 0.3
"""Eight at once take turns."""


def run(points: int, seed: int, place: House, once: Sequence[str] = ()) -> Report:
    """So many campaigns, one after the other; the steps of some roles may be done once only, to save time."""
    several = [role for role in ROLES if role not in once]
    with trial(8, "eightfold concurrent delivery") as report, lanes(place, 8, 1, seconds=TOOL_S) as (lane,):
        with place.workers(*ROLES):
            prepared([lane])
        with ExitStack() as stack:
            stack.enter_context(place.workers(*several, module="bench.trials.eightfold"))
            if once:
                stack.enter_context(place.workers(*once))
            for number in range(points):
                report.attempt(partial(_deliver, lane, f"eightfold-{seed}-{number}"))
    return report


def _deliver(lane: Lane, key: str) -> str:
    together = Barrier(TIMES)

    def ask(_: int) -> httpx.Response:
        together.wait(30)
        return _ask(lane, key)

    before = _campaigns(lane)
    with ThreadPoolExecutor(TIMES) as pool:
        answers = list(pool.map(ask, range(TIMES)))
    answers += [_ask(lane, key) for each in answers if each.status_code == 409]  # the first was not written yet
    if any(each.status_code not in {202, 409} for each in answers) or answers[-1].status_code != 202:
        return f"the answers to one request: {[f'{each.status_code} {each.text}' for each in answers]}"
    ids = {str(UUID(each.json()["id"])) for each in answers if each.status_code == 202}
    for each in ids:
        lane.facade.end(each)
    made = _campaigns(lane) - before
    if made != ids or len(ids) != 1:
        return f"one request made {made}, and was told {ids}"
    return lane.judge(*ids)


def _ask(lane: Lane, key: str) -> httpx.Response:
    return lane.facade.ask("POST", "/campaigns", json=lane.wanted, headers={"Idempotency-Key": key})


def _campaigns(lane: Lane) -> set[str]:
    return {str(row[0]) for row in lane.facade.rows("SELECT id FROM campaigns")}
