"""nuclei's JSON Lines. Source: `pkg/output/output.go` of nuclei 3, `ResultEvent`."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from purple.domain.errors import InvalidInputError, ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.domain.targets import split_port
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.jsonlines import read_json_lines
from purple.toolkit.web import place_of
from purple.toolkit.words import meaning_of

LIMIT = 512 * 1024**2
"""Bytes; a template that did not match is about 1 KB."""
_WEAKNESSES = {
    "http-missing-security-headers:content-security-policy": "header-missing-csp",
    "http-missing-security-headers:x-frame-options": "header-missing-frame-options",
    "http-missing-security-headers:strict-transport-security": "header-missing-hsts",
    "http-missing-security-headers:x-content-type-options": "header-missing-content-type-options",
    "sqli": "sql-injection",
    "xss": "cross-site-scripting",
    "lfi": "path-traversal",
    "traversal": "path-traversal",
    "redirect": "open-redirect",
    "ssrf": "server-side-request-forgery",
    "default-login": "login-guessed",
}
"""By template and matcher, or by tag."""
_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.IGNORECASE)
_CWE = re.compile(r"(\d{1,6})\s*\Z")


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """What matched.

    Raises:
        ParseError: a line that is not of nuclei, or no template of which one could say that it ran; what matched has
            been yielded.
    """
    broken = ran = 0
    trouble = ""
    for _, event in read_json_lines(stream, LIMIT):
        try:
            if error := event.get("error"):
                trouble = trouble or clip(str(error), 200)
                continue
            template = str(event["template-id"])
            ran += 1
            if event.get("matcher-status") is not False:
                yield _flaw(template, event, event["info"])
        except (KeyError, TypeError, ValueError, AttributeError):
            broken += 1
    if broken:
        raise ParseError(f"{broken} lines are not as nuclei writes them", offset=broken, unit="lines")
    if not ran:
        raise ParseError(f"no template ran: {trouble or 'none is listed'}", offset=0)


def _flaw(template: str, event: dict[str, Any], info: dict[str, Any]) -> Observation:
    matcher = event.get("matcher-name") or ""
    rule = f"{template}:{matcher}" if matcher else template
    about = info.get("classification") or {}
    place = _place(event)
    cve = tuple(each.upper() for each in _texts(about.get("cve-id")) if _CVE.fullmatch(each))
    key, place = ("", place) if cve else _weakness(rule, _texts(info.get("tags")), place)
    weakness = CATALOGUE[key] if key else None
    numbers = (_CWE.search(each) for each in _texts(about.get("cwe-id")))
    cwe = tuple(int(found[1]) for found in numbers if found)
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"nuclei:{rule}", 200),
        title=weakness.title if weakness else clip(str(info["name"]), 200),
        severity=_severity(info.get("severity")),
        flaw_class=_class(cve, key, place),
        weakness=key,
        cve=cve,
        cwe=cwe or ((weakness.cwe,) if weakness else ()),
        cvss_vector=clip(str(about.get("cvss-metrics") or ""), 200),
        cvss_score=_score(about.get("cvss-score")),
        location=place,
        description=clip(str(info.get("description") or "")),
        evidence=clip("\n".join([*_texts(event.get("extracted-results")), str(event.get("curl-command") or "")])),
        remediation=clip(str(info.get("remediation") or (weakness.remediation if weakness else ""))),
        references=tuple(clip(each, 500) for each in _texts(info.get("reference"))[:20]),
    )


def _place(event: dict[str, Any]) -> Location:
    matched = str(event.get("matched-at") or event.get("url") or event["host"])
    if "://" in matched:
        return place_of(matched, parameter=str(event.get("fuzzing_parameter") or ""))
    try:
        host, port = split_port(matched)
    except InvalidInputError:
        host, port = matched, 0
    return Location(host=clip(host, 300), port=port, transport="tcp" if port else "")


def _weakness(rule: str, tags: list[str], place: Location) -> tuple[str, Location]:
    """The shared name of what matched, and where it lies."""
    if key := _WEAKNESSES.get(rule):
        return key, place
    parts = urlsplit(place.url)
    if "exposure" in tags and parts.path:
        key, path = meaning_of(parts.path)
        if key:
            return key, place_of(parts._replace(path=path, query="").geturl())
    return next((_WEAKNESSES[each] for each in tags if each in _WEAKNESSES), ""), place


def _class(cve: tuple[str, ...], key: str, place: Location) -> FlawClass:
    if cve:
        return FlawClass.COMPONENT
    of_the_site = key.startswith("header-") or urlsplit(place.url).path in {"", "/"}
    return FlawClass.CONFIGURATION if of_the_site else FlawClass.ENDPOINT


def _severity(text: Any) -> Severity:
    try:
        return Severity(str(text).lower())
    except ValueError:
        return Severity.INFO


def _score(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 10 else 0.0  # noqa: PLR2004 - CVSS ends at 10


def _texts(value: Any) -> list[str]:
    """Templates write one text, a list or null."""
    if isinstance(value, str):
        return [clip(each.strip(), 1000) for each in value.split(",")]
    return [clip(str(each), 1000) for each in value] if isinstance(value, list) else []
