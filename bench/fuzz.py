"""`python -m bench.fuzz [TOOL…] [--inputs N]`: damaged samples and bombs against every parser.

An input may be read or refused by a `ParseError`, within 5 CPU seconds and 256 MiB. What breaks that is kept in
`bench/corpus/<tool>/`, runs first the next time, and in the tests.
"""

import argparse
import hashlib
import io
import itertools
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from bench.mutations import bombs, mutants
from purple.domain.errors import ParseError
from purple.domain.observations import observation_id_of
from purple.toolkit.tools.plugins import Plugin, load_plugins

CORPUS = Path(__file__).parent / "corpus"
LIMIT_S = 5.0
LIMIT_MIB = 256
HARD_BYTES = 4 * 1024**3
"""Of address space: what passes the limit by far dies instead of taking the machine with it."""
INPUTS = 10_000
"""Of all parsers together."""
SEED = 20260101
_SCAN = UUID(int=0)


class TooSlowError(Exception):
    """An input took longer than it may."""


@dataclass
class Tally:
    """What came of one parser's inputs."""

    tool: str
    ends: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    peak_mib: float = 0.0
    broken: list[str] = field(default_factory=list)

    def line(self) -> str:
        """For people."""
        verdict = f"BROKEN by {', '.join(self.broken)}" if self.broken else "holds"
        return (
            f"{self.tool}: {self.ends.total()} inputs, {self.ends['read']} read, {self.ends['refused']} refused, "
            f"slowest {self.slowest_s:.2f} s, {self.peak_mib:.0f} MiB more than before: {verdict}"
        )


def samples_of(plugin: Plugin) -> list[bytes]:
    """The real outputs beside a parser."""
    found = sorted((plugin.folder / "samples").iterdir())
    return [each.read_bytes() for each in found if each.is_file() and each.suffix != ".md"]


def inputs_of(plugin: Plugin, count: int, seed: int = SEED) -> Iterator[tuple[str, bytes]]:
    """What once broke it, the bombs, and so many mutants; each with a name."""
    folder = CORPUS / plugin.spec.name
    for kept in sorted(folder.iterdir()) if folder.is_dir() else ():
        yield kept.name, kept.read_bytes()
    yield from bombs()
    damaged = mutants(samples_of(plugin), seed)
    yield from ((f"mutant-{number}", data) for number, data in enumerate(itertools.islice(damaged, count)))


def try_input(plugin: Plugin, data: bytes) -> str:
    """`read` or `refused`.

    Raises:
        TooSlowError: it took longer than it may.
        Exception: whatever else the parser raised, which is never right.
    """
    try:
        for each in plugin.parser.parse(io.BytesIO(data)):
            observation_id_of(_SCAN, each)  # what is read can be told apart
    except ParseError:
        return "refused"
    return "read"


def peak_mib() -> float:
    """Of this program, so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def keep(tool: str, data: bytes) -> str:
    """Put an input into the corpus; its name there."""
    folder = CORPUS / tool
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(data).hexdigest()[:16]
    (folder / name).write_bytes(data)
    return name


def fuzz_one(plugin: Plugin, count: int, seed: int, current: Path) -> Tally:
    """All inputs of one parser, in this process; the present one lies in `current` should it kill us."""

    def alarm(*_: object) -> None:
        raise TooSlowError

    signal.signal(signal.SIGPROF, alarm)
    tally = Tally(plugin.spec.name)
    for name, data in inputs_of(plugin, count, seed):
        current.write_bytes(data)
        before, began = peak_mib(), time.process_time()
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
        try:
            end = try_input(plugin, data)
        except TooSlowError:
            end = "too slow"
        except Exception as error:  # noqa: BLE001 - any other error is what is looked for
            end = type(error).__name__
        signal.setitimer(signal.ITIMER_PROF, 0)
        tally.slowest_s = max(tally.slowest_s, time.process_time() - began)
        grown = peak_mib() - before
        tally.peak_mib = max(tally.peak_mib, grown)
        if grown > LIMIT_MIB:
            end = "too large"
        tally.ends[end] += 1
        if end not in {"read", "refused"}:
            tally.broken.append(f"{name} ({end}, kept as {keep(plugin.spec.name, data)})")
    return tally


def child(tool: str, count: int, seed: int, current: Path) -> None:
    """One parser in a process of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (HARD_BYTES, HARD_BYTES))
    tally = fuzz_one(load_plugins()[tool], count, seed, current)
    told = {"ends": tally.ends, "slowest_s": tally.slowest_s, "peak_mib": tally.peak_mib, "broken": tally.broken}
    sys.stdout.write(json.dumps(told) + "\n")


def in_child(tool: str, count: int, seed: int = SEED) -> Tally:
    """Its tally, also where the parser took its process down."""
    with tempfile.TemporaryDirectory(prefix="purple-fuzz-") as scratch:
        current = Path(scratch) / "input"
        told = ["--inputs", str(count), "--seed", str(seed), "--current", str(current)]
        argv = [sys.executable, "-m", "bench.fuzz", "--child", tool, *told]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            kept = keep(tool, current.read_bytes()) if current.exists() else "none"
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            return Tally(tool, broken=[f"one that ended its process ({last}; kept as {kept})"])
    came = json.loads(done.stdout)
    return Tally(tool, Counter(came["ends"]), came["slowest_s"], came["peak_mib"], came["broken"])


def with_samples() -> list[str]:
    """The parsers that can be fed."""
    return [name for name, each in load_plugins().items() if (each.folder / "samples").is_dir()]


def main() -> int:
    """Print a line for each parser; 1 where one of them broke."""
    reader = argparse.ArgumentParser(prog="bench.fuzz", description=__doc__)
    reader.add_argument("tools", nargs="*", metavar="TOOL")
    reader.add_argument("--inputs", type=int, help=f"for each parser; by default {INPUTS} for all together")
    reader.add_argument("--seed", type=int, default=SEED)
    reader.add_argument("--child", help=argparse.SUPPRESS)
    reader.add_argument("--current", type=Path, help=argparse.SUPPRESS)
    chosen = reader.parse_args()
    if chosen.child:
        child(chosen.child, chosen.inputs, chosen.seed, chosen.current)
        return 0
    plugins = with_samples()
    if wrong := sorted(set(chosen.tools) - set(plugins)):
        reader.error(f"no parser with samples is called {wrong[0]}: use {', '.join(plugins)}")
    wanted = chosen.tools or plugins
    count = chosen.inputs or -(-INPUTS // len(wanted))
    broken = False
    for tool in wanted:
        tally = in_child(tool, count, chosen.seed)
        print(tally.line(), flush=True)
        broken |= bool(tally.broken)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
