"""Trial 7: a million rows of a network's scan are taken in while people page through what is there.

They are hosts and their services; one host in ten has a flaw.

Each page is asked for at its time, however long those before it took. What workers hold is looked at all the while, as
the share of their pages (PSS); the one that takes the rows in has a bound, the one that writes the report is told of.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread

from bench import nmap_xml
from bench.house import until
from bench.measures import quantile
from bench.paging import counted, pages
from bench.processes import memory
from bench.trials.facade import Facade
from bench.trials.house import STEPS, House
from bench.trials.report import Report, trial

THERE, COMING = 10, 11
"""Networks by the first part of their addresses."""
KNOWN = 100_000
"""Rows that are there before."""
PORTS, FLAWED = 9, 10
RATE, BEFORE_S = 10, 30
IMPORTER = "the worker of tools"
TIMES, MOST_MIB = 2.0, 200
LOOK_S, ENDED_S, PATIENCE_S = 0.2, 0.5, 3_600


def run(points: int, seed: int, place: House) -> Report:  # noqa: ARG001 - there is but one order
    """A thousand rows for each point, all at once."""
    rows = 1_000 * points
    with (
        trial(7, f"{rows:,} rows taken in under load of the API") as report,
        place.workers("recon", "scan") as tools,
        place.workers(*STEPS) as steps,
    ):
        wrong = _taken_in(place, THERE, _written(place, THERE, KNOWN))
        hosts = _written(place, COMING, rows)
        before = _p99(place, counted(RATE * BEFORE_S))
        with (
            ThreadPoolExecutor(1) as pool,
            _weighed({IMPORTER: tools.pid, "the worker of steps": steps.pid}) as most,
        ):
            taking = pool.submit(_taken_in, place, COMING, hosts)
            during = _p99(place, lambda: not taking.done())
            wrong += taking.result()
        report.saw("p99 of a page before, ms", before)
        report.saw("p99 of a page meanwhile, ms", during)
        if during > TIMES * before:
            wrong += f"; p99 of a page went from {before:.0f} to {during:.0f} ms"
        for name, mib in most.items():
            report.saw(f"MiB of {name}", mib)
        if most[IMPORTER] > MOST_MIB:
            wrong += f"; {IMPORTER} held {most[IMPORTER]:.0f} MiB"
        report.point(wrong.strip("; "))
    return report


def _p99(place: House, going: Callable[[], bool]) -> float:
    return quantile(asyncio.run(pages(place.url, place.facade.token, RATE, going)), 0.99)


def _written(place: House, network: int, rows: int) -> int:
    """How many hosts are in its file."""
    hosts = rows // (1 + PORTS)
    nmap_xml.write(place.folder / f"{network}.xml", hosts, PORTS, flawed=FLAWED, network=network)
    return hosts


def _taken_in(place: House, network: int, hosts: int) -> str:
    """What is wrong with it, once the campaign has ended."""
    path, facade, target = place.folder / f"{network}.xml", place.facade, f"{network}.0.0.0/8"
    (registered,) = facade.targets(target)
    asked = {"target": target, "authorisation_id": facade.covering(target), "format": "nmap"}
    with path.open("rb") as file:
        answer = facade.ask("POST", "/imports", PATIENCE_S, params=asked, content=file)
    path.unlink()
    campaign = str(answer.raise_for_status().json()["id"])
    until(partial(_ended, facade, campaign), PATIENCE_S, f"{campaign} has ended", ENDED_S)
    ((state,),) = facade.rows("SELECT state FROM campaigns WHERE id = %s", campaign)
    ((recorded,),) = facade.rows("SELECT count(*) FROM observations WHERE campaign_id = %s", campaign)
    ((found,),) = facade.rows("SELECT count(*) FROM vulnerabilities WHERE target_id = %s", registered)
    flaws = -(-hosts // FLAWED)
    wanted = ("completed", hosts * (1 + PORTS) + flaws, flaws)
    return "" if (state, recorded, found) == wanted else f"{(state, recorded, found)} where {wanted} were to come"


def _ended(facade: Facade, campaign: str) -> bool:
    return bool(facade.rows("SELECT true FROM campaigns WHERE id = %s AND ended_at IS NOT NULL", campaign))


@contextmanager
def _weighed(pids: dict[str, int]) -> Iterator[dict[str, float]]:
    """The most MiB that each holds at any time of the block."""
    most, over = dict.fromkeys(pids, 0.0), Event()

    def look() -> None:
        while not over.wait(LOOK_S):
            for name, pid in pids.items():
                most[name] = max(most[name], memory(pid))

    looking = Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        over.set()
        looking.join()
