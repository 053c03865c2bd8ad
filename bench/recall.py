"""Measure 6: what parsers find of what is there, in files as they come from scans that met something odd.

The files are made, so that the truth is known. By the oddities of the hosts and by the cut DefectDojo 3.2 loses a file.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import sarif_json
from bench.measures import Measure, measure
from bench.nmap_xml import HEAD, TAIL, one_host
from bench.parsers import HERE, PEER, peer_python
from purple.domain.errors import ParseError
from purple.tools.sarif.parser import parse as parse_sarif

HOSTS, PORTS, RESULTS = 50, 4, 500
ODD = HOSTS // 2
"""Which host is the odd one."""
Port = tuple[str, int]


def address_of(number: int) -> str:
    """Of a host."""
    return f"10.6.0.{number + 1}"


def truth(*addresses: str) -> set[Port]:
    """All ports of hosts."""
    return {(each, 1000 + port) for each in addresses for port in range(PORTS)}


def nmap_files() -> Iterator[tuple[str, str, set[Port]]]:
    """What is odd, the file, and what is in it."""
    known = [address_of(number) for number in range(HOSTS)]
    others = [each for each in known if each != known[ODD]]

    def with_odd(odd: str) -> str:
        return HEAD + "".join(odd if each == known[ODD] else one_host(each, PORTS) for each in known) + TAIL

    yield "as it should be", with_odd(one_host(known[ODD], PORTS)), truth(*known)
    yield "a host with IPv6 only", with_odd(one_host("2001:db8::6", PORTS)), truth(*others, "2001:db8::6")
    yield "a host without <hostnames>", with_odd(one_host(known[ODD], PORTS, names="")), truth(*known)
    yield "a host without <ports>", with_odd(one_host(known[ODD], 0)), truth(*others)
    whole = HEAD + "".join(one_host(each, PORTS) for each in known)
    yield "cut in its last host", whole[: whole.rindex("<port ")], truth(*known) - {(known[-1], 1000 + PORTS - 1)}


def ports(python: str, reader: str, file: Path) -> set[Port]:
    """What a reader finds; nothing where it dies, which a parser of ours never may.

    Raises:
        RuntimeError: ours ended by an error that it does not name.
    """
    argv = [python, str(HERE / "ports.py"), reader, str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if not done.returncode:
        return {(one, port) for one, port in json.loads(done.stdout)}
    if reader == "ours":
        raise RuntimeError(done.stderr)
    sys.stderr.write(f"{reader} died: {done.stderr.strip().splitlines()[-1]}\n")
    return set()


def sarif(folder: Path) -> Iterator[tuple[str, int, int]]:
    """What is odd, how many results are in the file, and how many we find."""
    path = folder / "results.sarif"
    sarif_json.write(path, RESULTS)
    whole = path.read_text()
    for odd, text, there in (
        ("as it should be", whole, RESULTS),
        ("cut in its last result", whole[: whole.rindex('"message"')], RESULTS - 1),
    ):
        path.write_text(text)
        found = 0
        try:
            with path.open("rb") as file:
                for _ in parse_sarif(file):
                    found += 1
        except ParseError:
            pass  # as it has to say of a file that is cut
        yield odd, there, found


def whole_or_nothing(text: str) -> int:
    """Results that the standard library's reader finds."""
    try:
        return len(json.loads(text)["runs"][0]["results"])
    except ValueError:
        return 0


def run(*, full: bool) -> Iterator[Measure]:  # noqa: ARG001 - every group has it
    """Measure 6."""
    peer = peer_python()
    with tempfile.TemporaryDirectory(prefix="purple-bench-") as scratch:
        folder = Path(scratch)
        file = folder / "scan.xml"
        for odd, text, there in nmap_files():
            file.write_text(text)
            found = ports(sys.executable, "ours", file)
            theirs = len(ports(peer, "faraday", file) & there) / len(there) if peer else 0.0
            yield _recall(f"6 nmap, {odd}", len(found & there), len(there), len(found - there), (PEER, theirs))
        for odd, count, seen in sarif(folder):
            plain = whole_or_nothing((folder / "results.sarif").read_text()) / count
            yield _recall(f"6 SARIF, {odd}", min(seen, count), count, max(0, seen - count), ("json.loads", plain))


def _recall(name: str, found: int, there: int, more: int, beside: tuple[str, float]) -> Measure:
    said = f"{name}: recall, {found} of {there}, {more} that are not there"
    return measure(said, found / there, "of 1", beside, "all", lambda value, _: value == 1 and not more)
