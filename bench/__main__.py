"""`make bench`: prints each measure beside its baseline and writes `bench/results.json`.

The numbers of the measures are those of the project's goals.
"""

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.nmap_xml import write
from purple.settings.paths import default_cache

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PEER = "faraday-plugins==1.31.0"
ROUNDS = 5
HOSTS = 10_000


@dataclass(frozen=True)
class Measure:
    """One line of the results."""

    name: str
    value: float
    unit: str
    baseline: str
    baseline_value: float
    ratio: float
    goal: str


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
    found = [_ratio("4 nmap parser, CPU", ours["cpu_s"], "s", "bare expat reader", bare["cpu_s"], "at most 2.0")]
    for peer in peers:
        line = _ratio("4 nmap parser, CPU", ours["cpu_s"], "s", PEER, peer["cpu_s"], "at most 0.2 (5 times faster)")
        found.append(line)
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
        _ratio("5 nmap parser, peak memory at 100 times the size", peaks[2], "MiB", "at 1 time", peaks[0], "flat"),
        Measure("5 growth exponent of memory", exponent, "", "flat is 0", 0.0, 0.0, "about 0, peak at most 64 MiB"),
    ]


def _ratio(name: str, value: float, unit: str, baseline: str, against: float, goal: str) -> Measure:
    return Measure(name, round(value, 3), unit, baseline, round(against, 3), round(value / against, 3), goal)


def main() -> None:
    """Measure, print, write."""
    with tempfile.TemporaryDirectory(prefix="purple-bench-") as scratch:
        measures = [*parser_speed(Path(scratch)), *parser_memory(Path(scratch))]
    for each in measures:
        print(f"{each.name}: {each.value:.3f} {each.unit}; {each.baseline}: {each.baseline_value:.3f};", end=" ")
        print(f"ratio {each.ratio:.3f}; goal: {each.goal}")
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()}
    RESULTS.write_text(
        json.dumps({"machine": machine, "measures": [asdict(each) for each in measures]}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
