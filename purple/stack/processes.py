"""Processes of the stack: who they are, how they are started, and how they are ended for certain.

A process id alone is never trusted: it is remembered with the moment it started and the boot it started in, so
that a number which was given to somebody else since is never signalled.
"""

import contextlib
import os
import pwd
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

MARK = "PURPLE_STACK_MARK"
"""Environment variable that names the home of the stack a process belongs to; inherited by its children."""

_PROC = Path("/proc")


@cache
def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True, slots=True)
class _Stat:
    state: str
    session: int
    started: int


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before it may hold anything, see proc(5)
    return _Stat(state=fields[0], session=int(fields[3]), started=int(fields[19]))


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process, for ever: `started` counts clock ticks after the boot named by `boot`."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """The identity of a running process, or nothing if it is gone."""
        stat = _stat(pid)
        return None if stat is None else cls(pid, stat.started, _boot())

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; one that only waits to be reaped does not."""
        stat = _stat(self.pid)
        return stat is not None and stat.started == self.started and stat.state not in "ZX" and _boot() == self.boot

    def signal(self, number: int) -> None:
        """Send a signal to this process and to no other; nothing happens if it is gone."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return
        try:
            if self.alive:  # checked while the handle pins the process, so the number cannot change hands
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)

    def wait(self, timeout_s: float) -> bool:
        """Wait until the process is gone; whether it is."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return True
        try:
            if self.alive:
                select.select([handle], [], [], timeout_s)
            return not self.alive
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Whom servers run as when the stack was started by root; PostgreSQL and Elasticsearch refuse root."""

    name: str
    uid: int
    gid: int


def server_user() -> ServerUser | None:
    """`nobody` when we are root, else nothing: servers then run as the user who started them."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start one process."""

    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: ServerUser | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    """How long the process may take to end by itself after `stop_signal`."""


def plain_environment(home: Path) -> dict[str, str]:
    """What a server is told of the world: no secrets, no settings of the user's."""
    return {"PATH": os.defpath + ":/usr/sbin:/sbin", "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC"}


def start(launch: Launch, log: Path, mark: str) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, its output appended to `log`.

    Raises:
        OSError: the program cannot be started.
    """
    user = launch.user
    with log.open("ab") as out:
        return subprocess.Popen(
            launch.argv,
            cwd=launch.cwd,
            env={**launch.environment, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=() if user else None,
            umask=0o077,
        )


def family(leader: ProcessId) -> list[ProcessId]:
    """The processes of the session that `leader` opened, also when it is gone itself."""
    now = _stat(leader.pid)
    if now is not None and now.started != leader.started:
        return []  # the number belongs to somebody else by now
    if _boot() != leader.boot:
        return []
    return [one for one in _all() if (stat := _stat(one.pid)) and stat.session == leader.pid and one.alive]


def marked(mark: str) -> list[ProcessId]:
    """The processes that carry a stack's mark, as far as the kernel lets us look."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for one in _all():
        with contextlib.suppress(OSError):
            if wanted in (_PROC / str(one.pid) / "environ").read_bytes().split(b"\0") and one.pid != os.getpid():
                found.append(one)
    return [one for one in found if one.alive]


def _all() -> Iterable[ProcessId]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (one := ProcessId.of(int(entry.name))):
            yield one


def end(leader: ProcessId, stop_signal: int, grace_s: float) -> None:
    """End a process and what is left of its session: politely first, then for certain."""
    leader.signal(stop_signal)
    leader.wait(grace_s)
    kill([leader, *family(leader)])


def kill(processes: Iterable[ProcessId]) -> None:
    """SIGKILL, and wait until the processes are gone."""
    several = list(processes)
    for one in several:
        one.signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    for one in several:
        one.wait(max(0.0, deadline - time.monotonic()))
