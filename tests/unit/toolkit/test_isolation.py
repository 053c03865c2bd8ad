"""Isolation of tools, with real processes. Where the machine allows none, that is what must be said."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest

from purple.bootstrap import Container
from purple.domain.errors import UnavailableError
from purple.domain.isolation import Isolation, Start
from purple.domain.tools import ScanState, ToolJob, ToolTarget
from purple.settings import Settings
from purple.settings.paths import default_cache
from purple.toolkit.guardian import descendants
from purple.toolkit.isolation import ALWAYS, PACKAGE, Bubblewrap, Isolations, NoIsolation, View
from purple.toolkit.packages import DebianPackages, Found
from purple.toolkit.process import Exit, Limits, bare_environment
from purple.toolkit.tools.runner import GuardedRunner
from purple.toolkit.world import SystemClock
from tests.unit.toolkit.test_process import FAMILY, alive, guarding, until
from tests.unit.toolkit.test_runner import catalogue
from workers.runner import run_roles

LIMITS = Limits(wall_s=30, memory_bytes=1 << 30, file_bytes=1 << 20)
LOOK = """
import json, os, socket, sys
def attempt(what):
    try:
        return what()
    except OSError as error:
        return type(error).__name__
home, other, secret, shown, port, word = sys.argv[1:]
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
open("made", "w").write("x")
print(json.dumps({
    "home": attempt(lambda: sorted(os.listdir(home))),
    "other": attempt(lambda: os.listdir(other)),
    "secret": attempt(lambda: open(secret).read()),
    "shown": attempt(lambda: open(shown).read()),
    "shown_written": attempt(lambda: open(shown, "w").write("x")),
    "machine_written": attempt(lambda: open(f"/etc/{word}", "w").write("x")),
    "temporary": attempt(lambda: open(f"/tmp/{word}", "w").write("x")),
    "run": attempt(lambda: [each for each in os.listdir("/run") if each.endswith(".sock")]),
    "processes": [int(each) for each in os.listdir("/proc") if each.isdigit()],
    "session": os.getsid(0),
    "connects": attempt(lambda: socket.create_connection(("127.0.0.1", int(port))).close()),
    "raw": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP).close()),
    "capabilities": int(status["CapEff"], 16),
    "new_privileges": int(status["NoNewPrivs"]),
    "libraries": os.environ.get("LD_LIBRARY_PATH"),
    "names": attempt(lambda: open("/etc/resolv.conf").read()),
}))
sys.exit(7)
"""
NET_RAW, NET_BIND = 13, 10


@pytest.fixture(scope="module")
def program() -> Found:
    """Bubblewrap of its package, which finds its libraries only with what is added to its environment."""
    root = DebianPackages(default_cache()).ensure(PACKAGE)
    found = root.which("bwrap")
    assert found
    return Found(found, root.environment())


def works(program: Found, user: int | None = None) -> bool:
    """Whether this machine allows it to a user; asked without any of what is tested."""
    argv = [program.path, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-pid", "/bin/true"]
    done = subprocess.run(argv, env=program.environment, user=user, cwd="/", capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture
def isolation(program) -> Isolation | None:
    """What is tested; none where the machine allows none, which is said then."""
    made = Bubblewrap(program)
    assert bool(made.trouble()) is not works(program)
    return made if works(program) else None


async def run(guardians, start: Start, limits: Limits = LIMITS) -> Exit:
    return await guardians.run(
        start.argv,
        work=start.work,
        environment=start.environment,
        limits=limits,
        stdout=start.work / "out",
        stderr=start.work / "err",
    )


def python(work: Path, script: str, *arguments: str, **extra: str) -> Start:
    return Start((sys.executable, "-c", script, *arguments), bare_environment(work, extra), work)


async def test_a_tool_sees_and_reaches_no_more_than_it_needs(program, isolation, guardians, tmp_path) -> None:
    if isolation is None:
        return
    home, cache = tmp_path / "home", tmp_path / "home/cache"
    work, other = home / "data/scratch/one", home / "data/scratch/two"
    for folder in (work, other, cache):
        folder.mkdir(parents=True)
    for file in ("home/stack.env", "home/cache/word", "secret"):
        (tmp_path / file).write_text("word")
    view = View(hidden=(home, tmp_path / "secret", tmp_path / "not-there"), shown=(cache, tmp_path))
    word = f"purple-{uuid4()}"
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = (home, other, tmp_path / "secret", cache / "word", server.getsockname()[1], word)
        start = python(work, LOOK, *map(str, told), LD_LIBRARY_PATH="/of/the/tool")
        ended = await run(guardians, Bubblewrap(program, view).around(start))
    assert (ended.code, (work / "err").read_text()) == (7, "")
    seen = json.loads((work / "out").read_text())
    assert (work / "made").read_text() == "x"
    assert seen["home"] == ["cache", "data"], "what lies above what is shown, and nothing beside it"
    assert seen["other"] == "FileNotFoundError"
    assert seen["secret"] in {"PermissionError", ""}
    assert (seen["shown"], seen["shown_written"]) == ("word", "OSError")
    assert seen["machine_written"] in {"OSError", "PermissionError"}
    assert (seen["temporary"], Path("/tmp", word).exists()) == (1, False)  # noqa: S108
    assert seen["run"] == []
    assert max(seen["processes"]) < 10
    assert seen["session"] not in {0, os.getsid(0)}
    assert seen["connects"] is None, "the network is the machine's"
    assert seen["raw"] == (None if os.geteuid() == 0 else "PermissionError")
    assert seen["capabilities"] == ((1 << NET_RAW | 1 << NET_BIND) if os.geteuid() == 0 else 0)
    assert seen["new_privileges"] == 1
    assert seen["libraries"] == "/of/the/tool"
    assert seen["names"] == Path("/etc/resolv.conf").read_text()


async def test_how_it_ends_is_how_the_tool_ended(program, isolation, guardians, tmp_path) -> None:
    if isolation is None:
        return
    ended = await run(guardians, isolation.around(python(tmp_path, "import os; os.kill(os.getpid(), 11)")))
    assert ended.code == 128 + 11
    assert isolation.complaint(ended.code, tmp_path / "err") == ""
    quiet = isolation.around(python(tmp_path, "import os, sys; print(os.environ.get('LD_LIBRARY_PATH')); sys.exit(1)"))
    ended = await run(guardians, quiet)
    assert (ended.code, isolation.complaint(ended.code, tmp_path / "err")) == (1, "")
    assert (tmp_path / "out").read_text() == "None\n", "what bubblewrap needs is not told to the tool"
    ended = await run(guardians, isolation.around(Start(("/no/such",), {}, tmp_path)))
    assert isolation.complaint(ended.code, tmp_path / "err") == "bwrap: execvp /no/such: No such file or directory"


def below() -> set[int]:
    return {*descendants(os.getpid())}


@pytest.mark.parametrize("how", ["time", "cancelled", "left behind", "guardian killed"])
async def test_the_whole_tree_dies_with_the_run(program, isolation, guardians, tmp_path, how) -> None:
    if isolation is None:
        return
    waits = "while not os.path.exists('go'): time.sleep(0.01)"
    script = FAMILY.rsplit("time.sleep", 1)[0] + waits if how == "left behind" else FAMILY
    limits = Limits(1.5, 1 << 30, 1 << 20) if how == "time" else LIMITS
    before = below()
    task = asyncio.create_task(run(guardians, isolation.around(python(tmp_path, script)), limits))
    await until(lambda: (tmp_path / "out").exists() and (tmp_path / "out").read_text().endswith("\n"))
    during = below() - before
    (tmp_path / "go").touch()
    if how == "guardian killed":
        for guardian in guarding() & during:
            os.kill(guardian, signal.SIGKILL)
    if how == "cancelled":
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        assert (await task).timed_out is (how == "time")
    await guardians.close()
    assert len(during) >= 5, "two guardians, bubblewrap outside and inside, the tool and its child"
    await until(lambda: not any(map(alive, during)))


async def test_the_death_of_the_worker_kills_the_whole_tree(program, isolation, tmp_path) -> None:
    if isolation is None:
        return
    worker = f"""
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from purple.toolkit.process import Guardians
from tests.unit.toolkit.test_isolation import FAMILY, Bubblewrap, Found, Path, python, run
isolation = Bubblewrap(Found(Path({str(program.path)!r}), {program.environment!r}))
asyncio.run(run(Guardians(), isolation.around(python(Path({str(tmp_path)!r}), FAMILY))))
"""
    started = subprocess.Popen([sys.executable, "-c", worker], stderr=subprocess.DEVNULL)
    await until(lambda: (tmp_path / "out").exists() and (tmp_path / "out").read_text().endswith("\n"))
    tree = descendants(started.pid)
    assert len(tree) >= 5, "two guardians, bubblewrap outside and inside, the tool and its child"
    started.kill()
    started.wait()
    await until(lambda: not any(map(alive, tree)))


class Broken(NoIsolation):
    """An isolation that cannot start what it should."""

    def around(self, start: Start) -> Start:
        return Start(("/bin/sh", "-c", "echo 'bwrap: no' >&2; exit 1"), start.environment, start.work)

    complaint = Bubblewrap.complaint  # type: ignore[assignment]


async def test_a_tool_that_was_not_started_failed_whatever_its_codes_mean(guardians, tmp_path) -> None:
    manifest = (
        "{name: cat, title: Cat, purpose: p, target_kinds: [host], role: scan, timeout_s: 9, intrusiveness: passive, "
        "exit_codes: {0: done, 1: found}, nothing: [1], install: {program: cat}}"
    )
    tools = catalogue(tmp_path, manifest)
    (work := tmp_path / "work").mkdir()
    job = ToolJob("cat", ToolTarget("a.example", "192.0.2.7"), tools.validate_options("cat", {}), 10, work)
    runner = GuardedRunner(tools, SystemClock(), guardians, memory_mb=1024, output_mb=1, isolation=Broken)
    ended = await runner.run(job, lambda _: None)
    assert (ended.state, ended.reason) == (ScanState.FAILED, "Cat was not started: bwrap: no")
    assert Path(ended.command[0]).name == "cat", "what is kept is the tool's own command"


@pytest.fixture
def alone(tmp_path, monkeypatch) -> Path:
    """A folder that is the only one on the path."""
    (folder := tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def planted(folder: Path, script: str) -> None:
    (folder / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bwrap").chmod(0o755)


def test_it_is_looked_for_until_it_is_there(alone, tmp_path) -> None:
    chosen = Isolations("auto", tmp_path, tmp_path)
    assert chosen.now().name == "none"
    assert "bubblewrap is not here: install bubblewrap" in chosen.now().detail
    planted(alone, "exit 0")
    assert chosen.now().name == "bubblewrap"
    planted(alone, "exit 1")
    assert chosen.now().name == "bubblewrap", "it is tried once"


def test_what_does_not_work_here_is_not_used_and_says_why(alone, tmp_path) -> None:
    planted(alone, "echo 'bwrap: Creating new namespace failed' >&2; exit 1")
    chosen = Isolations("auto", tmp_path, tmp_path)
    assert chosen.now().name == "none"
    assert "does not work here (bwrap: Creating new namespace failed)" in chosen.now().detail
    with pytest.raises(UnavailableError, match=r"demands bubblewrap; .*Creating new namespace failed"):
        Isolations("bubblewrap", tmp_path, tmp_path).now()


async def test_the_home_its_settings_and_what_is_named_are_hidden_from_tools(alone, tmp_path, monkeypatch) -> None:
    planted(alone, "exit 0")
    monkeypatch.chdir(tmp_path)
    for name in ("home/data/objects", "home/data/scratch/one", "elsewhere", "mine", "cache/tools"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / ".env").touch()
    told = {
        "tools": {"hide": [tmp_path / "mine"], "isolation": "auto"},
        "objects": {"url": (tmp_path / "elsewhere").as_uri()},
        "stack": {"home": tmp_path / "home", "cache": tmp_path / "cache"},
    }
    container = Container(Settings(_env_file=None, **told))
    work = tmp_path / "home/data/scratch/one"
    words = " ".join(container.isolations.now().around(Start(("/bin/true",), {}, work)).argv)
    await container.close()
    for hidden in ("home", "elsewhere", "mine"):
        assert f"--tmpfs {tmp_path}/{hidden} " in words
    assert f"--ro-bind /dev/null {tmp_path}/.env " in words
    assert f"--ro-bind {tmp_path}/cache {tmp_path}/cache " in words
    assert f"--bind {work} {work} " in words


async def test_no_worker_runs_tools_without_the_isolation_that_is_demanded(alone, tmp_path) -> None:
    told = {"tools": {"isolation": "bubblewrap"}, "stack": {"home": tmp_path, "cache": tmp_path}}
    container = Container(Settings(_env_file=None, **told))
    with pytest.raises(UnavailableError, match=r"demands bubblewrap; .*not here: install bubblewrap"):
        await run_roles(container, ["scan"], asyncio.Event())
    await container.close()


def test_another_users_worker_is_asked_for_as_that_user(program) -> None:
    """What is closed to that user is closed to its tools, and no trouble. Only root can ask."""
    if os.geteuid() != 0:
        return
    nobody = 65534
    with tempfile.TemporaryDirectory() as made:
        folder, secret = Path(made), Path(made) / "closed/home"
        folder.chmod(0o755)
        (folder / f"{PACKAGE}.packages").touch()
        secret.mkdir(parents=True)
        secret.parent.chmod(0o700)
        chosen = Isolations("auto", folder, default_cache(), View(hidden=(secret,)))
        seen = chosen.seen_by(nobody, nobody)
        assert seen.name == ("bubblewrap" if works(program, nobody) and reads_us(nobody) else "none"), seen.detail
        none = Isolations("none", folder, default_cache())
        assert none.seen_by(nobody, nobody).detail.startswith("tools may do what the worker may")


def reads_us(user: int) -> bool:
    """Whether this user may read the code."""
    argv = [sys.executable, "-c", "import purple.toolkit"]
    return subprocess.run(argv, user=user, cwd="/", capture_output=True, check=False).returncode == 0


def test_none_is_none_wherever_it_would_work(alone, tmp_path) -> None:
    planted(alone, "exit 0")
    chosen = Isolations("none", tmp_path, tmp_path)
    assert chosen.now() == chosen.install(print) == NoIsolation()
    start = Start(("/bin/true",), {}, tmp_path)
    assert chosen.now().around(start) is start


def test_a_folder_that_a_tool_keeps_is_writable_and_the_nearest_folder_decides(tmp_path) -> None:
    for name in ("home/cache/own", "home/work"):
        (tmp_path / name).mkdir(parents=True)
    home, cache = tmp_path / "home", tmp_path / "home/cache"
    start = Start(("/bin/true",), {}, home / "work", (cache / "own", tmp_path / "gone"))
    argv = Bubblewrap(Found(Path("/bwrap")), View((home,), (cache, home))).around(start).argv
    assert argv[1 : 1 + len(ALWAYS)] == ALWAYS
    words = " ".join(argv)
    own = f"--tmpfs {home} --ro-bind {cache} {cache} --bind {cache}/own {cache}/own --bind {home}/work {home}/work"
    assert own in words
    assert "gone" not in words
    assert words.endswith(" -- /bin/true")
