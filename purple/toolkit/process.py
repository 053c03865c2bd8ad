"""Runs one program under the guardian: no shell, a bare environment, limits, and no process left behind."""

import asyncio
import os
import sys
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


async def run_guarded(
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
        OSError: the guardian itself could not be started.
        asyncio.CancelledError: after the tree is gone.
    """
    cpu_s = max(1, int(limits.wall_s * (os.cpu_count() or 1)))
    guard = [sys.executable, "-I", "-S", str(GUARDIAN), str(cpu_s), str(limits.memory_bytes), str(limits.file_bytes)]
    with stdout.open("wb") as out, stderr.open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            *guard,
            "--",
            *argv,
            cwd=work,
            env=dict(environment),
            stdin=asyncio.subprocess.PIPE,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    timed_out = False
    waiting = asyncio.ensure_future(process.wait())
    deadline = asyncio.get_running_loop().time() + limits.wall_s
    try:
        while not waiting.done():
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                timed_out = True
                break
            await asyncio.wait([waiting], timeout=min(POLL_S, left))
            poll()
    finally:
        await asyncio.shield(_let_go(process, waiting))
    return Exit(process.returncode if process.returncode is not None else -1, timed_out)


async def _let_go(process: asyncio.subprocess.Process, waiting: "asyncio.Future[int]") -> None:
    """Close the lifeline and wait until the guardian has cleared up."""
    if process.stdin is not None:
        process.stdin.close()
    done, _ = await asyncio.wait([waiting], timeout=REAP_S)
    if not done:
        process.kill()
        await waiting
