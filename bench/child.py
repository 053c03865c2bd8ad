"""`python child.py READER FILE` reads a file; prints CPU seconds, what it found and its memory (KiB) as JSON."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat


def ours(path: str) -> int:
    """Our parser."""
    from purple.tools.nmap.parser import parse  # noqa: PLC0415 - the other readers must not pay for it

    with open(path, "rb") as file:  # noqa: PTH123 - a plain open for a plain measure
        return sum(1 for _ in parse(file))


def bare(path: str) -> int:
    """Expat with handlers that only count: what reading costs at least."""
    count = 0

    def start(*_: object) -> None:
        nonlocal count
        count += 1

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: None
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        while chunk := file.read(65536):
            parser.Parse(chunk, False)  # noqa: FBT003 - expat's own signature
    return count


def faraday(path: str) -> int:
    """The peer: faraday-plugins, in an environment of its own."""
    from faraday_plugins.plugins.repo.nmap.plugin import (  # type: ignore[import-not-found]  # noqa: PLC0415 - not in ours
        NmapPlugin,
    )

    plugin = NmapPlugin()
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        plugin.parseOutputString(file.read())
    return len(json.loads(plugin.get_json())["hosts"])


READERS: dict[str, Callable[[str], int]] = {"ours": ours, "bare": bare, "faraday": faraday}


def main() -> None:
    """Measure once."""
    read = READERS[sys.argv[1]]
    if sys.argv[1] == "ours":
        import purple.tools.nmap.parser  # noqa: F401, PLC0415 - importing is not what is measured
    began = time.process_time()
    found = read(sys.argv[2])
    spent = time.process_time() - began
    sys.stdout.write(json.dumps({"cpu_s": spent, "found": found, "peak_kib": peak_kib()}) + "\n")


def peak_kib() -> int:
    """Of this program alone: what `getrusage` says counts the process that forked it too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


if __name__ == "__main__":
    main()
