"""Trial 9: the clock of the facade, of the workers or of PostgreSQL is off, by minutes or by an hour.

libfaketime makes it so while the processes run; Temporal's program is linked statically, so its clock stays right.
"""

import itertools
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from bench.house import until
from bench.trials.course import Lane, lanes, prepared
from bench.trials.facade import PATIENCE_S, TLS
from bench.trials.house import ROLES, House, stopped
from bench.trials.report import Report, trial
from purple.domain.errors import PackagesUnavailableError
from purple.settings.paths import default_cache
from purple.stack.state import read_state
from purple.toolkit.packages import DebianPackages

PARTS = ("facade", "workers", "postgres")
OFFSETS_S = (300, -300, 3600, -3600)
CASES = tuple(itertools.product(PARTS, OFFSETS_S))
SEEN_S = 1.25
"""libfaketime reads its file anew with a new second, where it is told to keep what it read for none."""
MINUTE_S = 60.0


class Clocks:
    """One a part, each told by a file."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._folder = folder
        self._library = library
        folder.mkdir(exist_ok=True)
        for part in PARTS:
            self.set(part, 0)

    def set(self, part: str, seconds: int) -> None:
        """So much off; who reads meanwhile reads one or the other."""
        written = self._folder / f"{part}.new"
        written.write_text(f"{seconds:+d}\n")
        written.chmod(0o644)
        written.replace(self._folder / part)

    def environment(self, part: str) -> dict[str, str]:
        """For its processes."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._folder / part),
            "FAKETIME_CACHE_DURATION": "0",  # of 1 it makes up to two seconds
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@contextmanager
def postgres_with(place: House, environment: dict[str, str]) -> Iterator[None]:
    """PostgreSQL, started by us on the same files and port in place of the supervisor's."""
    state = read_state(place.parts["postgres"].home)
    process = state.parts["postgres"].process if state else None
    if process is None:
        raise RuntimeError("PostgreSQL does not run")
    proc = Path(f"/proc/{process.pid}")
    argv = (proc / "cmdline").read_text().rstrip("\0").split("\0")
    told = dict(each.partition("=")[::2] for each in (proc / "environ").read_text().rstrip("\0").split("\0"))
    owner, cwd = proc.stat(), (proc / "cwd").readlink()
    user: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": ()}
    with stopped(place.parts["postgres"], "postgres", signal.SIGINT):
        started = subprocess.Popen(
            argv, cwd=cwd, env=told | environment, umask=0o077, **({} if os.geteuid() else user),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until(place.serves, PATIENCE_S, "the house has its database again")
            yield
        finally:
            started.send_signal(signal.SIGINT)
            started.wait(20)


def library() -> Path | None:
    """libfaketime, fetched as other programs of the distribution are."""
    try:
        found = DebianPackages(default_cache()).ensure("libfaketime").path
    except PackagesUnavailableError:
        return None
    return next(found.rglob("libfaketime.so.1"), None)


def run(points: int, seed: int, place: House, *, minute: bool = True) -> Report:
    """As many of the cases, or all several times over; to see a schedule fire takes up to a minute more."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    with trial(9, "clocks that are off") as report:
        if (found := library()) is None:
            report.not_tried = "libfaketime is not to be had"
            return report
        clocks = Clocks(place.folder / "clocks", found)
        facade = place.told(**clocks.environment("facade"))
        workers = place.told(**clocks.environment("workers"))
        with (
            postgres_with(place, clocks.environment("postgres")),
            facade.api(),
            workers.workers(*ROLES),
            lanes(facade, 9, 2, seconds=0.5) as (lane, scheduled),
        ):
            prepared([lane])
            schedule, began = _schedule(scheduled) if minute else "", datetime.now(UTC)
            cases = [*CASES * (points // len(CASES)), *chance.sample(CASES, points % len(CASES))]
            for part, offset in cases:
                report.attempt(partial(_off, clocks, facade, lane, part, offset))
            if schedule:
                report.attempt(partial(_fired, facade, schedule, began))
    return report


def _off(clocks: Clocks, place: House, lane: Lane, part: str, offset: int) -> str:
    """A campaign while one clock is off; a link that was used, and a key, are of no use a second time."""
    link = _link(place)
    first = _sign_in(place, link)
    key = {"Idempotency-Key": f"{part}{offset}-{link}"[:200]}
    clocks.set(part, offset)
    time.sleep(SEEN_S)
    try:
        asked = [lane.facade.ask("POST", "/campaigns", json=lane.wanted, headers=key) for _ in range(2)]
        ids = {each.json()["id"] for each in asked if each.is_success}
        again = _sign_in(place, link)
        for each in ids:
            lane.facade.end(each)
        seen = [_now(lane, part, each) - time.time() for each in ids]
    finally:
        clocks.set(part, 0)
        time.sleep(SEEN_S)
    last = lane.facade.ask("POST", "/campaigns", json=lane.wanted, headers=key)
    if len(ids) != 1 or last.json().get("id") not in ids:
        return f"{part} {offset:+d} s: one key made {ids}, then {last.text}"
    if abs(seen[0] - offset) > PATIENCE_S:
        return f"{part} {offset:+d} s: its clock was {seen[0]:+.0f} s off"
    if (first, again, _sign_in(place, link)) != (303, 401, 401):
        return f"{part} {offset:+d} s: a link that was used was answered with {first}, {again}"
    wrong = lane.judge(*ids)
    return f"{part} {offset:+d} s: {wrong}" if wrong else ""


def _now(lane: Lane, part: str, campaign: str) -> float:
    """What a part takes for the time, or took for it just now; the workers, when they began a campaign."""
    if part == "facade":
        return parsedate_to_datetime(lane.facade.ask("GET", "/campaigns").headers["date"]).timestamp()
    moment = "clock_timestamp()" if part == "postgres" else "started_at"
    statement = f"SELECT extract(epoch FROM {moment}) FROM campaigns WHERE id = %s"  # noqa: S608 - of ours
    return float(lane.facade.rows(statement, campaign)[0][0])


def _link(place: House) -> str:
    found = re.search(r"token=(\S+)", place.purple("console"))
    return found[1] if found else ""


def _sign_in(place: House, token: str) -> int:
    headers = {"Sec-Fetch-Site": "same-origin"}
    url = f"{place.url}/console/sign-in"
    return httpx.post(url, data={"token": token}, headers=headers, trust_env=False, verify=TLS).status_code


def _schedule(lane: Lane) -> str:
    """Due every minute."""
    body = lane.wanted | {"name": "every minute", "timing": {"cron": ["* * * * *"]}}
    return str(lane.facade.post("/schedules", body)["id"])


def _fired(place: House, schedule: str, began: datetime) -> str:
    """Once each minute and no more often, whatever the clocks said."""
    time.sleep(MINUTE_S - time.time() % MINUTE_S + 1)  # one time at least
    place.facade.post(f"/schedules/{schedule}/pause", {})
    minutes = int(time.time() // MINUTE_S - began.timestamp() // MINUTE_S)
    ids = place.facade.rows("SELECT workflow_id FROM campaigns WHERE workflow_id LIKE %s", f"%/schedule/{schedule}-%")
    until(lambda: not _running(place, schedule), PATIENCE_S, "what the schedule started has ended", 0.2)
    runs = place.facade.rows("SELECT due_at FROM schedule_runs WHERE schedule_id = %s", schedule)
    if not 0 < len(ids) <= minutes or len({*runs}) != len(runs):
        return f"in {minutes} minutes it started {ids}, and tells of {runs}"
    return ""


def _running(place: House, schedule: str) -> int:
    return len(
        place.facade.rows(
            "SELECT id FROM campaigns WHERE workflow_id LIKE %s AND ended_at IS NULL", f"%/schedule/{schedule}-%"
        )
    )
