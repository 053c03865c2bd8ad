"""Runs programs under guardians: no shell, a bare environment, limits, and no process left behind."""

import asyncio
import contextlib
import marshal
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GUARDIAN = Path(__file__).with_name("guardian.py")
POLL_S = 0.5
REAP_S = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use."""

    wall_s: float
    """From when it is asked for; what has no time left is not started."""
    memory_bytes: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Exit:
    """How it ended; a code above 128 names a signal, as a shell would say it."""

    code: int
    timed_out: bool


def bare_environment(work: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """What a tool is told of the world: no secrets, a home that is its work folder."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(work),
        "TMPDIR": str(work),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **extra,
    }


class Guardians:
    """Runs programs, each under a guardian of its own; once one has run, the next guardian stands ready.

    Python takes 20 ms to start one, for which the next program then does not wait. All calls are of one event loop;
    `close` is owed, and after it none is kept.
    """

    def __init__(self) -> None:
        self._spare: Process | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    async def run(
        self,
        argv: Sequence[str],
        *,
        work: Path,
        environment: Mapping[str, str],
        limits: Limits,
        stdout: Path,
        stderr: Path,
        poll: Callable[[], None] = lambda: None,
    ) -> Exit:
        """Run to the end, the wall clock or cancellation; whichever comes, the whole tree is gone afterwards.

        Raises:
            OSError: the guardian itself could not be started, or a file for the output not be made.
            asyncio.CancelledError: after the tree is gone.
        """
        deadline = asyncio.get_running_loop().time() + limits.wall_s
        job = {
            "argv": [os.fsencode(each) for each in argv],
            "work": str(work),
            "environment": {os.fsencode(name): os.fsencode(value) for name, value in environment.items()},
            "stdout": str(stdout),
            "stderr": str(stderr),
            "cpu_s": max(1, int(limits.wall_s * (os.cpu_count() or 1))),
            "memory_b": limits.memory_bytes,
            "file_b": limits.file_bytes,
        }
        with stdout.open("wb"), stderr.open("wb"):
            pass  # made here, where it can be said that they cannot be; it is the guardian that writes
        guardian = await self._ready()
        keeping = asyncio.ensure_future(self._keep_one())
        try:
            if not (timed_out := asyncio.get_running_loop().time() >= deadline):
                _lifeline(guardian).write(marshal.dumps(job))
                timed_out = await _ends(guardian, deadline, poll)
        finally:
            await asyncio.shield(_let_go(guardian))
            await asyncio.shield(keeping)
        return Exit(guardian.returncode if guardian.returncode is not None else -1, timed_out)

    async def close(self) -> None:
        """Keep none from now on."""
        self._closed = True
        async with self._starting:
            spare, self._spare = self._spare, None
        if spare is not None:
            await _let_go(spare)

    async def _ready(self) -> Process:
        """The one that was kept, or one that is only being started, as where several programs begin at once."""
        spare, self._spare = self._spare, None
        if spare is not None:
            if _lives(spare):
                return spare
            await _let_go(spare)
        return await _started()

    async def _keep_one(self) -> None:
        """For the next program. Where it cannot be started nobody waits for it, and it is tried again then."""
        async with self._starting:
            if self._spare is None and not self._closed:
                with contextlib.suppress(OSError):
                    self._spare = await _started()


async def _started() -> Process:
    """One that waits for its job; it has nothing of ours but the lifeline."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(GUARDIAN)),
        env={},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


def _lives(guardian: Process) -> bool:
    """Asked of the kernel: the event loop hears of a death only later."""
    try:
        return os.waitid(os.P_PID, guardian.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False  # the loop's watcher has just collected it


def _lifeline(guardian: Process) -> asyncio.StreamWriter:
    assert guardian.stdin, "it is piped"  # noqa: S101
    return guardian.stdin


async def _ends(guardian: Process, deadline: float, poll: Callable[[], None]) -> bool:
    """Whether the deadline, in seconds of the loop's clock, came first."""
    waiting = asyncio.ensure_future(guardian.wait())
    try:
        while not waiting.done():
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return True
            await asyncio.wait([waiting], timeout=min(POLL_S, left))
            poll()
    finally:
        waiting.cancel()
    return False


async def _let_go(guardian: Process) -> None:
    """Cut the lifeline, with what of the job has not gone through it, and wait until the guardian has cleared up."""
    lifeline = _lifeline(guardian)
    if not lifeline.is_closing():
        lifeline.transport.abort()
    try:
        async with asyncio.timeout(REAP_S):
            await guardian.wait()
    except TimeoutError:
        guardian.kill()
        await guardian.wait()
