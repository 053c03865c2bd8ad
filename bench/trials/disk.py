"""Trial 5: a disk is full for a while, the worker's or PostgreSQL's; work waits, says why, and goes on by itself.

Each has a file system of its own, in a mount namespace: the worker on its data folder, as root, or as anybody where
users may have namespaces; a PostgreSQL of this trial's own as root alone, for it runs as a user that is not root.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.house import until
from bench.trials.course import Lane, lanes, prepared
from bench.trials.house import ROLES, House
from bench.trials.report import Report, moments, trial

SIZE_MB = 128
DATABASE_MB = 256
FULL_S = 3.0
CHUNK = bytes(1024**2)
TOOL_S = 2.0
REASON = "disk is full"
APART = 105
"""The number of a trial that there is not: whose targets are in another database are others."""


def namespace() -> tuple[str, ...]:
    """What gives a process mounts of its own; nothing where that is not to be had."""
    for way in ("-m", "-rm"):
        tried = subprocess.run(["unshare", way, "true"], capture_output=True, check=False)  # noqa: S607 - util-linux's
        if not tried.returncode:
            return ("unshare", way)
    return ()


def mounted(way: tuple[str, ...], megabytes: int, folder: Path) -> tuple[str, ...]:
    """What comes before a program that has a file system of that size on a folder."""
    folder.mkdir(exist_ok=True)
    mount = f'mount -t tmpfs -o size={megabytes}m,mode=0755 none "$0" && exec "$@"'
    return (*way, "sh", "-c", mount, str(folder))


def seen_by(process: subprocess.Popen[bytes], folder: Path) -> Path:
    """A folder as a process sees it that has mounts of its own."""
    return Path(f"/proc/{process.pid}/root{folder}")


def run(points: int, seed: int, place: House) -> Report:
    """Fill the one as often as the other."""
    with trial(5, "disk full") as report:
        if not (way := namespace()):
            report.not_tried = "no mount namespace is to be had: be root, or allow user namespaces"
            return report
        parts, data = moments(points, seed), place.folder / "data"
        of_database = parts[1::2] if not os.geteuid() else []
        with (
            place.workers(*ROLES, under=mounted(way, SIZE_MB, data)) as worker,
            lanes(place, 5, 1, seconds=TOOL_S) as (lane,),
        ):
            prepared([lane])
            for part in parts[::2] if of_database else parts:
                report.attempt(partial(_worker, lane, part, seen_by(worker, data) / "ballast", report))
        if of_database:
            with small(place, way) as (other, ballast), lanes(other, APART, 1, seconds=TOOL_S) as (lane,):
                prepared([lane])
                for part in of_database:
                    report.attempt(partial(_database, lane, part, ballast, report))
    return report


@contextmanager
def small(place: House, way: tuple[str, ...]) -> Iterator[tuple[House, Path]]:
    """The same house on another PostgreSQL, whose disk is small; and a file to fill it with."""
    home = place.folder / "small"
    argv = [*mounted(way, DATABASE_MB, home), sys.executable, "-m", "bench.trials.small", str(home)]
    with subprocess.Popen(
        argv, env=os.environ | place.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout  # noqa: S101 - it is piped
        where = json.loads(started.stdout.readline() or "{}")
        if not where:
            raise RuntimeError("the small PostgreSQL does not start")
        other = place.told(**where["environment"])
        other.facade = replace(other.facade, admin_url=where["admin_url"])
        other.facade.bootstrap()
        with other.relay(), other.api(), other.workers(*ROLES):
            yield other, seen_by(started, home) / "ballast"


def fill(ballast: Path) -> None:
    """Until there is no room."""
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(CHUNK)


def _worker(lane: Lane, part: float, ballast: Path, report: Report) -> str:
    campaign = lane.start()
    time.sleep(part * lane.busy)
    began = time.monotonic()
    fill(ballast)
    told = [False]

    def waits_or_is_past() -> bool:
        scans = lane.facade.rows("SELECT state, reason FROM scans WHERE campaign_id = %s", campaign)
        told[0] = any(REASON in reason for _, reason in scans)
        return told[0] or any(state == "complete" for state, _ in scans)

    until(waits_or_is_past, 30, "the scan waits for room, and says so")
    report.saw("seconds until it was told", time.monotonic() - began if told[0] else 0)
    report.saw("pauses", report.most.get("pauses", 0) + told[0])
    time.sleep(FULL_S)
    known = lane.facade.vulnerabilities([lane.target])
    ballast.unlink()
    lane.facade.end(campaign)
    wrong = "" if known == lane.known else f"{campaign} changed vulnerabilities while the disk was full: {known}; "
    return wrong + lane.judge(campaign)


def _database(lane: Lane, part: float, ballast: Path, report: Report) -> str:
    """What is written meanwhile is refused as what may be tried again, and never as a fault of ours."""
    campaign = lane.start()
    time.sleep(part * lane.length)
    refused: list[tuple[int, str]] = []

    def refuses() -> bool:
        fill(ballast)  # PostgreSQL gives room back that it kept for its log
        target = {"value": f"at-{time.time_ns()}.example.org", "name": "n" * 200}
        answer = lane.facade.ask("POST", "/targets", json=target)
        refused.append((answer.status_code, answer.text))
        return answer.status_code >= 400

    try:
        until(refuses, 60, "PostgreSQL has no room for more")
        time.sleep(FULL_S)
    finally:
        ballast.unlink()
    freed = time.monotonic()
    lane.facade.end(campaign)
    report.saw("seconds from room in PostgreSQL to the campaign's end", time.monotonic() - freed)
    status, said = refused[-1]
    wrong = (
        "" if status == 503 and REASON in said else f"without room in PostgreSQL the facade answered {status} {said}; "
    )
    return wrong + lane.judge(campaign)
