"""The guardian, with real processes."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from purple.toolkit.process import Limits, bare_environment, run_guarded

LIMITS = Limits(wall_s=30, memory_bytes=1 << 30, file_bytes=1 << 20)
FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def run(tmp_path: Path, script: str, limits: Limits = LIMITS, **secret: str):
    return await run_guarded(
        [sys.executable, "-c", script],
        work=tmp_path,
        environment=bare_environment(tmp_path, secret),
        limits=limits,
        stdout=tmp_path / "out",
        stderr=tmp_path / "err",
    )


def pids(tmp_path: Path) -> list[int]:
    path = tmp_path / "out"
    return [int(each) for each in path.read_text().split()] if path.exists() else []


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


async def test_the_exit_code_and_the_output_come_back(tmp_path) -> None:
    ended = await run(tmp_path, "import sys; print('out'); sys.stderr.write('err'); sys.exit(7)")
    assert (ended.code, ended.timed_out) == (7, False)
    assert (tmp_path / "out").read_text() == "out\n"
    assert (tmp_path / "err").read_text() == "err"


async def test_a_signal_is_told_as_a_shell_would(tmp_path) -> None:
    ended = await run(tmp_path, "import os; os.kill(os.getpid(), 11)")
    assert ended.code == 128 + 11


async def test_a_program_that_is_not_there_is_127(tmp_path) -> None:
    ended = await run_guarded(
        ["/no/such/program"],
        work=tmp_path,
        environment={},
        limits=LIMITS,
        stdout=tmp_path / "out",
        stderr=tmp_path / "err",
    )
    assert ended.code == 127
    assert "cannot start /no/such/program" in (tmp_path / "err").read_text()


async def test_the_wall_clock_kills_the_whole_tree(tmp_path) -> None:
    ended = await run(tmp_path, FAMILY, Limits(1.5, 1 << 30, 1 << 20))
    assert ended.timed_out
    assert len(pids(tmp_path)) == 2
    assert not any(map(alive, pids(tmp_path)))


async def test_cancelling_kills_the_whole_tree(tmp_path) -> None:
    task = asyncio.create_task(run(tmp_path, FAMILY))
    await until(lambda: len(pids(tmp_path)) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(map(alive, pids(tmp_path)))


async def test_a_tool_that_leaves_a_child_behind_leaves_nobody(tmp_path) -> None:
    await run(tmp_path, FAMILY.rsplit("time.sleep", 1)[0])
    assert len(pids(tmp_path)) == 2
    assert not any(map(alive, pids(tmp_path)))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_the_death_of_the_worker_kills_the_whole_tree(tmp_path, number) -> None:
    worker = f"""
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.unit.toolkit.test_process import FAMILY, run
asyncio.run(run(Path({str(tmp_path)!r}), FAMILY))
"""
    started = subprocess.Popen([sys.executable, "-c", worker], stderr=subprocess.DEVNULL)
    await until(lambda: len(pids(tmp_path)) == 2)
    started.send_signal(number)
    started.wait()
    await until(lambda: not any(map(alive, pids(tmp_path))))


async def test_limits_hold(tmp_path) -> None:
    ended = await run(tmp_path, "open('big', 'wb').write(b'x' * (1 << 22))", LIMITS)
    assert ended.code != 0
    assert (tmp_path / "big").stat().st_size <= 1 << 20
    ended = await run(tmp_path, "x = bytearray(1 << 31)", LIMITS)
    assert "MemoryError" in (tmp_path / "err").read_text()
    assert ended.code == 1


async def test_a_tool_sees_no_secrets(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PURPLE_DATABASE__URL", "postgresql://secret")
    await run(tmp_path, "import os; print(sorted(os.environ)); print(os.environ['HOME'])", ADDED="x")
    names, home = (tmp_path / "out").read_text().splitlines()
    assert "PURPLE" not in names
    assert "ADDED" in names
    assert home == str(tmp_path)
