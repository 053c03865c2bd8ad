"""ffuf's JSON. Source: `pkg/output/file_json.go` of ffuf 1.1 and 2.1."""

from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.parts import read_parts
from purple.toolkit.web import place_of
from purple.toolkit.words import meaning_of

LIMIT = 256 * 1024**2
"""Bytes; a result is about 300."""
_NOTHING = "purple-nothing-here-"
_HELD = 1000
"""Results that wait for the server's way to say no."""
_UNANSWERED = 0.02
"""Share of requests without an answer above which the list was not really asked."""
_SERVED = range(200, 300)
_NOT_THERE = {404, 410}
Shape = tuple[int, int, int]


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """What is there, as far as the server answers otherwise than for what no server has.

    Raises:
        ParseError: no result of ffuf, one that breaks off, or requests that nobody answered; what came before has
            been yielded.
    """
    told = _Told()
    broken = 0
    seen = False
    trouble: ParseError | None = None
    try:
        for path, _, result in read_parts(stream, ["results.*", "config.url"], LIMIT):
            seen = True
            if path == "results.*":
                try:
                    yield from told.take(result)
                except (KeyError, TypeError, ValueError, AttributeError):
                    broken += 1
    except ParseError as error:
        trouble = error
    yield from told.release()
    if trouble:
        raise trouble
    if broken:
        raise ParseError(f"{broken} results are not as ffuf writes them", offset=broken, unit="results")
    if not seen:
        raise ParseError("this is not a result of ffuf", offset=0)
    told.check()


class _Told:
    """Results until it is known how the server says no."""

    def __init__(self) -> None:
        self._nothing: set[Shape] = set()
        self._held: list[tuple[Shape, Observation]] | None = []
        self._answers = self._last = 0

    def take(self, result: dict[str, Any]) -> Iterator[Observation]:
        word, shape, made = str(result["input"]["FUZZ"]), _shape(result), _seen(result)
        self._last = max(self._last, int(result["position"]))
        self._answers += 1
        if word.startswith(_NOTHING):
            self._nothing.add(shape)
        elif self._held is None:
            yield from self._show(shape, made)
        else:
            self._held.append((shape, made))
        if self._held is not None and len(self._held) >= _HELD:
            yield from self.release()

    def release(self) -> Iterator[Observation]:
        held, self._held = self._held or [], None
        for each in held:
            yield from self._show(*each)

    def check(self) -> None:
        if not self._nothing:
            raise ParseError("the server did not answer ffuf", offset=0)
        missing = self._last - self._answers
        if missing > self._last * _UNANSWERED:
            raise ParseError(f"{missing} of {self._last} requests were not answered", offset=missing, unit="requests")

    def _show(self, shape: Shape, made: Observation) -> Iterator[Observation]:
        if shape[0] not in _NOT_THERE and not any(_alike(shape, each) for each in self._nothing):
            yield made


def _shape(result: dict[str, Any]) -> Shape:
    return int(result["status"]), int(result["words"]), int(result["lines"])


def _alike(one: Shape, other: Shape) -> bool:
    """The same page, but for a word or two that repeat what was asked for."""
    return one[0] == other[0] and abs(one[1] - other[1]) <= 1 and one[2] == other[2]


def _seen(result: dict[str, Any]) -> Observation:
    status = int(result["status"])
    parts = urlsplit(str(result["url"]))
    key, path = meaning_of(unquote(parts.path)) if status in _SERVED else ("", parts.path)
    weakness = CATALOGUE[key] if key else None
    where = parts._replace(path=path, query="").geturl()
    facts = f"GET {parts.path}\nstatus {status}, {int(result['length'])} bytes"
    if leads := result.get("redirectlocation"):
        facts += f", leads to {leads}"
    return Observation(
        kind=ObservationKind.FLAW,
        rule=f"ffuf:{key or 'path-found'}",
        title=weakness.title if weakness else clip(f"Path found: {parts.path}", 200),
        severity=weakness.severity if weakness else Severity.INFO,
        flaw_class=FlawClass.ENDPOINT,
        weakness=key or "path-found",
        cwe=(weakness.cwe,) if weakness else (),
        location=place_of(where, method="GET"),
        evidence=clip(facts),
        remediation=weakness.remediation if weakness else "",
        confidence=0.9 if weakness else 0.7,
    )
