"""`python ports.py READER FILE` prints the ports that a reader finds in Nmap's XML, as JSON; an error ends it."""

import json
import sys
from collections.abc import Callable, Iterator


def ours(path: str) -> Iterator[tuple[str, int]]:
    """Our parser, which may end by the error that it names."""
    from purple.domain.errors import ParseError  # noqa: PLC0415 - the peer's environment has none of it
    from purple.tools.nmap.parser import parse  # noqa: PLC0415 - likewise

    with open(path, "rb") as file:  # noqa: PTH123 - as the other readers
        try:
            for each in parse(file):
                if each.location.port:
                    yield each.location.host, each.location.port
        except ParseError as error:
            sys.stderr.write(f"{error.line()}\n")


def faraday(path: str) -> Iterator[tuple[str, int]]:
    """The peer: faraday-plugins, in an environment of its own."""
    from faraday_plugins.plugins.repo.nmap.plugin import (  # type: ignore[import-not-found]  # noqa: PLC0415 - not in ours
        NmapPlugin,
    )

    plugin = NmapPlugin()
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        plugin.parseOutputString(file.read())
    for host in json.loads(plugin.get_json())["hosts"]:
        yield from ((host["ip"], service["port"]) for service in host["services"])


READERS: dict[str, Callable[[str], Iterator[tuple[str, int]]]] = {"ours": ours, "faraday": faraday}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(sorted(set(READERS[sys.argv[1]](sys.argv[2])))) + "\n")
