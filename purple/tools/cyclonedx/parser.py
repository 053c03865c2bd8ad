"""The vulnerabilities of CycloneDX bills of materials: JSON and XML of 1.4 to 1.6, and the XML extension of before.

Sources: https://cyclonedx.org/docs/1.6/json/ and https://cyclonedx.org/ext/vulnerability/ . The `severity` of a rating
is read; without one its CVSS score, by the bands of CVSS v3.1. Of several ratings that of the vulnerability's own
source counts, else the worst. What its analysis calls not affected, resolved or a false positive is no flaw.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.parts import read_parts
from purple.toolkit.texts import cves, links, number, plain, score
from purple.tools.cyclonedx.xml import read_xml_bom

LIMIT = 2 * 1024**3
MAX_COMPONENTS = 200_000
"""Whose names are remembered."""
MAX_AFFECTED = 1_000
"""Components of one vulnerability."""
_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "info": Severity.INFO,
    "none": Severity.INFO,
}
_NO_FLAW = {"not_affected", "false_positive", "resolved", "resolved_with_pedigree"}
_NAMED = "vulnerabilities.*"


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """One flaw for each component that a vulnerability affects.

    A file may list its components after its vulnerabilities, so JSON is read twice and must be seekable.

    Raises:
        ParseError: no CycloneDX, one that breaks off, or entries that are not as the standard has them; what could be
            read has been yielded.
    """
    first = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    stream.seek(0)
    names: dict[str, str] = {}
    odd = 0
    found = read_xml_bom(stream, LIMIT, names) if first == b"<" else _of_json(stream, names)
    for each in found:
        try:
            yield from _flaws(each, names)
        except (KeyError, TypeError, AttributeError, ValueError):
            odd += 1
    if odd:
        raise ParseError(f"{odd} vulnerabilities are not as CycloneDX has them", offset=odd, unit="vulnerabilities")


def _of_json(stream: BinaryIO, names: dict[str, str]) -> Iterator[Any]:
    what: Any = None
    trouble: ParseError | None = None
    try:
        for path, _, value in read_parts(stream, ["bomFormat", "components.*", "metadata.component"], LIMIT):
            if path == "bomFormat":
                what = value
            else:
                _name(value, names)
    except ParseError as error:
        trouble = error
    if trouble is None and what != "CycloneDX":
        raise ParseError(f"this is no CycloneDX: its bomFormat is {str(what)[:40]!r}", offset=0)
    stream.seek(0)
    for _, _, value in read_parts(stream, [_NAMED], LIMIT):
        yield value


def _name(component: Any, names: dict[str, str]) -> None:
    """Remember a component and those inside it by their references."""
    waiting = [component]
    while waiting and len(names) < MAX_COMPONENTS:
        each = waiting.pop()
        if not isinstance(each, dict):
            continue
        reference, purl = str(each.get("bom-ref") or ""), str(each.get("purl") or "")
        shown = purl or f"{each.get('name', '')}@{each.get('version', '')}"
        if reference:
            names[clip(reference, 500)] = clip(shown, 500)
        inner = each.get("components")
        waiting += inner if isinstance(inner, list) else []


def _flaws(entry: Any, names: dict[str, str]) -> Iterator[Observation]:
    analysis = entry.get("analysis") or {}
    if analysis.get("state") in _NO_FLAW:
        return
    name = str(entry["id"])
    description = plain(str(entry.get("description") or entry.get("detail") or ""))
    rating = _rating(entry)
    references = [str(each.get("id", "")) for each in entry.get("references") or ()]
    common: dict[str, Any] = {
        "kind": ObservationKind.FLAW,
        "rule": clip(f"cyclonedx:{name}", 300),
        "severity": _severity(rating),
        "flaw_class": FlawClass.COMPONENT,
        "cve": cves([name, *references]),
        "cwe": tuple(filter(None, (number(str(each)) for each in entry.get("cwes") or ())))[:50],
        "cvss_vector": clip(str(rating.get("vector") or ""), 200),
        "cvss_score": score(str(rating.get("score") or "")),
        "description": description,
        "evidence": clip(plain(str(analysis.get("detail") or ""))),
        "remediation": plain(str(entry.get("recommendation") or "")),
        "references": links(
            str((entry.get("source") or {}).get("url", "")),
            *(str(each.get("url", "")) for each in entry.get("advisories") or ()),
        ),
    }
    affected = [str(each["ref"]) for each in entry.get("affects") or ()] or [""]
    for reference in affected[:MAX_AFFECTED]:
        component = names.get(clip(reference, 500), clip(reference, 500))
        yield Observation(
            title=clip(f"{name} in {_short(component)}" if component else name, 200),
            location=Location(path=component),
            attributes={"component": _unversioned(component)} if component else {},
            **common,
        )
    if len(affected) > MAX_AFFECTED:
        raise ValueError("too many components")


def _rating(entry: dict[str, Any]) -> dict[str, Any]:
    ratings = [each for each in entry.get("ratings") or () if each.get("severity") or each.get("score")]
    source = (entry.get("source") or {}).get("name")
    own = [each for each in ratings if source and (each.get("source") or {}).get("name") == source]
    return max(own or ratings, key=lambda each: _severity(each).rank, default={})


def _severity(rating: dict[str, Any]) -> Severity:
    """What nobody rated is of medium severity, so that it is looked at."""
    said = _SEVERITIES.get(str(rating.get("severity") or "").lower())
    if said is not None:
        return said
    points = score(str(rating.get("score") or ""))
    return Severity.from_cvss(points) if points else Severity.MEDIUM


def _short(component: str) -> str:
    return component.partition("?")[0].rpartition("/")[2]


def _unversioned(component: str) -> str:
    """A component stays itself in its next version: what was found in both is one flaw."""
    bare = component.partition("?")[0]
    return bare.rpartition("@")[0] or bare
