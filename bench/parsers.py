"""Measures 4 and 5: parsers beside a bare reader and a peer."""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measures import Measure, measure
from bench.nmap_xml import write
from purple.settings.paths import default_cache

HERE = Path(__file__).parent
PEER = "faraday-plugins==1.31.0"
ROUNDS = 5
HOSTS = 10_000


def children(file: Path, *readers: tuple[str, str]) -> list[dict[str, float]]:
    """Readers by their Python and name, each in processes of its own and in turn, for a machine's speed drifts.

    Returns:
        For each the medians of CPU seconds and peak memory over some rounds.
    """
    rounds: list[list[dict[str, float]]] = [[] for _ in readers]
    for _ in range(ROUNDS):
        for (python, name), seen in zip(readers, rounds, strict=True):
            argv = [python, str(HERE / "child.py"), name, str(file)]
            done = subprocess.run(argv, capture_output=True, text=True, check=True)
            seen.append(json.loads(done.stdout.splitlines()[-1]))
    return [
        seen[0] | {key: statistics.median(each[key] for each in seen) for key in ("cpu_s", "peak_kib")}
        for seen in rounds
    ]


def peer_python() -> str | None:
    """The peer's environment; None where it cannot be had."""
    folder = default_cache() / "bench" / PEER.replace("==", "-")
    python = folder / "bin/python"
    uv = str(Path(sys.executable).parent / "uv")
    if not (folder / "ready").exists():
        environment = os.environ | {"VIRTUAL_ENV": ""}
        for argv in (
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", str(python), PEER, "setuptools<81"],
        ):
            done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"no peer: {done.stderr.strip()[-300:]}", file=sys.stderr)
                return None
        (folder / "ready").touch()
    return str(python)


def parser_speed(folder: Path) -> list[Measure]:
    """Measure 4: CPU seconds for 10,000 hosts with 100,000 ports, beside a bare reader and a peer."""
    file = folder / "speed.xml"
    write(file, HOSTS)
    python = peer_python()
    wanted = [(sys.executable, "ours"), (sys.executable, "bare"), *([(python, "faraday")] if python else [])]
    ours, bare, *peers = children(file, *wanted)
    found = [
        measure(
            "4 nmap parser, CPU",
            ours["cpu_s"],
            "s",
            ("bare expat reader", bare["cpu_s"]),
            "at most 2.0 times",
            lambda _, ratio: ratio <= 2.0,
        )
    ]
    found += [
        measure(
            "4 nmap parser, CPU, against the peer",
            ours["cpu_s"],
            "s",
            (PEER, peer["cpu_s"]),
            "at most 0.2 (5 times faster)",
            lambda _, ratio: ratio <= 0.2,
        )
        for peer in peers
    ]
    return found


def parser_memory(folder: Path) -> list[Measure]:
    """Measure 5: peak memory at 1, 10 and 100 times the size; flat, at most 64 MiB."""
    peaks = []
    for factor in (1, 10, 100):
        file = folder / f"memory-{factor}.xml"
        write(file, 200 * factor)
        (ours,) = children(file, (sys.executable, "ours"))
        peaks.append(ours["peak_kib"] / 1024)
        file.unlink()
    exponent = math.log(peaks[2] / peaks[0]) / math.log(100)
    return [
        measure(
            "5 nmap parser, peak memory at 100 times the size",
            peaks[2],
            "MiB",
            ("at 1 time", peaks[0]),
            "flat, at most 64 MiB",
            lambda value, ratio: value <= 64 and ratio <= 1.1,
        ),
        measure("5 growth exponent of memory", exponent, "", ("flat", 0.0), "about 0", lambda value, _: value <= 0.02),
    ]


def run(*, full: bool) -> Iterator[Measure]:  # noqa: ARG001 - every group has it
    """Measures 4 and 5."""
    with tempfile.TemporaryDirectory(prefix="purple-bench-") as scratch:
        yield from parser_speed(Path(scratch))
        yield from parser_memory(Path(scratch))
