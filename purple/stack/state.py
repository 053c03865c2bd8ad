"""What a stack says of itself: a file that the supervisor rewrites at each change and anybody may read."""

import contextlib
import threading
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from purple.settings.app import stack_env_file
from purple.stack.files import write_private
from purple.stack.processes import ProcessId


class PartState(StrEnum):
    """How far a part is."""

    WAITING = "waiting"
    """For the parts it needs."""
    PREPARING = "preparing"
    """Getting or making what it starts from."""
    STARTING = "starting"
    """Its process runs and does not serve yet."""
    READY = "ready"
    DONE = "done"
    """A one-time step ended well."""
    RESTARTING = "restarting"
    """It died, and is started again after a pause."""
    FAILING = "failing"
    """It does not come up; the detail says why. It is still tried, more and more seldom."""
    ABSENT = "absent"
    """It cannot be had here, and the stack works without it."""
    STOPPED = "stopped"

    @property
    def good(self) -> bool:
        """Whether others may build on it."""
        return self in {PartState.READY, PartState.DONE}


class PartStatus(BaseModel):
    """One part. `since` is seconds after the epoch, when the present state began."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    state: PartState = PartState.WAITING
    detail: str = ""
    since: float
    restarts: int = 0
    external: bool = False
    process: ProcessId | None = None
    stop_signal: int = 15
    log: Path


class StackState(BaseModel):
    """The whole stack."""

    supervisor: ProcessId
    started_at: float
    parts: dict[str, PartStatus]
    offered: dict[str, str] = {}
    """Settings by which the parts are found, passwords included."""


def state_file(home: Path) -> Path:
    """Where the state is kept; 0600, for it holds passwords."""
    return home / "state.json"


def read_state(home: Path) -> StackState | None:
    """The last state that was written, or nothing."""
    try:
        return StackState.model_validate_json(state_file(home).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def env_text(values: Mapping[str, str]) -> str:
    """An env file, one quoted value a line."""
    head = "# Written by the running stack of Purple; gone when it is down.\n"
    return head + "".join(f"{name}='{value}'\n" for name, value in sorted(values.items()))


class Board:
    """The state while the stack runs: each part's keeper writes its own line, everybody reads."""

    def __init__(self, home: Path, supervisor: ProcessId, parts: Mapping[str, PartStatus]) -> None:
        self._home = home
        self._supervisor = supervisor
        self._started = time.time()
        self._parts = dict(parts)
        self._offered: dict[str, str] = {}
        self._changed = threading.Condition()
        self._published = self._offered
        self._written = True
        with self._changed:
            self._write()

    def of(self, name: str) -> PartStatus:
        """One part now."""
        with self._changed:
            return self._parts[name]

    def set(self, name: str, **changes: object) -> None:
        """Change one part; the age starts anew with each new state."""
        with self._changed:
            old = self._parts[name]
            if changes.get("state", old.state) != old.state:
                changes["since"] = time.time()
            self._parts[name] = old.model_copy(update=changes)
            self._keep()
            self._changed.notify_all()

    def offer(self, values: Mapping[str, str]) -> None:
        """Publish settings for the other parts and in `stack.env`."""
        with self._changed:
            self._publish(self._offered | dict(values))

    def retract(self, names: Mapping[str, str]) -> None:
        """Take settings back: their part cannot be had."""
        with self._changed:
            self._publish({name: value for name, value in self._offered.items() if name not in names})

    def _publish(self, values: dict[str, str]) -> None:
        if values == self._offered:
            return
        self._offered = values
        self._keep()
        self._changed.notify_all()

    def offered(self) -> dict[str, str]:
        """What has been published so far."""
        with self._changed:
            return dict(self._offered)

    def wake(self) -> None:
        """Let everybody who waits look again."""
        with self._changed:
            self._changed.notify_all()

    def wait_good(self, names: tuple[str, ...], stop: threading.Event) -> bool:
        """Wait until all of `names` are good; false when told to stop."""
        with self._changed:
            self._changed.wait_for(lambda: stop.is_set() or all(self._parts[name].state.good for name in names))
        return not stop.is_set()

    def keep(self) -> None:
        """Write what could not be written when it changed."""
        with self._changed:
            if not self._written:
                self._keep()

    def _keep(self) -> None:
        """What holds the stack goes on where its disk is full: the files then tell how it was before."""
        self._written = False
        with contextlib.suppress(OSError):
            self._write()
            self._written = True

    def _write(self) -> None:
        if self._published != self._offered:
            write_private(stack_env_file(self._home), env_text(self._offered))
            self._published = self._offered
        state = StackState(
            supervisor=self._supervisor, started_at=self._started, parts=self._parts, offered=self._offered
        )
        write_private(state_file(self._home), state.model_dump_json())
