"""The short version of `make trials`: a few points of each."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.trials import cancel, clocks, database, disk, parsers, replay, scope, temporal, twice, worker
from bench.trials.house import House, house
from bench.trials.report import Report, moments

pytestmark = pytest.mark.timeout(600)

SEED = 7


@pytest.fixture(scope="module")
def place() -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="purple-trials-"))
    with house(folder) as made:
        yield made
    shutil.rmtree(folder, ignore_errors=True)


def holds(report: Report, points: int) -> None:
    assert report.holds, report.line()
    assert report.points >= points


def tried(report: Report) -> None:
    """What some machines cannot try; those of CI can."""
    if report.not_tried and not os.environ.get("CI"):
        pytest.skip(report.not_tried)
    holds(report, 1)


def test_moments_are_spread_and_the_same_every_time() -> None:
    found = moments(50, SEED)
    assert found == moments(50, SEED)
    assert sorted(int(each * 50) for each in found) == list(range(50))


def test_no_disguise_lets_a_packet_out() -> None:
    holds(scope.run(1_000, SEED), 500)


def test_damaged_output_ends_no_parser() -> None:
    holds(parsers.run(100, SEED, ["nmap", "sarif"]), 100)


def test_a_killed_worker_costs_nothing(place) -> None:
    holds(worker.run(2, SEED, place), 2)


def test_a_killed_temporal_costs_nothing(place) -> None:
    holds(temporal.run(1, SEED, place), 1)


def test_an_import_is_whole_or_nothing_when_postgresql_restarts(place) -> None:
    holds(database.run(1, SEED, place), 1)


def test_a_full_disk_is_a_pause(place) -> None:
    tried(disk.run(1, SEED, place))


def test_a_clock_that_is_off_doubles_nothing(place) -> None:
    tried(clocks.run(1, SEED, place, minute=False))


def test_a_cancelled_campaign_leaves_nothing_behind(place) -> None:
    holds(cancel.run(3, SEED, place), 3)


def test_what_comes_eightfold_counts_once(place) -> None:
    holds(twice.run(1, SEED, place, once=("report",)), 1)  # eight reports take long


def test_what_the_trials_left_replays(place) -> None:
    holds(replay.run(12, SEED, place), 12)
