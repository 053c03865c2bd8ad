"""What dirsearch prints. Source: `lib/view/terminal.py` of dirsearch 0.5, with `--verbose --full-url --no-color`."""

import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.jsonlines import read_lines
from purple.toolkit.web import place_of
from purple.toolkit.words import meaning_of

LIMIT = 64 * 1024**2
"""Bytes; a path is one line."""
_PAINT = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BAR = re.compile(r"^\[[# ]*\]\s+\d+%.*?errors:\d+\s*")
_STARTED = re.compile(r"^\[[\d:]+\] Scanning:")
_PATH = re.compile(
    r"^\[[\d:]+\] (?P<status>\d{3}) -\s+(?P<size>\S+)\s+- (?P<url>https?://\S+)"
    r"(?:  \((?P<ms>\d+)ms, (?P<type>[^)]*)\))?(?:  ->  (?P<leads>\S+))?"
)
_ENDED = "Task Completed"
_SERVED = range(200, 300)


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Each path that is there.

    Raises:
        ParseError: it gave up, or did not come to an end; what it found has been yielded.
    """
    started = ended = False
    said = ""
    lines = 0
    for lines, raw in read_lines(stream, LIMIT):  # noqa: B007 - how far it got
        line = _BAR.sub("", _PAINT.sub("", raw.decode("utf-8", "replace"))).strip()
        if _STARTED.search(line):
            started = True
        elif line.startswith(_ENDED):
            ended = True
        elif found := _PATH.match(line):
            yield from _path(found)
        elif started and line:
            said = said or clip(line, 200)
    if said or not started or not ended:
        raise ParseError(f"dirsearch did not come to an end: {said or 'it says no more'}", offset=lines, unit="lines")


def _path(found: re.Match[str]) -> Iterator[Observation]:
    try:
        yield _seen(found)
    except ValueError:
        return


def _seen(found: re.Match[str]) -> Observation:
    status = int(found["status"])
    parts = urlsplit(found["url"])
    key, path = meaning_of(unquote(parts.path)) if status in _SERVED else ("", parts.path)
    weakness = CATALOGUE[key] if key else None
    leads = f", leads to {found['leads']}" if found["leads"] else ""
    return Observation(
        kind=ObservationKind.FLAW,
        rule=f"dirsearch:{key or 'path-found'}",
        title=weakness.title if weakness else clip(f"Path found: {parts.path}", 200),
        severity=weakness.severity if weakness else Severity.INFO,
        flaw_class=FlawClass.ENDPOINT,
        weakness=key or "path-found",
        cwe=(weakness.cwe,) if weakness else (),
        location=place_of(parts._replace(path=path, query="").geturl(), method="GET"),
        evidence=clip(f"GET {parts.path}\nstatus {status}, {found['size']}, {found['type'] or 'no type'}{leads}"),
        remediation=weakness.remediation if weakness else "",
        confidence=0.9 if weakness else 0.7,
    )
