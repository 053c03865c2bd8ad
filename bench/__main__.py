"""`python -m bench [NAME…] [--full]`: prints each measure beside its baseline and writes `bench/results.json`.

The numbers of the measures are those of the project's goals. A choice of names measures those groups, and leaves what
the results say of the others.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from bench import (
    campaigns,
    correlation,
    depth,
    engine,
    falsehoods,
    ingestion,
    parsers,
    processes,
    rates,
    recall,
    search,
)
from bench.measures import Measure, machine
from purple.observability.runtime import set_apart, share

RESULTS = Path(__file__).parent / "results.json"
GROUPS = {
    "parsers": parsers.run,
    "rates": rates.run,
    "recall": recall.run,
    "ingestion": ingestion.run,
    "campaigns": campaigns.run,
    "engine": engine.run,
    "processes": processes.run,
    "correlation": correlation.run,
    "falsehoods": falsehoods.run,
    "depth": depth.run,
    "search": search.run,
}


def main() -> None:
    """Measure, print, write."""
    reader = argparse.ArgumentParser(prog="bench", description=__doc__)
    reader.add_argument("names", nargs="*", metavar="NAME", help=", ".join(GROUPS))
    reader.add_argument("--full", action="store_true", help="also what takes long, such as a million rows")
    chosen = reader.parse_args()
    if wrong := [name for name in chosen.names if name not in GROUPS]:
        reader.error(f"unknown group {wrong[0]}: use {', '.join(GROUPS)}")
    share()  # as every process of Purple does: some groups are a worker themselves
    set_apart()
    began = time.monotonic()
    for name in chosen.names or GROUPS:
        found = []
        for each in GROUPS[name](full=chosen.full):
            print(each.line(), flush=True)
            found.append(each)
        keep(name, found)
    print(f"{time.monotonic() - began:.0f} s in all; {RESULTS}")


def keep(group: str, found: list[Measure]) -> None:
    """Put a group's measures in the place of those of its last run."""
    known = json.loads(RESULTS.read_text())["measures"] if RESULTS.exists() else []
    kept = [each for each in known if each.get("group") in GROUPS.keys() - {group}]
    measures = sorted([*kept, *({"group": group} | asdict(each) for each in found)], key=_order)
    RESULTS.write_text(json.dumps({"machine": machine(), "measures": measures}, indent=1) + "\n")


def _order(told: dict[str, object]) -> tuple[int, str]:
    number = str(told["name"]).split()[0]
    return (int(number) if number.isdigit() else 0, str(told["name"]))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # a process that used Temporal's client can abort while the interpreter ends
