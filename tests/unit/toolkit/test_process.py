"""The guardian, with real processes."""

import asyncio
import os
import signal
import subprocess
import sys
from enum import StrEnum
from pathlib import Path

import pytest

from purple.bootstrap import Container
from purple.settings import Settings
from purple.toolkit.guardian import descendants
from purple.toolkit.process import GUARDIAN, Guardians, Limits, bare_environment

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
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(params=["started for the tool", "kept ready"])
async def guardians(request, guardians, tmp_path) -> Guardians:
    """Of which each test's first tool gets one this way or that."""
    if request.param == "kept ready":
        await start(guardians, tmp_path, ["/bin/true"])
    return guardians


def words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def guarding() -> set[int]:
    """The guardians below this process."""
    return {pid for pid in descendants(os.getpid()) if str(GUARDIAN) in words(pid)}


@pytest.fixture
def others() -> set[int]:
    """Those that are not the test's."""
    return guarding()


async def start(guardians: Guardians, folder: Path, argv: list[str], limits: Limits = LIMITS, **extra: str):
    return await guardians.run(
        argv,
        work=folder,
        environment=bare_environment(folder, extra),
        limits=limits,
        stdout=folder / "out",
        stderr=folder / "err",
    )


async def run(guardians: Guardians, folder: Path, script: str, limits: Limits = LIMITS, **extra: str):
    return await start(guardians, folder, [sys.executable, "-c", script], limits, **extra)


async def guarded_by(guardians: Guardians, folder: Path) -> int:
    """Of a tool the guardian's process."""
    ended = await run(guardians, folder, "import os; print(os.getppid())")
    assert ended.code == 0
    return int((folder / "out").read_text())


def kept(others: set[int]) -> int:
    """The only one that is here between two tools."""
    (pid,) = guarding() - others
    return pid


def pids(tmp_path: Path) -> list[int]:
    path = tmp_path / "out"
    return [int(each) for each in path.read_text().split()] if path.exists() else []


async def until(condition) -> None:
    """Sooner than what is to be killed would end by itself."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


async def test_the_exit_code_and_the_output_come_back(guardians, tmp_path) -> None:
    ended = await run(guardians, tmp_path, "import sys; print('out'); sys.stderr.write('err'); sys.exit(7)")
    assert (ended.code, ended.timed_out) == (7, False)
    assert (tmp_path / "out").read_text() == "out\n"
    assert (tmp_path / "err").read_text() == "err"


async def test_a_signal_is_told_as_a_shell_would(guardians, tmp_path) -> None:
    ended = await run(guardians, tmp_path, "import os; os.kill(os.getpid(), 11)")
    assert ended.code == 128 + 11


async def test_a_program_that_is_not_there_is_127(guardians, tmp_path) -> None:
    ended = await guardians.run(
        ["/no/such/program"],
        work=tmp_path,
        environment={},
        limits=LIMITS,
        stdout=tmp_path / "out",
        stderr=tmp_path / "err",
    )
    assert ended.code == 127
    assert "cannot start /no/such/program" in (tmp_path / "err").read_text()


async def test_a_folder_that_is_gone_is_127(guardians, tmp_path) -> None:
    ended = await guardians.run(
        ["/bin/true"],
        work=tmp_path / "gone",
        environment={},
        limits=LIMITS,
        stdout=tmp_path / "out",
        stderr=tmp_path / "err",
    )
    assert ended.code == 127
    assert (
        f"cannot start /bin/true: [Errno 2] No such file or directory: '{tmp_path}/gone'"
        in (tmp_path / "err").read_text()
    )


async def test_an_output_that_cannot_be_made_is_said_at_once(guardians, tmp_path) -> None:
    with pytest.raises(NotADirectoryError, match="/dev/null/out"):
        await start(guardians, Path("/dev/null"), ["/bin/true"])


async def test_the_wall_clock_kills_the_whole_tree(guardians, tmp_path) -> None:
    ended = await run(guardians, tmp_path, FAMILY, Limits(1.5, 1 << 30, 1 << 20))
    assert ended.timed_out
    assert len(pids(tmp_path)) == 2
    assert not any(map(alive, pids(tmp_path)))


async def test_what_has_no_time_left_is_not_started(others, guardians, tmp_path) -> None:
    for _ in range(20):  # were it started it might be killed before it can be seen
        ended = await start(guardians, tmp_path, ["/bin/echo", "started"], Limits(0, 1 << 30, 1 << 20))
        assert ended.timed_out
        assert (tmp_path / "out").read_text() == ""
    kept(others)


async def test_cancelling_kills_the_whole_tree(guardians, tmp_path) -> None:
    task = asyncio.create_task(run(guardians, tmp_path, FAMILY))
    await until(lambda: len(pids(tmp_path)) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(map(alive, pids(tmp_path)))


async def test_a_tool_that_leaves_a_child_behind_leaves_nobody(guardians, tmp_path) -> None:
    await run(guardians, tmp_path, FAMILY.rsplit("time.sleep", 1)[0])
    assert len(pids(tmp_path)) == 2
    assert not any(map(alive, pids(tmp_path)))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_the_death_of_the_worker_kills_the_whole_tree(tmp_path, number) -> None:
    worker = f"""
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from purple.toolkit.process import Guardians
from tests.unit.toolkit.test_process import FAMILY, run, start
async def work():
    guardians, folder = Guardians(), Path({str(tmp_path)!r})
    await start(guardians, folder, ["/bin/true"])
    await run(guardians, folder, FAMILY)
