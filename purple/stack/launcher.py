"""Starts a supervisor, follows it and ends it, from another process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values

from purple.domain.errors import PurpleError
from purple.stack.keeper import log_tail
from purple.stack.processes import ProcessId, kill
from purple.stack.state import PartState, StackState, read_state, state_file
from purple.stack.supervisor import sweep

STOP_S = 90.0
POLL_S = 0.05

Watcher = Callable[[StackState], None]


def own_environment() -> dict[str, str]:
    """The environment with the settings of the working folder's `.env`, which must not depend on where we go."""
    written = {k: v for k, v in dotenv_values(".env").items() if v is not None and k.startswith("PURPLE_")}
    return written | dict(os.environ)


def running(home: Path) -> StackState | None:
    """The state of the stack in `home`, if its supervisor is alive."""
    state = read_state(home)
    return state if state and state.supervisor.alive else None


def spawn(
    home: Path,
    cache: Path,
    parts: Iterable[str],
    *,
    ephemeral: bool = False,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a supervisor. With `ephemeral` it ends with us: its standard input is our lifeline."""
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "purple.stack.supervisor"]
    argv += ["--home", str(home), "--cache", str(cache), "--parts", ",".join(parts)]
    argv += ["--ephemeral", "--lifeline"] if ephemeral else []
    with (logs / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            argv,
            cwd=home,
            env=own_environment() if environment is None else environment,
            stdin=subprocess.PIPE if ephemeral else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def follow(
    home: Path,
    process: subprocess.Popen[bytes] | None,
    wanted: Iterable[str],
    *,
    timeout_s: float,
    watcher: Watcher | None = None,
) -> StackState:
    """Wait until every wanted part serves or is known to be absent.

    Raises:
        PurpleError: a part does not come up, the supervisor died, or the time is over; the message says which.
    """
    names = list(wanted)
    deadline = time.monotonic() + timeout_s
    while True:
        state = running(home)
        if state and (process is None or state.supervisor.pid == process.pid):
            if watcher:
                watcher(state)
            parts = [state.parts[name] for name in names if name in state.parts]
            for part in parts:
                if part.state is PartState.FAILING:
                    raise PurpleError(f"{part.title} does not start: {part.detail}", remedy=f"see {part.log}")
            if all(part.state.good or part.state is PartState.ABSENT for part in parts):
                return state
            late = ", ".join(p.title for p in parts if not p.state.good)
        elif process is not None and process.poll() is not None:
            raise PurpleError(f"the stack's supervisor ended: {log_tail(home / 'logs/supervisor.log')}")
        elif process is None:
            raise PurpleError("the stack went down while it was waited for")
        else:
            late = "the supervisor"
        if time.monotonic() > deadline:
            raise PurpleError(f"not ready after {timeout_s:.0f} s: {late}", remedy=f"see {home / 'logs'}")
        time.sleep(POLL_S)


def bring_down(home: Path) -> bool:
    """End the stack in `home` and everything it left, also when its supervisor was killed; whether there was one."""
    state = read_state(home)
    if state is None:
        sweep(home, None)
        return False
    supervisor: ProcessId = state.supervisor
    was_alive = supervisor.alive
    if was_alive:
        supervisor.signal(15)
        if not supervisor.wait(STOP_S):
            kill([supervisor])
    sweep(home, read_state(home))
    for leftover in (home / "stack.env", state_file(home)):
        leftover.unlink(missing_ok=True)
    return was_alive or any(part.process for part in state.parts.values())
