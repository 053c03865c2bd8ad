"""Trial 3: PostgreSQL is shut down at once in the middle of imports; each is taken in wholly or not at all."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import httpx

from bench import nmap_xml
from bench.house import until
from bench.trials.facade import Facade
from bench.trials.house import ROLES, House, stopped
from bench.trials.report import Report, moments, trial

TARGET = "192.0.2.7"
"""Of the file's host; nothing is sent to it."""
FLAWS, SERVICES = 50, 5_000
"""More than are read at once."""
BACK_S = 5.0
PAUSE_S = 0.05


class Watch:
    """Asks the facade and counts rows, all the while."""

    def __init__(self, facade: Facade) -> None:
        self.facade = facade
        self.wrong: set[str] = set()
        self.answered = 0.0
        self._over = threading.Event()

    @contextmanager
    def on(self, import_: str, whole: int) -> Iterator[None]:
        """For as long as the block lasts."""
        asking = [
            threading.Thread(target=self._ask, args=("/vulnerabilities",)),
            threading.Thread(target=self._ask, args=(f"/campaigns/{import_}",)),
            threading.Thread(target=self._count, args=(import_, whole)),
        ]
        for each in asking:
            each.start()
        try:
            yield
        finally:
            self._over.set()
            for each in asking:
                each.join()

    def _ask(self, path: str) -> None:
        while not self._over.wait(PAUSE_S):
            try:
                answer = self.facade.ask("GET", path)
            except httpx.HTTPError as error:
                self.wrong.add(f"{path}: {type(error).__name__}")
                continue
            if answer.is_success:
                self.answered = time.monotonic()
            elif answer.status_code != 503:
                self.wrong.add(f"{path} answered {answer.status_code} {answer.text}")

    def _count(self, import_: str, whole: int) -> None:
        while not self._over.wait(PAUSE_S):
            try:
                seen = observations(self.facade, import_)
            except Exception:  # noqa: BLE001, S112 - it is away
                continue
            if seen not in {0, whole}:
                self.wrong.add(f"{seen} of {whole} rows were to be seen")


def observations(facade: Facade, import_: str) -> int:
    """Rows of an import."""
    return int(facade.rows("SELECT count(*) FROM observations WHERE campaign_id = %s", import_)[0][0])


def run(points: int, seed: int, place: House) -> Report:
    """Shut it down as often."""
    path, facade = place.folder / "flaws.xml", place.facade
    whole = nmap_xml.write_flaws(path, FLAWS) + SERVICES
    more = "".join(nmap_xml.PORT.format(port=2_000 + number) for number in range(SERVICES))
    body = path.read_text().replace("</ports>", f"{more}</ports>").encode()
    with trial(3, "PostgreSQL's immediate restart during an import") as report, place.workers(*ROLES):
        (target,) = facade.targets(TARGET)
        covered = facade.covering(f"{TARGET}/32")

        def start() -> str:
            asked = {"target": TARGET, "authorisation_id": covered, "format": "nmap"}
            answer = facade.ask("POST", "/imports", params=asked, content=body)
            answer.raise_for_status()
            return str(answer.json()["id"])

        began = time.monotonic()
        facade.end(start())
        length, known = time.monotonic() - began, facade.vulnerabilities([target])

        def shut(part: float) -> str:
            import_, watch = start(), Watch(facade)
            with watch.on(import_, whole):
                time.sleep(part * length)
                with stopped(place.parts["postgres"], "postgres", signal.SIGQUIT):
                    pass
                back = time.monotonic()
                until(lambda: watch.answered > back, BACK_S, "the facade answers after PostgreSQL's return")
                report.saw("seconds until the facade answered again", watch.answered - back)
                state = facade.end(import_)["state"]
            if state != "completed" or observations(facade, import_) != whole:
                watch.wrong.add(f"{import_} ended {state} with {observations(facade, import_)} rows of {whole}")
            if facade.vulnerabilities([target]) != known:
                watch.wrong.add(f"after {import_} the vulnerabilities are others")
            return "; ".join(sorted(watch.wrong))

        for part in moments(points, seed):
            report.attempt(partial(shut, part))
    return report