asyncio.run(work())
"""
    started = subprocess.Popen([sys.executable, "-c", worker], stderr=subprocess.DEVNULL)
    await until(lambda: len(pids(tmp_path)) == 2 and len(descendants(started.pid)) == 4)
    below = descendants(started.pid)
    assert {*pids(tmp_path)} < {*below}, "the tool, its child, its guardian and the next one"
    started.send_signal(number)
    started.wait()
    await until(lambda: not any(map(alive, below)))


async def test_limits_hold(guardians, tmp_path) -> None:
    ended = await run(guardians, tmp_path, "open('big', 'wb').write(b'x' * (1 << 22))", LIMITS)
    assert ended.code != 0
    assert (tmp_path / "big").stat().st_size <= 1 << 20
    ended = await run(guardians, tmp_path, "x = bytearray(1 << 31)", LIMITS)
    assert "MemoryError" in (tmp_path / "err").read_text()
    assert ended.code == 1


async def test_a_thread_takes_eight_megabytes_and_a_program_can_make_that_256_at_the_most(guardians, tmp_path) -> None:
    script = """
import resource
first = resource.getrlimit(resource.RLIMIT_STACK)
try:
    resource.setrlimit(resource.RLIMIT_STACK, (first[1] + 1, -1))
except (ValueError, OSError):
    print(*first)
"""
    await run(guardians, tmp_path, script)
    assert (tmp_path / "out").read_text() == f"{8 << 20} {256 << 20}\n"


async def test_a_tool_sees_no_secrets(guardians, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PURPLE_DATABASE__URL", "postgresql://secret")
    await run(guardians, tmp_path, "import os; print(sorted(os.environ)); print(os.environ['HOME'])", ADDED="x")
    names, home = (tmp_path / "out").read_text().splitlines()
    assert "PURPLE" not in names
    assert "ADDED" in names
    assert home == str(tmp_path)


async def test_the_second_tool_does_not_wait_for_a_guardian(others, tmp_path) -> None:
    container = Container(Settings(_env_file=None))
    assert guarding() == others, "who runs no tools keeps none"
    first = await guarded_by(container.guardians, tmp_path)
    spare = kept(others)
    assert await guarded_by(container.guardians, tmp_path) == spare != first
    last = kept(others)
    await container.close()
    assert not Path(f"/proc/{last}").exists()
    assert guarding() == others
    assert await guarded_by(container.guardians, tmp_path) != last
    assert guarding() == others, "after the end none is kept"


async def test_several_tools_at_once_have_a_guardian_each(others, guardians, tmp_path) -> None:
    for folder in (folders := [tmp_path / name for name in "abc"]):
        folder.mkdir()
    assert len(set(await asyncio.gather(*(guarded_by(guardians, folder) for folder in folders)))) == 3
    kept(others)


@pytest.mark.parametrize("known", [False, True])
async def test_a_guardian_that_died_while_it_waited_costs_no_tool(others, guardians, tmp_path, known) -> None:
    await guarded_by(guardians, tmp_path)
    os.kill(spare := kept(others), signal.SIGKILL)
    while alive(spare):
        pass  # the event loop is to learn nothing of it
    if known:
        await asyncio.sleep(0.02)
    assert await guarded_by(guardians, tmp_path) != spare
    kept(others)


async def test_a_guardian_waits_with_nothing_of_ours_but_the_lifeline(others, guardians, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PURPLE_DATABASE__URL", "postgresql://secret")
    with (tmp_path / "ours").open("wb") as ours:
        os.set_inheritable(ours.fileno(), True)  # noqa: FBT003
        await start(guardians, tmp_path, ["/bin/true"])
        process = Path(f"/proc/{kept(others)}")
        await until(lambda: {each.name for each in (process / "fd").iterdir()} == {"0", "1", "2"})
    lifeline, *rest = [(process / f"fd/{number}").readlink().name for number in range(3)]
    assert rest == ["null", "null"]
    assert lifeline.startswith("pipe:")
    assert (process / "environ").read_bytes() == b""
    assert os.getsid(int(process.name)) == int(process.name)


async def test_a_megabyte_of_arguments_comes_whole(guardians, tmp_path) -> None:
    class Word(StrEnum):
        ODD = '-x "$(y)"\n\udcff é'

    told = [Word.ODD, "", *(f"{number:01000}" for number in range(1000))]
    script = "import os, sys; sys.stdout.buffer.write(os.fsencode('|'.join(sys.argv[1:])))"
    ended = await start(guardians, tmp_path, [sys.executable, "-c", script, *told])
    assert ended.code == 0
    assert (tmp_path / "out").read_bytes() == os.fsencode("|".join(told))


async def test_cancelling_at_any_moment_leaves_nobody(others, guardians, tmp_path) -> None:
    for moment in range(20):
        task = asyncio.create_task(start(guardians, tmp_path, ["/bin/sleep", "60"]))
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await guardians.close()
    assert guarding() == others
