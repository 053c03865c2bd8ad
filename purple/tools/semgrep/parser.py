"""Semgrep's SARIF, in which alone it shows the code it found. Source: its output as of Semgrep 1.185."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import unquote

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.code import digest_of, inside, line_of
from purple.toolkit.code_rules import weakness_of
from purple.toolkit.parts import read_parts

LIMIT = 512 * 1024**2
"""Bytes; a finding is about 1 KB."""
MAX_RULES = 20_000
_RESULTS = "runs.*.results.*"
_RULES = "runs.*.tool.driver.rules.*"
_INVOCATIONS = "runs.*.invocations.*"
_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.INFO}
_CONFIDENCE = {"HIGH": 0.9, "MEDIUM": 0.7, "LOW": 0.4}
_CWE = re.compile(r"\bCWE-0*(\d{1,6})\b")
_SURE = re.compile(r"\b(HIGH|MEDIUM|LOW) CONFIDENCE\b")
_MOST_SHOWN = 5


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """What Semgrep found. Its rules come after its results, so the stream is read twice and must be seekable.

    Raises:
        ParseError: no SARIF of Semgrep, one that breaks off, or one that tells of trouble, such as a rule that ran out
            of time; what it found has been yielded.
    """
    rules, trouble, runs = _about(stream)
    stream.seek(0)
    broken = 0
    for _, _, result in read_parts(stream, [_RESULTS], LIMIT):
        try:
            yield _flaw(result, rules)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            broken += 1
    if not runs:
        raise ParseError("this is not a report of Semgrep", offset=0)
    if broken:
        raise ParseError(f"{broken} results are not as Semgrep writes them", offset=broken, unit="results")
    if trouble:
        said = "; ".join(trouble[:_MOST_SHOWN])
        raise ParseError(f"Semgrep did not look everywhere: {said}", offset=len(trouble), unit="notes")


def _about(stream: BinaryIO) -> tuple[dict[str, dict[str, Any]], list[str], int]:
    """The rules by id, what went wrong, and how many runs say how they went; as far as they can be read."""
    rules: dict[str, dict[str, Any]] = {}
    trouble: list[str] = []
    runs = 0
    try:
        for path, _, part in read_parts(stream, [_RULES, _INVOCATIONS], LIMIT):
            if not isinstance(part, dict):
                trouble.append("a part that is not as Semgrep writes it")
            elif path == _RULES and len(rules) < MAX_RULES:
                rules[clip(str(part.get("id")), 200)] = part
            elif path == _INVOCATIONS:
                runs += 1
                trouble += _trouble(part)
    except ParseError:
        pass  # reading the results meets the same end, and tells of it
    return rules, trouble, runs


def _trouble(invocation: dict[str, Any]) -> Iterator[str]:
    notes = invocation.get("toolExecutionNotifications")
    for note in notes if isinstance(notes, list) else ():
        message = note.get("message") if isinstance(note, dict) else None
        said = message.get("text") if isinstance(message, dict) else note
        yield " ".join(clip(str(said), 200).split())
    if invocation.get("executionSuccessful") is not True:
        yield "it says that it did not succeed"


def _flaw(result: dict[str, Any], rules: dict[str, dict[str, Any]]) -> Observation:
    name = str(result["ruleId"])
    rule = rules.get(clip(name, 200), {})
    place = result["locations"][0]["physicalLocation"]
    region = place["region"]
    code = str((region.get("snippet") or {}).get("text") or "")
    tags = " ".join(str(tag)[:100] for tag in ((rule.get("properties") or {}).get("tags") or [])[:50])
    sure = _SURE.search(tags)
    message = str(result["message"]["text"]).strip()
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"semgrep:{name}", 200),
        title=clip(message.split("\n")[0], 200) or clip(name, 200),
        severity=_LEVELS.get(str((rule.get("defaultConfiguration") or {}).get("level")), Severity.MEDIUM),
        flaw_class=FlawClass.CODE,
        weakness=weakness_of("semgrep", name),
        cwe=tuple(dict.fromkeys(int(each) for each in _CWE.findall(tags)))[:10],
        location=Location(
            path=inside(unquote(str(place["artifactLocation"]["uri"]))), line=line_of(region["startLine"])
        ),
        description=clip(message),
        evidence=clip(code),
        confidence=_CONFIDENCE[sure[1]] if sure else 0.7,
        attributes={"snippet": digest_of(code)},
    )
