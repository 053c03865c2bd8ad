"""Measure 16: memory of idle processes, and how long the command line and the API take to start."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.house import HERE, House, answers, free_port, house, process, until
from bench.measures import Measure, measure, median

ROUNDS = 7
STARTS = 3
LIMIT_MIB = 250
WORKERS = {"steps": ("control", "analysis", "ai", "report", "notify"), "tools": ("recon", "scan"), "relay": ("relay",)}


def memory(pid: int) -> float:
    """MiB: the share of its pages (PSS), or all of them where the kernel does not say."""
    names = (("smaps_rollup", "Pss:"), ("status", "VmRSS:"))
    for file, key in names:
        try:
            text = Path(f"/proc/{pid}/{file}").read_text()
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith(key):
                return int(line.split()[1]) / 1024
    raise RuntimeError(f"no memory of {pid} is told")


def idle(place: House) -> Iterator[Measure]:
    """Each of Purple's processes, once it serves, beside a Python that does nothing."""
    with ExitStack() as stack:
        nothing = stack.enter_context(process(["-c", "import signal; signal.pause()"], {}, place.folder))
        pids = {"API": stack.enter_context(place.api()).pid}
        for name, roles in WORKERS.items():
            pids[f"workers {name}"] = stack.enter_context(place.workers(*roles)).pid
        base = memory(nothing.pid)
        for name, pid in pids.items():
            yield measure(
                f"16 idle memory of {name}",
                memory(pid),
                "MiB",
                ("python that waits", base),
                f"at most {LIMIT_MIB} MiB",
                lambda value, _: value <= LIMIT_MIB,
            )


def command_line() -> Iterator[Measure]:
    """`purple --help`, wall and CPU."""
    program = str(Path(sys.executable).with_name("purple"))
    ours, nothing = _in_turn(lambda: _ran([program, "--help"]), lambda: _ran([sys.executable, "-c", "pass"]))
    for kind, mine, base in (("wall", ours[0], nothing[0]), ("CPU", ours[1], nothing[1])):
        yield measure(
            f"16 purple --help, {kind}",
            mine,
            "s",
            ("python -c pass", base),
            "at most 0.3 s",
            lambda value, _: value <= 0.3,
        )


def facade(place: House) -> Iterator[Measure]:
    """From the start of the process to the first answer of /health."""
    ours, base = [], []
    for _ in range(STARTS):
        began = time.perf_counter()
        with place.api():
            ours.append(time.perf_counter() - began)
        port = free_port()
        began = time.perf_counter()
        with process([str(HERE / "bare.py"), "api", str(port)], {}, place.folder):
            until(lambda port=port: answers(f"http://127.0.0.1:{port}/health"), 60, "the bare app serves")  # type: ignore[misc]
            base.append(time.perf_counter() - began)
    yield measure(
        "16 API, start to first /health",
        median(ours),
        "s",
        ("a bare FastAPI app", median(base)),
        "at most 3 s",
        lambda value, _: value <= 3,
    )


def _ran(argv: list[str]) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=os.environ)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _in_turn(*measured: Callable[[], tuple[float, float]]) -> list[tuple[float, float]]:
    rounds = [[each() for each in measured] for _ in range(ROUNDS)]
    return [
        (median(turn[n][0] for turn in rounds), median(turn[n][1] for turn in rounds)) for n in range(len(measured))
    ]


def run(*, full: bool) -> Iterator[Measure]:  # noqa: ARG001 - every group has it
    """Measure 16."""
    yield from command_line()
    with tempfile.TemporaryDirectory(prefix="purple-bench-") as scratch, house(Path(scratch)) as place:
        place.token()
        yield from facade(place)
        yield from idle(place)
