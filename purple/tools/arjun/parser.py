"""What Arjun prints. Source: `arjun/__main__.py` of Arjun 2.2."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Observation, ObservationKind, clip
from purple.toolkit.jsonlines import read_lines
from purple.toolkit.web import place_of

LIMIT = 16 * 1024**2
"""Bytes; a parameter is one line."""
_PAINT = re.compile(r"\x1b\[[0-9;]*m")
_SCANNING = re.compile(r"Scanning \d+/\d+: (\S+)")
_FOUND = re.compile(r"parameter detected: (.+), based on: (.+)")
_SAID = re.compile(r"\[-\] (.+)")
_ENDED = ("Parameters found:", "No parameters were discovered.")


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Each parameter that changes the answer.

    Raises:
        ParseError: it gave up, or did not come to an end; what it found has been yielded.
    """
    url = said = ""
    lines = 0
    ended = False
    for lines, raw in read_lines(stream, LIMIT):  # noqa: B007 - how far it got
        line = _PAINT.sub("", raw.decode("utf-8", "replace")).rpartition("\r")[2]
        if found := _SCANNING.search(line):
            url = found[1]
        elif (found := _FOUND.search(line)) and url:
            yield from _parameter(url, found[1], found[2])
        elif found := _SAID.search(line):
            said = clip(found[1], 200)
        ended = ended or any(each in line for each in _ENDED)
    if not ended:
        raise ParseError(f"Arjun did not come to an end: {said or 'it says nothing of it'}", offset=lines, unit="lines")


def _parameter(url: str, name: str, reason: str) -> Iterator[Observation]:
    try:
        place = place_of(url, parameter=name.strip())
    except ValueError:
        return
    yield Observation(
        kind=ObservationKind.FLAW,
        rule="arjun:hidden-parameter",
        title=clip(f"Endpoint takes the parameter {name.strip()}", 200),
        flaw_class=FlawClass.ENDPOINT,
        location=place,
        evidence=clip(f"the answer changes with {name.strip()}: {reason.strip()}"),
        confidence=0.8,
    )
