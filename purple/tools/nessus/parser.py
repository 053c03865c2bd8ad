"""The `.nessus` files that Nessus and Tenable.io export, version 2.

Source: Tenable, "Nessus v2 File Format". The number `severity` is Tenable's own: 4 critical, 3 high, 2 medium, 1 low,
0 informational. Port scanners and service detection tell of services, a few other plugins of the scan itself; what
else is informational is an informational flaw.
"""

from collections.abc import Iterator
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, Service, clip
from purple.domain.severity import Severity
from purple.toolkit.elements import Element, read_elements
from purple.toolkit.texts import cves, cwes, links, number, plain, score

LIMIT = 2 * 1024**3
_SEVERITIES = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_OF_SERVICES = {"Port scanners", "Service detection"}
_OF_THE_SCAN = {"10180", "10287", "11936", "12053", "19506", "45590", "54615", "66334", "86420"}
"""Ping, traceroute, OS, names, scan information, CPE, device type, patch report, Ethernet addresses."""
_WEAKNESSES = {
    "10079": "anonymous-login",
    "10882": "ssh-protocol-obsolete",
    "40984": "directory-listing",
    "15901": "tls-certificate-expired",
    "20007": "tls-protocol-obsolete",
    "26928": "tls-cipher-weak",
    "35291": "tls-signature-weak",
    "42873": "tls-cipher-weak",
    "42880": "tls-renegotiation-insecure",
    "51192": "tls-certificate-untrusted",
    "57582": "tls-certificate-untrusted",
    "65821": "tls-cipher-weak",
    "69551": "tls-key-short",
    "70658": "ssh-cipher-weak",
    "71049": "ssh-mac-weak",
    "83875": "tls-dh-weak",
    "90317": "ssh-cipher-weak",
    "104743": "tls-protocol-obsolete",
    "142960": "header-missing-hsts",
    "153953": "ssh-kex-weak",
    "157288": "tls-protocol-obsolete",
}
"""By plugin, https://www.tenable.com/plugins ."""
_HOST_END = "HOST_END"
_NAMES = ("host-fqdn", "netbios-name", "host-rdns")
_MAX_PORT = 65_535


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Hosts, services and flaws.

    Raises:
        ParseError: no file of Nessus, one that breaks off, hosts whose scan did not end, or results that are not as
            Nessus writes them; what could be read has been yielded.
    """
    reader = _Host()
    odd = unfinished = 0
    wanted = ["HostProperties", "ReportItem"]
    for each in read_elements(stream, "NessusClientData_v2", wanted, LIMIT, opened=["ReportHost"]):
        if each.begins:
            reader = _Host(clip(each.attributes.get("name", ""), 300))
        elif each.name == "HostProperties":
            unfinished += not reader.take(each)
            yield reader.seen()
        else:
            try:
                yield from reader.results(each)
            except (KeyError, IndexError):
                odd += 1
                continue
            odd += each.cut
    if odd:
        raise ParseError(f"{odd} results are cut or not as Nessus writes them", offset=odd, unit="results")
    if unfinished:
        raise ParseError(f"the scan of {unfinished} hosts did not end", offset=unfinished, unit="hosts")


class _Host:
    def __init__(self, host: str = "") -> None:
        self._host = host
        self._also: dict[str, str] = {}
        self._services: set[tuple[int, str]] = set()

    def take(self, properties: Element) -> bool:
        """Keep what it is also called; whether its scan ended."""
        tags = {each.attributes.get("name", ""): each.text for each in properties.all("tag")}
        name = next((tags[key] for key in _NAMES if tags.get(key) and tags[key] != self._host), "")
        address = tags.get("host-ip", "")
        told = {"name": clip(name, 300), "address": clip(address, 100) if address != self._host else ""}
        self._also = {key: value for key, value in told.items() if value}
        return _HOST_END in tags

    def seen(self) -> Observation:
        return Observation(
            kind=ObservationKind.HOST,
            rule="nessus:host",
            title="Host was scanned",
            location=Location(host=self._host),
            attributes=dict(self._also),
        )

    def results(self, item: Element) -> Iterator[Observation]:
        told = item.attributes
        port = number(told["port"])
        protocol = told.get("protocol", "")
        place = Location(self._host, port if 0 < port <= _MAX_PORT else 0, protocol if protocol in _TRANSPORTS else "")
        severity = _SEVERITIES[number(told["severity"], 99)]
        if place.port and (place.port, place.transport) not in self._services:
            self._services.add((place.port, place.transport))
            yield _service(place, told.get("svc_name", ""))
        plugin, family = told["pluginID"], told.get("pluginFamily", "")
        if severity is Severity.INFO and (family in _OF_SERVICES or plugin in _OF_THE_SCAN):
            return
        yield _flaw(item, plugin, place, severity)


_TRANSPORTS = {"tcp", "udp"}


def _service(place: Location, name: str) -> Observation:
    bare = clip(name.rstrip("?"), 100)
    called = _SERVICE_NAMES.get(bare, bare)
    return Observation(
        kind=ObservationKind.SERVICE,
        rule="nessus:service",
        title=f"{called or 'unknown'} on {place.port}/{place.transport}",
        location=place,
        service=Service(name=called, tls=called == "https"),
    )


_SERVICE_NAMES = {"www": "http", "unknown": ""}
"""Where Nessus says it otherwise than IANA."""


def _flaw(item: Element, plugin: str, place: Location, severity: Severity) -> Observation:
    known = cves(each.text for each in item.all("cve"))
    vector = item.get("cvss3_vector") or item.get("cvss_vector").removeprefix("CVSS2#")
    texts = (plain(item.get("synopsis")), plain(item.get("description")))
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"nessus:{plugin}", 300),
        title=clip(item.attributes.get("pluginName", plugin), 200),
        location=place,
        severity=severity,
        flaw_class=FlawClass.COMPONENT if known else FlawClass.CONFIGURATION,
        weakness=_WEAKNESSES.get(plugin, ""),
        cve=known,
        cwe=tuple(dict.fromkeys(filter(None, (number(each.text) for each in item.all("cwe")))))
        or cwes(each.text for each in item.all("xref")),
        cvss_vector=clip(vector, 200),
        cvss_score=score(item.get("cvss3_base_score") or item.get("cvss_base_score")),
        description=clip("\n\n".join(filter(None, texts))),
        evidence=clip(item.get("plugin_output")),
        remediation=plain(item.get("solution")),
        references=links(*(each.text for each in item.all("see_also"))),
        # a check that names several CVEs is about their product, and not the same as another one that begins alike
        attributes={"check": clip(plugin, 50)} if len(known) > 1 else {},
    )
