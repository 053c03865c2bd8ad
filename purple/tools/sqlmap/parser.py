"""What sqlmap prints for a list of targets. Source: `lib/controller/controller.py` of sqlmap 1.10."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Observation, ObservationKind, clip
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.jsonlines import read_lines
from purple.toolkit.web import place_of

LIMIT = 64 * 1024**2
"""Bytes; a target is about 5 KB."""
_TARGET = re.compile(r"^(GET|POST|PUT|PATCH|DELETE|HEAD) (https?://\S+)$")
_LOGGED = re.compile(r"^\[\d\d:\d\d:\d\d\] \[(?P<level>[A-Z]+)\] (?P<text>.*)$")
_FOUND = re.compile(r"^sqlmap (?:identified|resumed) the following injection point\(s\)")
_PARAMETER = re.compile(r"^Parameter: (?P<name>.+) \((?P<place>[^()]*)\)$")
_PROOF = re.compile(r"^(?:Title|Payload): (.*)$")
_CLEAN = "do not appear to be injectable"
_ENDED = "[*] ending @ "
_MAX_PROOF = 20


@dataclass
class _Injection:
    """A parameter and what proves it, as far as it was read."""

    url: str
    place: str
    parameter: str
    proof: list[str] = field(default_factory=list)


@dataclass
class _State:
    method: str = ""
    url: str = ""
    targets: int = 0
    done: int = 0
    said: str = ""
    ended: bool = False
    open: _Injection | None = None


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Each parameter that was proven injectable.

    Raises:
        ParseError: a target that could not be tested, none at all, or an end that was not reached; what is proven
            has been yielded.
    """
    state = _State()
    lines = 0
    trouble: ParseError | None = None
    try:
        for lines, raw in read_lines(stream, LIMIT):  # noqa: B007 - how far it got
            yield from _read(state, raw.decode("utf-8", "replace"))
    except ParseError as error:
        trouble = error
    yield from _close(state)
    if trouble:
        raise trouble
    if not state.targets or state.done < state.targets or not state.ended:
        said = state.said or "sqlmap says no more"
        raise ParseError(
            clip(f"{state.targets - state.done} of {state.targets} targets were not tested: {said}", 300),
            offset=lines,
            unit="lines",
        )


def _read(state: _State, line: str) -> Iterator[Observation]:
    if found := _TARGET.match(line):
        state.method, state.url = found.groups()
        state.targets += 1
    elif _FOUND.match(line):
        state.done += 1
    elif found := _PARAMETER.match(line):
        yield from _close(state)
        state.open = _Injection(state.url, found["place"], found["name"])
    elif (found := _PROOF.match(line)) and state.open and len(state.open.proof) < _MAX_PROOF:
        state.open.proof.append(clip(found[1], 1000))
    elif found := _LOGGED.match(line):
        yield from _close(state)
        if _CLEAN in found["text"]:
            state.done += 1
        elif found["level"] in {"ERROR", "CRITICAL"}:
            state.said = clip(found["text"], 200)
    elif line.startswith(_ENDED):
        state.ended = True


def _close(state: _State) -> Iterator[Observation]:
    """The injection that was being read, if there is one."""
    injection, state.open = state.open, None
    if injection is None:
        return
    try:
        place = place_of(injection.url.partition("?")[0], method=state.method, parameter=injection.parameter)
    except ValueError:
        return
    weakness = CATALOGUE["sql-injection"]
    yield Observation(
        kind=ObservationKind.FLAW,
        rule="sqlmap:injection",
        title=weakness.title,
        severity=weakness.severity,
        flaw_class=FlawClass.ENDPOINT,
        weakness=weakness.key,
        cwe=(weakness.cwe,),
        location=place,
        evidence=clip(f"{injection.parameter} ({injection.place})\n" + "\n".join(injection.proof)),
        remediation=weakness.remediation,
    )
