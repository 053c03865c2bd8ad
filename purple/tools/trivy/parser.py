"""Trivy's JSON, schema 2. Source: `pkg/types/report.go` of Trivy 0.59."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.advisories import Advisory
from purple.toolkit.code import digest_of, inside, line_of
from purple.toolkit.parts import read_parts

LIMIT = 1024**3
"""Bytes; a vulnerability is about 2 KB."""
_LEVELS = {
    "CRITICAL": Severity.CRITICAL,
    "HIGH": Severity.HIGH,
    "MEDIUM": Severity.MEDIUM,
    "LOW": Severity.LOW,
    "UNKNOWN": Severity.INFO,
}
_ECOSYSTEMS = {
    **dict.fromkeys(("pip", "pipenv", "poetry", "uv", "python-pkg", "conda-pkg"), "pypi"),
    **dict.fromkeys(("npm", "yarn", "pnpm", "bun", "node-pkg"), "npm"),
    **dict.fromkeys(("gomod", "gobinary"), "go"),
    **dict.fromkeys(("jar", "pom", "gradle", "sbt"), "maven"),
    **dict.fromkeys(("cargo", "rustbinary"), "crates.io"),
    **dict.fromkeys(("composer", "composer-vendor"), "packagist"),
    **dict.fromkeys(("bundler", "gemspec"), "rubygems"),
}
"""By the names that OSV has for them, so that tools meet."""
_WEAKNESSES = {
    "AVD-AWS-0107": "firewall-open",
    "AVD-DS-0001": "image-not-pinned",
    "AVD-DS-0002": "image-runs-as-root",
    "AVD-DS-0017": "image-update-alone",
    "AVD-DS-0026": "image-without-healthcheck",
}
_HARD_CODED = 798


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Vulnerable packages, misconfigurations and secrets. What a check passed is none.

    Raises:
        ParseError: no report of Trivy, or one that breaks off; what it found has been yielded.
    """
    schema: Any = None
    broken = 0
    for path, _, part in read_parts(stream, ["SchemaVersion", "Results.*"], LIMIT):
        if path == "SchemaVersion":
            schema = part
            continue
        try:
            target, kind = str(part["Target"]), str(part.get("Type") or "")
            layers = part["Class"] == "os-pkgs"
            for each in part.get("Vulnerabilities") or ():
                yield _vulnerability(each, "" if layers else inside(str(each.get("PkgPath") or target)), kind)
            for each in part.get("Misconfigurations") or ():
                if each.get("Status", "FAIL") == "FAIL":
                    yield _misconfiguration(each, inside(target))
            for each in part.get("Secrets") or ():
                yield _secret(each, inside(target))
        except (KeyError, TypeError, AttributeError, ValueError):
            broken += 1
    if schema != 2:  # noqa: PLR2004 - of the report
        raise ParseError("this is not a report of Trivy of schema 2", offset=0)
    if broken:
        raise ParseError(f"{broken} results are not as Trivy writes them", offset=broken, unit="results")


def _vulnerability(found: dict[str, Any], path: str, kind: str) -> Observation:
    scores = found.get("CVSS") or {}
    best: dict[str, Any] = scores.get("nvd") or next(iter(scores.values()), {})
    fixed = str(found.get("FixedVersion") or "")
    return Advisory(
        ecosystem=_ECOSYSTEMS.get(kind, kind or "other"),
        name=str(found["PkgName"]),
        version=str(found["InstalledVersion"]),
        ids=(str(found["VulnerabilityID"]), *map(str, found.get("VendorIDs") or ())),
        path=path,
        severity=_LEVELS.get(str(found.get("Severity")), Severity.MEDIUM),
        title=str(found.get("Title") or ""),
        description=str(found.get("Description") or ""),
        fixed=tuple(each.strip() for each in fixed.split(",")),
        references=(str(found.get("PrimaryURL") or ""), *map(str, found.get("References") or ())),
        cwe=_cwes(found.get("CweIDs")),
        cvss_vector=str(best.get("V3Vector") or ""),
        cvss_score=_score(best.get("V3Score")),
    ).seen()


def _misconfiguration(found: dict[str, Any], path: str) -> Observation:
    cause = found.get("CauseMetadata") or {}
    resource = str(cause.get("Resource") or "")
    code = _lines(cause.get("Code"))
    link = str(found.get("PrimaryURL") or "")
    rule = str(found.get("AVDID") or found["ID"])
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"trivy:{rule}", 200),
        title=clip(str(found["Title"]), 200),
        severity=_LEVELS.get(str(found.get("Severity")), Severity.MEDIUM),
        flaw_class=FlawClass.CODE,
        weakness=_WEAKNESSES.get(rule, ""),
        location=Location(path=path, line=line_of(cause.get("StartLine")), parameter=clip(resource, 300)),
        description=clip(f"{found.get('Message') or ''}\n\n{found.get('Description') or ''}".strip()),
        evidence=clip(code),
        remediation=clip(str(found.get("Resolution") or "")),
        references=(clip(link, 500),) if link else (),
        attributes={} if resource else {"snippet": digest_of(code)},
    )


def _secret(found: dict[str, Any], path: str) -> Observation:
    """Trivy writes stars in place of the secret, so its line tells two apart as far as it can."""
    masked = str(found.get("Match") or "")
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"trivy:{found['RuleID']}", 200),
        title=clip(f"Secret in the code: {found['Title']}", 200),
        severity=_LEVELS.get(str(found.get("Severity")), Severity.HIGH),
        flaw_class=FlawClass.SECRET,
        cwe=(_HARD_CODED,),
        location=Location(path=path, line=line_of(found.get("StartLine"))),
        evidence=clip(masked),
        remediation="Revoke it and issue another; then take it out of the code.",
        attributes={"snippet": digest_of(masked)},
    )


def _lines(code: Any) -> str:
    """The lines that are the cause, without the colours that Trivy adds."""
    lines = code.get("Lines") if isinstance(code, dict) else None
    return "\n".join(str(each.get("Content") or "") for each in lines or () if each.get("IsCause"))


def _cwes(names: Any) -> tuple[int, ...]:
    digits = [str(each).removeprefix("CWE-")[:6] for each in names or ()]
    return tuple(int(each) for each in digits if each.isdecimal() and each.isascii())


def _score(value: Any) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known and 0 <= value <= 10 else 0.0  # noqa: PLR2004 - CVSS ends there
