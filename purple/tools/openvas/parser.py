"""Reports of OpenVAS and Greenbone in XML, as GMP gives them and as they are exported.

Source: the report format of GMP 22.4 and 22.5 (https://docs.greenbone.net/API/GMP/gmp-22.5.html). A result's number
`severity` is a CVSS base score and is read by the bands of CVSS v3.1; 0 is the level Log. Negative numbers are false
positives, debug messages and errors of a check, and no flaws. The quality of detection is the confidence.
"""

from collections.abc import Iterator
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.elements import Element, read_elements
from purple.toolkit.texts import cves, cwes, links, number, plain, score

LIMIT = 2 * 1024**3
_ROOTS = {b"<get_reports_response": "get_reports_response"}
_THREATS = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "log": Severity.INFO,
}
_NO_FLAW = {"debug", "error", "false positive"}
_FINISHED = {"done", ""}
_MAX_PORT = 65_535
_MOST_HOSTS = 100_000
_TRANSPORTS = {"tcp", "udp"}
_HEAD = 4_096


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Hosts and flaws.

    Raises:
        ParseError: no report, one that breaks off or whose scan was not done, or results that are not as Greenbone
            writes them; what could be read has been yielded.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    root = next((name for begin, name in _ROOTS.items() if begin in head), "report")
    hosts: set[str] = set()
    odd = 0
    status = ""
    for each in read_elements(stream, root, ["result", "host", "scan_run_status"], LIMIT):
        if each.name == "scan_run_status":
            status = each.text
            continue
        try:
            seen = _flaw(each) if each.name == "result" else None
        except (KeyError, ValueError):
            odd += 1
            continue
        odd += each.cut
        address = each.get("host") if each.name == "result" else each.get("ip")
        if address and address not in hosts and len(hosts) < _MOST_HOSTS:
            hosts.add(address)
            yield _host(address, each.get("host", "hostname") if each.name == "result" else "")
        if seen is not None:
            yield seen
    if odd:
        raise ParseError(f"{odd} results are cut or not as Greenbone writes them", offset=odd, unit="results")
    if status.lower() not in _FINISHED:
        raise ParseError(f"the scan was not done, but {status[:40]}", offset=len(hosts), unit="hosts")


def _host(address: str, name: str) -> Observation:
    return Observation(
        kind=ObservationKind.HOST,
        rule="openvas:host",
        title="Host was scanned",
        location=Location(host=clip(address, 300)),
        attributes={"name": clip(name, 300)} if name else {},
    )


def _flaw(result: Element) -> Observation | None:
    threat = result.get("threat").lower()
    said = result.get("severity")
    points = score(said)
    if threat in _NO_FLAW or said.startswith("-"):
        return None
    checks = result.all("nvt")
    check = checks[0] if checks else result
    oid = check.attributes.get("oid") or result.attributes["id"]
    tags = _tags(check.get("tags"))
    references = [each.attributes for each in check.all("refs", "ref")]
    listed = [each.get("id", "") for each in references if each.get("type", "").lower() in {"cve", "cve_id"}]
    known = cves([*listed, check.get("cve")])
    name = plain(check.get("name") or result.get("name"))
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"openvas:{oid}", 300),
        title=clip(name or oid, 200),
        location=_place(result),
        severity=Severity.from_cvss(points) if said else _THREATS[threat],
        flaw_class=FlawClass.COMPONENT if known else FlawClass.CONFIGURATION,
        cve=known,
        cwe=cwes(each.get("id", "") for each in references),
        cvss_vector=clip(tags.get("cvss_base_vector", "") or check.get("severities", "severity", "value"), 200),
        cvss_score=points,
        description=clip("\n\n".join(filter(None, (tags.get(each, "") for each in ("summary", "insight", "impact"))))),
        evidence=clip(result.get("description")),
        remediation=plain(check.get("solution") or tags.get("solution", "")),
        references=links(*(each.get("id", "") for each in references)),
        confidence=min(max(number(result.get("qod", "value"), 70), 0), 100) / 100,
        attributes={"check": clip(oid, 60)} if len(known) > 1 else {},
    )


def _place(result: Element) -> Location:
    """Its port is written as `443/tcp`, `general/tcp`, and by old versions as `https (443/tcp)`."""
    host = result.get("host")
    if not host:
        raise ValueError("no host")
    words = result.get("port").replace("(", " ").replace(")", " ").split()
    port, _, transport = (words[-1] if words else "").partition("/")
    wanted = number(port)
    return Location(
        clip(host, 300), wanted if 0 < wanted <= _MAX_PORT else 0, transport if transport in _TRANSPORTS else ""
    )


def _tags(text: str) -> dict[str, str]:
    """`name=value` with bars between."""
    pairs = (each.partition("=") for each in text.split("|"))
    return {name.strip(): plain(value) for name, equals, value in pairs if equals}
