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
ROUNDS = 3
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


def child(python: str, reader: str, file: Path) -> dict[str, float]:
    """One reader in a process of its own; the median of the CPU seconds of several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [python, str(HERE / "child.py"), reader, str(file)], capture_output=True, text=True, check=True
        )
        rounds.append(json.loads(done.stdout.splitlines()[-1]))
    middle: dict[str, float] = dict(rounds[0])
    middle["cpu_s"] = statistics.median(each["cpu_s"] for each in rounds)
    middle["peak_kib"] = statistics.median(each["peak_kib"] for each in rounds)
    return middle


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
    ours = child(sys.executable, "ours", file)
    bare = child(sys.executable, "bare", file)
    found = [_ratio("4 nmap parser, CPU", ours["cpu_s"], "s", "bare expat reader", bare["cpu_s"], "at most 2.0")]
    if python := peer_python():
        peer = child(python, "faraday", file)
        line = _ratio("4 nmap parser, CPU", ours["cpu_s"], "s", PEER, peer["cpu_s"], "at most 0.2 (5 times faster)")
        found.append(line)
    return found


def parser_memory(folder: Path) -> list[Measure]:
    """Measure 5: peak memory at 1, 10 and 100 times the size; flat, at most 64 MiB."""
    peaks = []
    for factor in (1, 10, 100):
        file = folder / f"memory-{factor}.xml"
        write(file, 200 * factor)
        peaks.append(child(sys.executable, "ours", file)["peak_kib"] / 1024)
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
