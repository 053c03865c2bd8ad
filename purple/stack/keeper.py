"""Keeps one part alive: a thread that starts it, watches its health and starts it again when it dies."""

import math
import shutil
import subprocess
import threading
import time
from pathlib import Path
from signal import SIGKILL

from purple.domain.errors import PurpleError
from purple.stack.parts.base import Part, PartAbsentError
from purple.stack.processes import Launch, ProcessId, end, start
from purple.stack.state import Board, PartState

PROBE_S = 5.0
"""Between two looks at the health of a part that serves."""
SICK_PROBES = 6
"""So many looks in vain, and a part that lives but does not serve is started again: half a minute of a busy machine
is forgiven."""
STEADY_S = 60.0
"""A part that served so long is taken to have started well; the pause before its next start is short again."""
EPHEMERAL_STEADY_S = 3.0
"""The same for data that may be lost: trials end their parts, again and again."""
LONGEST_PAUSE_S = 30.0
PATIENCE = 3
"""So many starts in vain, and the part is called failing."""
LOG_BYTES = 50_000_000


def log_tail(log: Path, lines: int = 1) -> str:
    """The last lines of a log that say something, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            said = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    except OSError:
        return ""
    return " / ".join([line for line in said if line][-lines:])[-400:]


class Keeper(threading.Thread):
    """One part's life."""

    def __init__(self, part: Part, board: Board, mark: str) -> None:
        super().__init__(name=f"keeper-{part.name}", daemon=True)
        self.part = part
        self._board = board
        self._mark = mark
        self._asked = threading.Event()
        self._over = False
        self._ready_at = math.inf

    def ask_to_stop(self) -> None:
        """Let the thread end its process and return."""
        self._asked.set()
        self._board.wake()

    def _set(self, **changes: object) -> None:
        self._board.set(self.part.name, **changes)

    def _say(self, detail: str) -> None:
        self._set(detail=detail)

    @property
    def _log(self) -> Path:
        return self._board.of(self.part.name).log

    def run(self) -> None:
        """Until told to stop, or the part is done or absent."""
        failures, steady_s = 0, EPHEMERAL_STEADY_S if self.part.site.ephemeral else STEADY_S
        if self.part.early:
            self._board.offer(self.part.offers())
        while not self._asked.is_set():
            if not self._board.wait_good(self.part.needs, self._asked):
                break
            self._ready_at = math.inf
            trouble = self._try_once()
            if self._asked.is_set() or self._over:
                break
            if not trouble:
                continue  # its settings changed: at once, and no failure
            failures = 1 if time.monotonic() - self._ready_at > steady_s else failures + 1
            hopeless = failures >= PATIENCE
            self._set(
                state=PartState.FAILING if hopeless else PartState.RESTARTING,
                detail=trouble,
                restarts=self._board.of(self.part.name).restarts + 1,
            )
            self._asked.wait(min(0.5 * 2 ** (failures - 1), LONGEST_PAUSE_S))
        if not self._over:
            self._set(state=PartState.STOPPED)

    def _try_once(self) -> str:
        """One life of the part; what was wrong, or nothing."""
        try:
            return self._live()
        except PartAbsentError as absent:
            self._over = True
            self._board.retract(self.part.offers())
            self._set(state=PartState.ABSENT, detail=absent.line())
        except PurpleError as error:
            return error.line()
        except Exception as error:  # noqa: BLE001 - a keeper must outlive whatever its part runs into
            return f"{type(error).__name__}: {error}"
        return ""

    def _live(self) -> str:
        part = self.part
        self._set(state=PartState.PREPARING)
        launch = part.prepare(self._say)
        if self._asked.is_set():
            return ""
        if launch is None:
            return self._look_at_external()
        known = self._board.offered()
        process, identity = self._start(launch)
        try:
            if part.once:
                return self._see_through(process)
            trouble = self._await_health(process)
            if trouble or self._asked.is_set():
                return trouble
            part.settle()
            self._board.offer(part.offers())
            self._set(state=PartState.READY)
            self._ready_at = time.monotonic()
            trouble = self._watch(process, identity, known)
            if trouble:  # before its process is forgotten: nobody shall see a ready part without one
                self._set(state=PartState.RESTARTING)
            return trouble
        finally:
            end(identity, launch.stop_signal, launch.grace_s)
            process.wait()
            self._set(process=None)

    def _start(self, launch: Launch) -> tuple[subprocess.Popen[bytes], ProcessId]:
        self._rotate()
        try:
            process = start(launch, self._log, self._mark)
        except OSError as error:
            raise PurpleError(f"{launch.argv[0]} cannot be started: {error}") from error
        identity = ProcessId.of(process.pid)
        if identity is None:  # cannot be: it waits for us to reap it
            process.send_signal(SIGKILL)
            raise PurpleError(f"{launch.argv[0]} vanished")
        self._set(state=PartState.STARTING, process=identity, stop_signal=int(launch.stop_signal))
        return process, identity

    def _died(self, process: subprocess.Popen[bytes]) -> str:
        code = process.returncode
        how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"{how}: {log_tail(self._log) or 'it said nothing'}"

    def _await_health(self, process: subprocess.Popen[bytes]) -> str:
        deadline = time.monotonic() + self.part.start_timeout_s
        while not self._asked.wait(0.1):
            if process.poll() is not None:
                return self._died(process)
            if self.part.healthy():
                return ""
            if time.monotonic() > deadline:
                return f"does not serve after {self.part.start_timeout_s:.0f} s: {log_tail(self._log)}"
        return ""

    def _see_through(self, process: subprocess.Popen[bytes]) -> str:
        deadline = time.monotonic() + self.part.start_timeout_s
        while not self._asked.wait(0.05):
            if process.poll() == 0:
                self._over = True
                self._board.offer(self.part.offers())
                self._set(state=PartState.DONE)
                return ""
            if process.returncode is not None:
                return self._died(process)
            if time.monotonic() > deadline:
                return f"is not done after {self.part.start_timeout_s:.0f} s"
        return ""

    def _watch(self, process: subprocess.Popen[bytes], identity: ProcessId, known: dict[str, str]) -> str:
        sick = 0
        probe_at = time.monotonic() + PROBE_S
        while not self._asked.is_set():
            if identity.wait(0.2):
                process.wait()
                return self._died(process)
            if changed := self._followed(self._board.offered()) ^ self._followed(known):
                self._say(f"started again, for {', '.join(sorted({name for name, _ in changed}))} changed")
                return ""
            if time.monotonic() < probe_at:
                continue
            sick = 0 if self.part.healthy() else sick + 1
            if sick >= SICK_PROBES:
                return f"lived and did not serve for {SICK_PROBES * PROBE_S:.0f} s"
            self._rotate()
            self._board.keep()
            probe_at = time.monotonic() + PROBE_S
        return ""

    def _followed(self, offered: dict[str, str]) -> set[tuple[str, str]]:
        return {(name, value) for name, value in offered.items() if name.startswith(self.part.follows)}

    def _look_at_external(self) -> str:
        self._set(external=True, state=PartState.STARTING)
        serves = False
        while not self._asked.is_set():
            if self.part.healthy():
                if not serves:
                    self._ready_at = time.monotonic()
                serves = True
                self._set(state=PartState.READY)
            elif serves:
                return f"your {self.part.title} went away"
            else:
                return f"your {self.part.title} does not answer"
            self._asked.wait(PROBE_S)
        return ""

    def _rotate(self) -> None:
        """Keep one older log; what is written appends, so cutting the file is safe."""
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES:
            shutil.copyfile(self._log, self._log.with_suffix(".log.1"))
            with self._log.open("r+b") as file:
                file.truncate(0)
