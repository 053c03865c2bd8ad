"""The campaign that the trials disturb: a tool that changes something, beside a server that knows of it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.trials.facade import Facade, Outcome
from bench.trials.house import House

PROGRAM = str(Path(__file__).with_name("tools") / "trial/program.py")
RUNNING = ("act", "rest")
"""What the tool's processes are told; an undo's are not among them."""


class Register:
    """A server's entries, and what was asked of it."""

    def __init__(self) -> None:
        self.entries: set[str] = set()
        self.asked: list[str] = []


@contextmanager
def register(address: str) -> Iterator[tuple[Register, int]]:
    """It, and its port."""
    made = Register()

    class Entries(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self) -> None:
            made.asked.append(self.command)
            self.send_response(204)
            self.end_headers()

        def do_PUT(self) -> None:
            made.entries.add(self.path)
            self._answer()

        def do_DELETE(self) -> None:
            made.entries.discard(self.path)
            self._answer()

    with ThreadingHTTPServer((address, 0), Entries) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield made, int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def tool_processes(address: str) -> list[int]:
    """The tool's processes on a target."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_text().split("\0") if folder.name.isdigit() else []
        except OSError:
            continue
        if PROGRAM in words and words[words.index(PROGRAM) + 2] == address and not {*RUNNING}.isdisjoint(words):
            found.append(int(folder.name))
    return found


@dataclass
class Lane:
    """One target on which campaigns run one after the other, and what each must come to."""

    facade: Facade
    address: str
    target: str
    register: Register
    port: int
    zone: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    expected: Outcome | None = None
    known: frozenset[tuple[str, str]] = frozenset()
    length: float = 0.0
    busy: float = 0.0
    """Of that, until its tool's undo is done: from then on tool workers have nothing to do."""

    @property
    def wanted(self) -> dict[str, Any]:
        """The body of a request for the campaign."""
        return {
            "profile": "trial",
            "target_ids": [self.target],
            "authorisation_id": self.facade.authorisation(),
            "options": {"trial": {"port": self.port} | self.options},
        }

    def start(self) -> str:
        """A campaign's id."""
        return str(self.facade.post("/campaigns", self.wanted)["id"])

    def undisturbed(self) -> None:
        """What it comes to when nothing happens to it; known only to warm workers."""
        began = time.monotonic()
        campaign = self.start()
        self.facade.end(campaign)
        self.length = time.monotonic() - began
        ((busy,),) = self.facade.rows(
            "SELECT extract(epoch FROM max(undos.done_at) - min(campaigns.created_at)) "
            "FROM undos JOIN campaigns ON campaigns.id = campaign_id WHERE campaign_id = %s",
            campaign,
        )
        self.busy = float(busy)
        self.expected = self.facade.outcome(campaign)
        self.known = self.facade.vulnerabilities([self.target])
        if self.expected.state != "completed" or self.expected.undos != {"done"} or not self.known:
            raise RuntimeError(f"the undisturbed campaign came to {self.expected}")

    def judge(self, campaign: str, *, whole: bool = True) -> str:
        """What is wrong with a campaign that ended; one that was cancelled need not be whole."""
        found = self.facade.outcome(campaign)
        wrong = []
        if whole and found != self.expected:
            wrong.append(f"{campaign} came to {found}, undisturbed to {self.expected}")
        if not whole and (
            (found.state, found.ended_events) != ("cancelled", 1)
            or found.notices > 1  # none, where it had not begun
            or found.observations != len(found.fingerprints)
        ):
            wrong.append(f"{campaign} came to {found}")
        if (known := self.facade.vulnerabilities([self.target])) != self.known:
            wrong.append(f"after {campaign} the vulnerabilities are {known}, and were {self.known}")
        if self.register.entries or found.undos - {"done"}:
            wrong.append(f"{campaign} left {self.register.entries} behind, its undos are {set(found.undos)}")
        if left := tool_processes(self.address):
            wrong.append(f"{campaign} ended, and its tools {left} run")
        return "; ".join(wrong)


@contextmanager
def lanes(place: House, trial: int, count: int, *, zoned: bool = False, **options: Any) -> Iterator[list[Lane]]:
    """So many, where asked for with a zone of its own each; nothing has run on them."""
    with ExitStack() as stack:
        made = []
        for number in range(1, count + 1):
            address, zone = f"127.60.{trial}.{number}", f"trial-{trial}-{number}" if zoned else ""
            entries, port = stack.enter_context(register(address))
            (target,) = place.facade.targets(address, zone=zone)
            made.append(Lane(place.facade, address, target, entries, port, zone, options))
        yield made


def prepared(made: Sequence[Lane]) -> None:
    """What all of them come to when nothing happens; the very first campaign warms the workers."""
    made[0].facade.end(made[0].start())
    abreast([lane.undisturbed for lane in made])


def abreast(each: Sequence[Callable[[], None]]) -> None:
    """Do all of it at once.

    Raises:
        Exception: what one of them raised.
    """
    with ThreadPoolExecutor(len(each)) as pool:
        for done in [pool.submit(one) for one in each]:
            done.result()
