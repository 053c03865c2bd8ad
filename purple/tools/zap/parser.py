"""ZAP's traditional reports, XML and JSON, with or without requests.

Sources: the templates `traditional-xml` and `traditional-json` of its add-on `reports`, and for what the numbers mean
https://www.zaproxy.org/docs/constants/ : risk 3 high, 2 medium, 1 low, 0 informational; confidence 0 false positive,
1 low, 2 medium, 3 high, 4 confirmed by a person.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.elements import Element, read_elements
from purple.toolkit.parts import read_parts
from purple.toolkit.texts import cves, links, number, plain

LIMIT = 2 * 1024**3
MAX_INSTANCES = 2_000
"""Of one alert; there is one a URL."""
_RISKS = {"3": Severity.HIGH, "2": Severity.MEDIUM, "1": Severity.LOW, "0": Severity.INFO}
_CONFIDENCES = {"1": 0.4, "2": 0.7, "3": 0.9, "4": 1.0}
_FALSE_POSITIVE = "0"
_WEAKNESSES = {
    "6": "path-traversal",
    "10010": "cookie-without-httponly",
    "10011": "cookie-without-secure",
    "10020": "header-missing-frame-options",
    "10021": "header-missing-content-type-options",
    "10033": "directory-listing",
    "10035": "header-missing-hsts",
    "10036": "version-disclosed",
    "10037": "version-disclosed",
    "10038": "header-missing-csp",
    "10106": "plaintext-http",
    "20019": "open-redirect",
    "40012": "cross-site-scripting",
    "40014": "cross-site-scripting",
    "40026": "cross-site-scripting",
    "40018": "sql-injection",
    "40019": "sql-injection",
    "40020": "sql-injection",
    "40021": "sql-injection",
    "40022": "sql-injection",
    "40024": "sql-injection",
    "40027": "sql-injection",
    "40046": "server-side-request-forgery",
    "90020": "command-execution",
    "90037": "command-execution",
}
"""By plugin, https://www.zaproxy.org/docs/alerts/ ."""
_PORTS = {"http": 80, "https": 443}
_BODIES = ("requestheader", "requestbody", "responseheader", "responsebody")


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """One flaw for each instance of an alert; a false positive is none.

    Raises:
        ParseError: no report of ZAP, one that breaks off, or an alert that is not as ZAP writes it; what could be read
            has been yielded.
    """
    first = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    stream.seek(0)
    odd = 0
    for alert in _alerts_of_xml(stream) if first == b"<" else _alerts_of_json(stream):
        try:
            yield from _flaws(alert)
        except (KeyError, TypeError, AttributeError, ValueError):
            odd += 1
            continue
        odd += bool(alert.get("cut"))
    if odd:
        raise ParseError(f"{odd} alerts are cut or not as ZAP writes them", offset=odd, unit="alerts")


def _alerts_of_xml(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    for each in read_elements(stream, "OWASPZAPReport", ["alertitem"], LIMIT, skip=_BODIES):
        yield _table(each) | {
            "instances": [_table(one) for one in each.all("instances", "instance")],
            "cut": each.cut,
        }


def _table(element: Element) -> dict[str, Any]:
    return {child.name: child.text for child in element.children}


def _alerts_of_json(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    sites = 0
    for path, _, value in read_parts(stream, ["site.*.alerts.*"], LIMIT, opened=["site", "site.*"]):
        sites += path == "site"
        if path == "site.*.alerts.*":
            yield value
    if not sites:
        raise ParseError("this is no report of ZAP: it has no list of sites", offset=0)


def _flaws(alert: dict[str, Any]) -> Iterator[Observation]:
    plugin = str(alert["pluginid"]).strip()
    name = plain(str(alert.get("name") or alert.get("alert") or plugin))
    confidence = str(alert.get("confidence", "2")).strip()
    if confidence == _FALSE_POSITIVE:
        return
    cwe = number(str(alert.get("cweid", "")))
    reference = str(alert.get("reference", ""))
    description = plain(str(alert.get("desc", "")))
    common: dict[str, Any] = {
        "kind": ObservationKind.FLAW,
        "rule": clip(f"zap:{alert.get('alertRef') or plugin}", 300),
        "title": clip(name.split("\n")[0], 200),
        "severity": _RISKS[str(alert.get("riskcode", "")).strip()],
        "flaw_class": FlawClass.ENDPOINT,
        "weakness": _WEAKNESSES.get(plugin, ""),
        "cwe": (cwe,) if cwe > 0 else (),
        "cve": cves((name, description, reference)),
        "description": description,
        "remediation": plain(str(alert.get("solution", ""))),
        "references": links(reference),
        "confidence": _CONFIDENCES.get(confidence, 0.7),
    }
    instances = alert.get("instances") or [alert]  # before ZAP 2.5 an alert was its own and only instance
    for each in instances[:MAX_INSTANCES]:
        yield Observation(location=_place(each), evidence=_evidence(each), **common)
    if len(instances) > MAX_INSTANCES:
        alert["cut"] = True


def _place(instance: dict[str, Any]) -> Location:
    url = str(instance.get("uri", "")).strip()
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return Location(
        clip(parts.hostname or "", 300),
        port,
        "tcp" if port else "",
        url=clip(url, 2048),
        method=clip(str(instance.get("method", "")).strip(), 20),
        parameter=clip(str(instance.get("param", "")).strip(), 300),
    )


def _evidence(instance: dict[str, Any]) -> str:
    told = (
        (name, str(instance.get(key) or "").strip())
        for key, name in (("attack", "attack"), ("evidence", "evidence"), ("otherinfo", "other"))
    )
    return clip("\n".join(f"{name}: {text}" for name, text in told if text))
