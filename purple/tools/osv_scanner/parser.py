"""OSV-Scanner's JSON. Source: `pkg/models/results.go` of OSV-Scanner 1.9.2; 2.2 writes the same."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import Observation
from purple.domain.severity import Severity
from purple.toolkit.advisories import Advisory, severity_of
from purple.toolkit.code import below
from purple.toolkit.parts import read_parts

LIMIT = 1024**3
"""Bytes; a vulnerability is told whole, with every version it affects: 10 KB and more."""


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """One sighting a package, vulnerability and lock file; what is one flaw by several names is one.

    Raises:
        ParseError: no report of OSV-Scanner, or one that breaks off; what it found has been yielded.
    """
    broken = reports = 0
    for path, _, source in read_parts(stream, ["results.*"], LIMIT, opened=["results"]):
        if path == "results":
            reports += 1
            continue
        try:
            for package in source["packages"]:
                yield from _package(below(str(source["source"]["path"])), package)
        except (KeyError, TypeError, AttributeError, ValueError):
            broken += 1
    if not reports:
        raise ParseError("this is not a report of OSV-Scanner", offset=0)
    if broken:
        raise ParseError(f"{broken} lock files are not told as OSV-Scanner does", offset=broken, unit="files")


def _package(path: str, found: dict[str, Any]) -> Iterator[Observation]:
    package = found["package"]
    told = {str(each["id"]): each for each in found.get("vulnerabilities") or ()}
    for group in found.get("groups") or ():
        ids = tuple(dict.fromkeys(map(str, (*group["ids"], *(group.get("aliases") or ())))))
        about: dict[str, Any] = next((told[each] for each in ids if each in told), {})
        score = _number(group.get("max_severity"))
        specific = about.get("database_specific")
        cwes = specific.get("cwe_ids") if isinstance(specific, dict) else None
        yield Advisory(
            ecosystem=str(package["ecosystem"]).partition(":")[0],
            name=str(package["name"]),
            version=str(package["version"]),
            ids=ids,
            path=path,
            severity=severity_of(score) if score is not None else Severity.MEDIUM,
            title=str(about.get("summary") or ""),
            description=str(about.get("details") or about.get("summary") or ""),
            fixed=_fixed(about, str(package["name"])),
            references=tuple(str(each.get("url")) for each in about.get("references") or ()),
            cwe=tuple(int(each[4:][:6]) for each in map(str, cwes or ()) if each[4:].isdecimal()),
            cvss_vector=_vector(about),
            cvss_score=score or 0.0,
        ).seen()


def _fixed(about: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(
        str(event["fixed"])
        for affected in about.get("affected") or ()
        if (affected.get("package") or {}).get("name") == name
        for ranges in affected.get("ranges") or ()
        if ranges.get("type") != "GIT"
        for event in ranges.get("events") or ()
        if "fixed" in event
    )[:5]


def _vector(about: dict[str, Any]) -> str:
    vectors = [str(each.get("score") or "") for each in about.get("severity") or ()]
    return next((each for each in vectors if each.startswith("CVSS:3")), vectors[0] if vectors else "")


def _number(text: Any) -> float | None:
    try:
        score = float(text)
    except (TypeError, ValueError):
        return None
    return score if 0 <= score <= 10 else None  # noqa: PLR2004 - CVSS ends there
