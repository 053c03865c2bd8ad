"""Trial 5: the worker's disk is full for a while; its work waits, says why, and goes on by itself.

The worker has a file system of its own on its data folder, in a mount namespace: as root, or as anybody where users
may have namespaces.
"""

import subprocess
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from bench.house import until
from bench.trials.course import Lane, lanes, prepared
from bench.trials.house import ROLES, House
from bench.trials.report import Report, moments, trial

SIZE_MB = 128
FULL_S = 3.0
CHUNK = bytes(1024**2)
TOOL_S = 2.0
REASON = "disk is full"


def namespace() -> tuple[str, ...]:
    """What gives a process mounts of its own; nothing where that is not to be had."""
    for way in ("-m", "-rm"):
        tried = subprocess.run(["unshare", way, "true"], capture_output=True, check=False)  # noqa: S607 - util-linux's
        if not tried.returncode:
            return ("unshare", way)
    return ()


def run(points: int, seed: int, place: House) -> Report:
    """Fill it as often."""
    with trial(5, "disk full") as report:
        data, way = place.folder / "data", namespace()
        if not way:
            report.not_tried = "no mount namespace is to be had: be root, or allow user namespaces"
            return report
        data.mkdir(exist_ok=True)
        mounted = (*way, "sh", "-c", f'mount -t tmpfs -o size={SIZE_MB}m none "$0" && exec "$@"', str(data))
        with place.workers(*ROLES, under=mounted) as worker, lanes(place, 5, 1, seconds=TOOL_S) as (lane,):
            ballast = Path(f"/proc/{worker.pid}/root{data}/ballast")
            prepared([lane])
            for part in moments(points, seed):
                report.attempt(partial(_fill, lane, part, ballast, report))
    return report


def _fill(lane: Lane, part: float, ballast: Path, report: Report) -> str:
    campaign = lane.start()
    time.sleep(part * lane.busy)
    began = time.monotonic()
    with suppress(OSError), ballast.open("wb", buffering=0) as file:  # until there is no room
        while True:
            file.write(CHUNK)
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
