"""Trial 4: Elasticsearch is away for two minutes, then there and answering 429, while campaigns bring in results.

It answers so by itself, as it does when its disk is nearly full: an index with `read_only_allow_delete` refuses each
write as too many requests. Afterwards each document is what its row is, within a minute.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count

import httpx

from bench.house import until
from bench.trials.course import Lane, lanes, prepared
from bench.trials.facade import Facade
from bench.trials.house import ROLES, House, apart, stopped
from bench.trials.report import Report, trial
from purple.stack.servers import Servers

AWAY_S = 120.0
BUSY_S = 30.0
EQUAL_S = 60.0
APART = 104
"""The number of a trial that there is not: whose targets are in another database are others."""
_BLOCK = "index.blocks.read_only_allow_delete"


def run(points: int, seed: int, place: House) -> Report:  # noqa: ARG001 - there is but one order
    """Away, back and busy, as often as there are points."""
    with trial(4, "Elasticsearch away, then answering 429") as report, ExitStack() as stack:
        other, elastic = stack.enter_context(_searching(place))
        (lane,) = stack.enter_context(lanes(other, APART, 1))
        prepared([lane])
        for _ in range(points):
            report.attempt(partial(_away_then_busy, lane, elastic, report))
    return report


@contextmanager
def _searching(place: House) -> Iterator[tuple[House, Servers]]:
    """The same house on another PostgreSQL, with an Elasticsearch beside it."""
    folder = place.folder / "searching"
    folder.mkdir()
    with apart(folder, "postgres", "elasticsearch") as parts:
        told = {name: value for each in parts.values() for name, value in each.environment.items()}
        other = place.told(**told)
        other.facade.admin_url = parts["postgres"].admin_url
        other.facade.bootstrap()
        with other.relay(), other.api(), other.workers(*ROLES):
            yield other, parts["elasticsearch"]


def _away_then_busy(lane: Lane, elastic: Servers, report: Report) -> str:
    wrong = []
    with stopped(elastic, "elasticsearch"):
        wrong += _campaigns(lane, AWAY_S, report)
    with refusing(elastic.search_url):
        wrong += _campaigns(lane, BUSY_S, report)
        if "search" in lane.facade.parts_away():
            wrong.append("an Elasticsearch that answers 429 is said to be away")
    began = time.monotonic()
    until(lambda: equal(lane.facade), EQUAL_S, "index and database are equal", 0.5)
    report.saw("seconds until index and database were equal", time.monotonic() - began)
    return "; ".join(filter(None, wrong))


def _campaigns(lane: Lane, seconds: float, report: Report) -> list[str]:
    """One after the other for so long; what was wrong with each."""
    wrong, began = [], time.monotonic()
    for number in count(1):
        campaign = lane.start()
        lane.facade.end(campaign)
        wrong.append(lane.judge(campaign))
        if time.monotonic() - began > seconds:
            report.saw("campaigns meanwhile", number)
            return wrong
    raise AssertionError


@contextmanager
def refusing(url: str) -> Iterator[None]:
    """Its indices refuse writes with 429 for the length of the block.

    The node gives such indices free again when it looks at its disk, so it does not look meanwhile.
    """
    with httpx.Client(base_url=url, trust_env=False) as client:
        _put(client, "/_cluster/settings", {"persistent": {"cluster.info.update.interval": "1h"}})
        _put(client, "/purple-*/_settings", {_BLOCK: True})
        try:
            yield
        finally:
            _put(client, "/purple-*/_settings", {_BLOCK: None})
            _put(client, "/_cluster/settings", {"persistent": {"cluster.info.update.interval": None}})


def _put(client: httpx.Client, path: str, body: dict[str, object]) -> None:
    client.put(path, json=body).raise_for_status()


def equal(facade: Facade) -> bool:
    """Whether each document of each index is what its row is, and nothing waits to be fed."""
    verified = facade.command("search", "verify", "all", "-o", "json")
    return verified.returncode == 0 and not any(
        each["behind"] for each in json.loads(verified.stdout)["indices"].values()
    )
