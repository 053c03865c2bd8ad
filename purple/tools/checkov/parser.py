"""Checkov's JSON: one report, or a list with one for each framework. Source: `checkov/common/output` of 3.3.30."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.code import below, digest_of, inside, line_of
from purple.toolkit.parts import read_parts

LIMIT = 512 * 1024**2
"""Bytes; a check is about 2 KB, and those that passed are told too."""
_CHECKS = ("results.failed_checks.*", "results.skipped_checks.*")
_ERRORS = "results.parsing_errors.*"
_VERSIONS = ("summary.checkov_version", "*.summary.checkov_version", "checkov_version")
_LEVELS = {"CRITICAL": Severity.CRITICAL, "HIGH": Severity.HIGH, "MEDIUM": Severity.MEDIUM, "LOW": Severity.LOW}
_MOST_SHOWN = 5
_LINES = 40
_UNNAMED = ("CKV_DOCKER", "CKV2_DOCKER")
"""Checks of instructions, which have no name of their own: their text tells them apart, unless it is the file's."""
_WEAKNESSES = {
    "CKV_DOCKER_2": "image-without-healthcheck",
    "CKV_DOCKER_5": "image-update-alone",
    "CKV_DOCKER_7": "image-not-pinned",
    **dict.fromkeys(("CKV_DOCKER_3", "CKV_DOCKER_8"), "image-runs-as-root"),
    **dict.fromkeys(("CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260"), "firewall-open"),
}


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """What Checkov found, also what a comment in the code tells it to skip.

    Raises:
        ParseError: no report of Checkov, one that breaks off, or one of files that Checkov could not read; what it
            found has been yielded.
    """
    unread: list[str] = []
    broken = reports = 0
    wanted = [prefix + path for path in (*_CHECKS, _ERRORS) for prefix in ("", "*.")]
    for path, _, part in read_parts(stream, [*wanted, *_VERSIONS], LIMIT):
        if path in _VERSIONS:
            reports += isinstance(part, str)
            continue
        try:
            if path.endswith(_ERRORS):
                unread.append(below(str(part)))
            else:
                yield _flaw(part, skipped="skipped" in path)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            broken += 1
    if not reports:
        raise ParseError("this is not a report of Checkov", offset=0)
    if broken:
        raise ParseError(f"{broken} checks are not as Checkov writes them", offset=broken, unit="checks")
    if unread:
        shown = ", ".join(unread[:_MOST_SHOWN])
        raise ParseError(f"Checkov could not read {len(unread)} files: {shown}", offset=len(unread), unit="files")


def _flaw(check: dict[str, Any], *, skipped: bool) -> Observation:
    rule, resource = str(check["check_id"]), str(check["resource"])
    unnamed = rule.startswith(_UNNAMED)
    name = clip(str(check["check_name"]).strip(), 200)
    path = inside(str(check["file_path"]))
    # a module may name a folder outside the repository; what stands there is nobody's to see
    code = "" if ".." in path.split("/") else _text(check.get("code_block"))
    comment = str((check.get("check_result") or {}).get("suppress_comment") or "") if skipped else ""
    guideline = str(check.get("guideline") or "")
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"checkov:{rule}", 200),
        title=name,
        # only with an account does it say how bad something is
        severity=_LEVELS.get(str(check.get("severity")).upper(), Severity.MEDIUM),
        flaw_class=FlawClass.CODE,
        weakness=_WEAKNESSES.get(rule, ""),
        location=Location(
            path=path,
            line=line_of((check.get("file_line_range") or [0])[0]),
            parameter="" if unnamed else clip(resource, 300),
        ),
        description=clip(f"{name}\n\nA comment in the code asks to skip this: {comment}" if skipped else name),
        evidence=clip(code),
        references=(clip(guideline, 500),) if guideline.startswith("https://") else (),
        confidence=0.5 if skipped else 0.8,
        attributes={"snippet": digest_of(code)} if unnamed and not resource.endswith(".") else {},
    )


def _text(block: Any) -> str:
    return "".join(str(line[1]) for line in block[:_LINES]) if isinstance(block, list) else ""
