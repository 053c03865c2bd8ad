"""`python -m bench.trials [--only 1,11] [--points N] [--seed N]`: prints a line a trial, writes `bench/trials.json`.

The numbers of the trials are those of the project's goals. A choice of them leaves what the results say of the others.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from bench.measures import machine
from bench.trials import (
    cancel,
    clocks,
    database,
    disk,
    million,
    parsers,
    replay,
    scope,
    search,
    temporal,
    twice,
    worker,
)
from bench.trials.house import House, house
from bench.trials.report import Report

RESULTS = Path(__file__).parents[1] / "trials.json"
SEED = 20260101
ALONE: Mapping[int, tuple[int, Callable[[int, int], Report]]] = {
    6: (10_000, parsers.run),
    12: (1_000, scope.run),
}
"""How many points each tries, and how: without servers."""
HOUSED: Mapping[int, tuple[int, Callable[[int, int, House], Report]]] = {
    1: (200, worker.run),
    2: (20, temporal.run),
    3: (50, database.run),
    4: (1, search.run),
    5: (20, disk.run),
    7: (1_000, million.run),
    8: (8, twice.run),
    11: (200, cancel.run),
    9: (24, clocks.run),
    10: (200, replay.run),  # replays what the others leave
}
"""The same in a house, in this order."""


def main() -> int:
    """Try, print, write; 1 where a point failed."""
    reader = argparse.ArgumentParser(prog="bench.trials", description=__doc__)
    reader.add_argument("--only", default="", help="numbers of trials, with commas between them")
    reader.add_argument("--points", type=int, help="of each trial; by default as many as the goals say")
    reader.add_argument("--seed", type=int, default=SEED)
    chosen = reader.parse_args()
    only = [int(each) for each in chosen.only.split(",") if each.strip().isdigit()] or [*ALONE, *HOUSED]
    if wrong := {*only} - {*ALONE, *HOUSED}:
        reader.error(f"no trial {wrong.pop()}: use {', '.join(map(str, sorted([*ALONE, *HOUSED])))}")
    found = []
    with ExitStack() as stack:
        for number in (each for each in ALONE if each in only):
            points, alone = ALONE[number]
            found.append(told(alone(chosen.points or points, chosen.seed), chosen.seed))
        place = _house(stack) if {*only} & {*HOUSED} else None
        for number in (each for each in HOUSED if each in only and place):
            points, housed = HOUSED[number]
            report = housed(chosen.points or points, chosen.seed, place)  # type: ignore[arg-type] # there is
            found.append(told(report, chosen.seed))
    return int(not all(each.holds or each.not_tried for each in found))


def told(report: Report, seed: int) -> Report:
    """It, printed and kept: all of them take long."""
    print(report.line(), flush=True)
    keep(report, seed)
    return report


def _house(stack: ExitStack) -> House:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="purple-trials-", ignore_cleanup_errors=True))
    return stack.enter_context(house(Path(folder)))


def keep(report: Report, seed: int) -> None:
    """Put it in the place of that of the last run."""
    known = json.loads(RESULTS.read_text())["trials"] if RESULTS.exists() else []
    kept = [each for each in known if each["trial"] != report.trial]
    trials = sorted([*kept, {"seed": seed} | asdict(report)], key=lambda each: int(each["trial"]))
    RESULTS.write_text(json.dumps({"machine": machine(), "trials": trials}, indent=1) + "\n")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a process that used Temporal's client can abort while the interpreter ends
