"""Gitleaks' findings as `report.tmpl` writes them. Source: `report/finding.go` of Gitleaks 8.30.1."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.code import inside, line_of
from purple.toolkit.parts import read_parts

LIMIT = 256 * 1024**2
"""Bytes; a finding is about 500."""
SCHEMA = "purple.gitleaks/1"
_HARD_CODED = 798
_GUESSES = {"generic-api-key", "curl-auth-user", "curl-auth-header", "hashicorp-tf-password"}
"""Rules that know a secret by what stands around it, not by its form."""
_MOST_STARS = 60
_REMEDY = (
    "Revoke it and issue another; then take it out of the code. Taking it out of the history helps only with copies"
    " that nobody has made yet."
)


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """The secrets, by their hash.

    Raises:
        ParseError: no report of ours, or one that breaks off; what it held has been yielded.
    """
    schema: Any = None
    broken = 0
    for path, _, part in read_parts(stream, ["schema", "findings.*"], LIMIT):
        if path == "schema":
            schema = part
            continue
        try:
            yield _secret(part)
        except (KeyError, TypeError, AttributeError, ValueError):
            broken += 1
    if schema != SCHEMA:
        raise ParseError("this is not the report that Gitleaks is asked for", offset=0)
    if broken:
        raise ParseError(f"{broken} entries are not as Gitleaks writes them", offset=broken, unit="entries")


def _secret(found: dict[str, Any]) -> Observation:
    rule, commit = str(found["rule"]), str(found["commit"])[:64]
    length = max(0, int(found["length"]))
    begins = str(found["begins"])[:4]
    stars = "*" * min(max(length - len(begins), 0), _MOST_STARS)
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"gitleaks:{rule}", 200),
        title=clip(f"Secret in the code: {rule.replace('-', ' ')}", 200),
        severity=Severity.HIGH,
        flaw_class=FlawClass.SECRET,
        cwe=(_HARD_CODED,),
        location=Location(path=inside(str(found["file"])), line=line_of(found["line"])),
        description=clip(str(found["description"])),
        evidence=clip(f"{begins}{stars} ({length} characters), committed in {commit or 'the files'}"),
        remediation=_REMEDY,
        confidence=0.5 if rule in _GUESSES else 0.9,
        attributes={"secret": clip(str(found["secret"]), 64), "commit": clip(commit, 64)},
    )
