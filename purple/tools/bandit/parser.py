"""Bandit's JSON. Source: `bandit/formatters/json.py` of Bandit 1.9.4."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.code import digest_of, inside, line_of
from purple.toolkit.code_rules import weakness_of
from purple.toolkit.parts import read_parts

LIMIT = 256 * 1024**2
"""Bytes; a finding is about 1 KB."""
_LEVELS = {"HIGH": Severity.HIGH, "MEDIUM": Severity.MEDIUM, "LOW": Severity.LOW}
_CONFIDENCE = {"HIGH": 0.9, "MEDIUM": 0.7, "LOW": 0.4}
_SECRETS = {"B105", "B106", "B107"}
_NUMBERED = re.compile(r"(\d+) (.*)")


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """What Bandit found.

    Raises:
        ParseError: no report of Bandit, one that breaks off, or one of code that Bandit could not read in part; what
            it found has been yielded.
    """
    unread: list[str] = []
    broken = reports = 0
    for path, _, part in read_parts(stream, ["results.*", "errors.*", "metrics._totals"], LIMIT):
        if path == "metrics._totals":
            reports += 1
            continue
        try:
            if path == "errors.*":
                unread.append(inside(str(part["filename"])))
            else:
                yield _flaw(part)
        except (KeyError, TypeError, AttributeError, ValueError):
            broken += 1
    if broken:
        raise ParseError(f"{broken} entries are not as Bandit writes them", offset=broken, unit="entries")
    if not reports:
        raise ParseError("this is not a report of Bandit", offset=0)
    if unread:
        shown = ", ".join(unread[:5])
        raise ParseError(f"Bandit could not read {len(unread)} files: {shown}", offset=len(unread), unit="files")


def _flaw(result: dict[str, Any]) -> Observation:
    test = str(result["test_id"])
    code = _lines(str(result.get("code") or ""), result.get("line_range") or [result["line_number"]])
    secret = test in _SECRETS
    name = clip(str(result["test_name"]), 100)
    cwe = (result.get("issue_cwe") or {}).get("id")
    link = str(result.get("more_info") or "")
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"bandit:{test}", 200),
        title=clip(f"{name.replace('_', ' ')}" if secret else str(result["issue_text"]).strip().split("\n")[0], 200),
        severity=_LEVELS.get(str(result["issue_severity"]), Severity.INFO),
        flaw_class=FlawClass.CODE,
        weakness=weakness_of("bandit", test),
        cwe=(cwe,) if isinstance(cwe, int) and cwe > 0 else (),
        location=Location(path=inside(str(result["filename"])), line=line_of(result["line_number"])),
        # Bandit writes the password that it suspects; it is not copied to one more place
        description="" if secret else clip(str(result["issue_text"])),
        evidence="" if secret else clip(code),
        references=(clip(link, 500),) if link else (),
        confidence=_CONFIDENCE.get(str(result["issue_confidence"]), 0.5),
        attributes={"snippet": digest_of(code)},
    )


def _lines(code: str, wanted: list[int]) -> str:
    """The lines that a finding is about, out of those around it, without their numbers."""
    numbered = (_NUMBERED.match(line) for line in code.splitlines())
    return "\n".join(each[2] for each in numbered if each and int(each[1][:9]) in wanted)
