"""The process that holds the stack: `python -m purple.stack.supervisor --home H …`.

It is started detached by `Stack.up`, and lives until it gets SIGTERM or, with `--lifeline`, until its standard
input closes, which it does when the process that started it dies by whatever cause.
"""

import argparse
import fcntl
import os
import signal
import sys
import threading
import time
from pathlib import Path

from purple.domain.errors import PurpleError
from purple.settings import Settings
from purple.settings.app import stack_env_file
from purple.stack.catalogue import build_parts
from purple.stack.files import Secrets
from purple.stack.keeper import Keeper
from purple.stack.parts.base import Part, Site
from purple.stack.ports import Ports
from purple.stack.processes import ProcessId, end, kill, marked, server_user
from purple.stack.state import Board, PartStatus, StackState, read_state, state_file

STOP_S = 25.0
"""For one layer of parts to end by themselves; Elasticsearch may take its time."""


def sweep(home: Path, state: StackState | None) -> None:
    """End whatever an earlier supervisor left running; every process is checked to be that very one."""
    if state:
        for part in reversed(state.parts.values()):
            if part.process:
                end(part.process, part.stop_signal, 10)
    kill(marked(str(home)))


class Supervisor:
    """All keepers of one stack."""

    def __init__(self, home: Path, parts: list[Part], board: Board) -> None:
        self._home = home
        self._keepers = {part.name: Keeper(part, board, str(home)) for part in parts}

    def start(self) -> None:
        """Start every part; each waits for what it needs by itself."""
        for keeper in self._keepers.values():
            keeper.start()

    def stop(self) -> None:
        """End the parts, those first that nobody needs any more."""
        running = dict(self._keepers)
        while running:
            needed = {need for keeper in running.values() for need in keeper.part.needs}
            layer = [keeper for name, keeper in running.items() if name not in needed]
            for keeper in layer:
                keeper.ask_to_stop()
            deadline = time.monotonic() + STOP_S
            for keeper in layer:
                keeper.join(max(0.0, deadline - time.monotonic()))
                del running[keeper.part.name]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m purple.stack.supervisor")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--parts", required=True, help="names, with commas between")
    parser.add_argument("--ephemeral", action="store_true", help="data may be lost: tests")
    parser.add_argument("--lifeline", action="store_true", help="end when standard input closes")
    return parser.parse_args()


def _hold_lock(home: Path) -> None:
    """One supervisor a home; the lock goes with the process, however it ends."""
    handle = os.open(home / "supervisor.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PurpleError(f"a stack is already running in {home}", remedy="`purple down` ends it") from None


def _watch_lifeline(stop: threading.Event) -> None:
    while os.read(0, 1024):
        pass
    stop.set()


def run(arguments: argparse.Namespace) -> None:
    """Hold the stack until told to end it.

    Raises:
        PurpleError: another supervisor holds this home.
    """
    home: Path = arguments.home
    _hold_lock(home)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sweep(home, read_state(home))
    if arguments.lifeline:
        threading.Thread(target=_watch_lifeline, args=[stop], daemon=True).start()
    site = Site(
        home=home,
        cache=arguments.cache,
        own=Settings(),
        user=server_user(),
        ports=Ports(home / "ports.json", usual=not arguments.ephemeral),
        secrets=Secrets(home / "secrets.json"),
        ephemeral=arguments.ephemeral,
    )
    identity = ProcessId.of(os.getpid())
    if identity is None:
        raise PurpleError("/proc is not readable", remedy="mount it; the stack needs Linux")
    logs = home / "logs"
    parts = build_parts(site, arguments.parts.split(","))
    board = Board(
        home,
        identity,
        {
            part.name: PartStatus(name=part.name, title=part.title, since=time.time(), log=logs / f"{part.name}.log")
            for part in parts
        },
    )
    for part in parts:
        part.offered = board.offered
    supervisor = Supervisor(home, parts, board)
    supervisor.start()
    while not stop.wait(3600):
        pass
    supervisor.stop()
    sweep(home, read_state(home))
    stack_env_file(home).unlink(missing_ok=True)
    state_file(home).unlink(missing_ok=True)


def main() -> int:
    """Run, with errors as one line for the supervisor's own log."""
    try:
        run(_arguments())
    except PurpleError as error:
        sys.stderr.write(f"{error.line()}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
