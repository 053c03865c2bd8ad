"""Nmap's XML. Source: the nmap.dtd of Nmap 7.93 (docs/nmap.dtd in its distribution)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, Service, clip
from purple.domain.severity import Severity
from purple.domain.targets import authority
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.readers import read_xml

LIMIT = 2 * 1024**3
"""Bytes; ten million ports are about 2 GB."""
_CVE = re.compile(r"CVE-\d{4}-\d{4,19}")
_PROOFS = {
    "ftp-anon": ("Anonymous FTP login allowed", "anonymous-login"),
    "redis-info": ("Version: ", "no-authentication"),
    "http-git": ("Git repository found", "repository-exposed"),
}
"""Scripts whose words are a proof: what they then say, and the weakness that it shows."""
_NOTHING: dict[str, str] = {}
_SERVICE = ObservationKind.SERVICE
_TRANSPORTS = {name: name for name in ("tcp", "udp", "sctp", "ip")}
_MOST_REMEMBERED = 1_000
_PORT_DIGITS = 5


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Hosts that are up, open ports with their services, and what scripts call vulnerable.

    Raises:
        ParseError: the XML is malformed, truncated or no result of nmap; what came before has been yielded.
    """
    reader = _Reader()
    yield from read_xml(stream, reader.starts, reader.ends, reader.found, LIMIT)
    if not reader.finished:
        raise ParseError("the scan did not finish: nmap wrote no summary", offset=reader.hosts, unit="hosts")
    if reader.skipped:
        raise ParseError(f"nmap gave up on {reader.skipped} hosts for time", offset=reader.hosts, unit="hosts")


class _Reader:
    def __init__(self) -> None:
        self.hosts = 0
        self.skipped = 0
        self.finished = False
        self.found: list[Observation] = []
        self._address = ""
        self._name = ""
        self._up = False
        self._told = False
        self._inside: dict[str, dict[str, str]] = {}
        """What the present port says of itself: `port`, `state` and `service`."""
        self._scripts: list[dict[str, str]] = []
        self._services: dict[tuple[str | None, ...], tuple[str, Service]] = {}
        keep = self._inside.__setitem__
        self.starts: dict[str, Callable[[dict[str, str]], object]] = {
            "port": partial(keep, "port"),
            "state": partial(keep, "state"),
            "service": partial(keep, "service"),
            "script": self._take_script,
            "host": self._start_host,
            "status": self._status,
            "address": self._take_address,
            "hostname": self._take_name,
            "finished": self._finish,
        }
        self.ends: dict[str, Callable[[], object]] = {"port": self._end_port, "host": self._end_host}

    def _take_script(self, attributes: dict[str, str]) -> None:
        if "port" in self._inside:  # those of the host or the whole scan are told elsewhere
            self._scripts.append(attributes)

    def _start_host(self, attributes: dict[str, str]) -> None:
        self.hosts += 1
        self._address = self._name = ""
        self._up = self._told = False
        self.skipped += attributes.get("timedout") == "true"

    def _status(self, attributes: dict[str, str]) -> None:
        self._up = attributes.get("state") == "up"

    def _take_address(self, attributes: dict[str, str]) -> None:
        if attributes.get("addrtype") != "mac":
            self._address = clip(attributes.get("addr", ""))

    def _take_name(self, attributes: dict[str, str]) -> None:
        self._name = self._name or clip(attributes.get("name", ""))

    def _finish(self, attributes: dict[str, str]) -> None:
        self.finished = attributes.get("exit", "success") == "success"

    def _end_port(self) -> None:
        inside = self._inside
        told_of_port = inside.get("port", _NOTHING)
        number = told_of_port.get("portid", "")
        port = int(number) if len(number) <= _PORT_DIGITS and number.isdecimal() else 0
        if port and self._address and inside.get("state", _NOTHING).get("state") == "open":
            if not self._told:
                self._tell_host()
            transport = _TRANSPORTS.get(told_of_port.get("protocol", ""), "")
            place = Location(self._address, port, transport)
            told = inside.get("service", _NOTHING).get
            key = (told("name"), told("product"), told("version"), told("tunnel"), told("extrainfo"))
            name, service = self._services.get(key) or self._remember(key)
            title = f"{name} on {port}/{transport}"
            self.found.append(Observation(_SERVICE, "nmap:service", title, place, service=service))
            for script in self._scripts:
                self._add_script(
                    place, script.get("id", ""), script.get("output", ""), "https" if service.tls else "http"
                )
        inside.clear()
        self._scripts.clear()

    def _end_host(self) -> None:
        if self._up and self._address and not self._told:
            self._tell_host()

    def _tell_host(self) -> None:
        self._told = True
        self.found.append(
            Observation(
                kind=ObservationKind.HOST,
                rule="nmap:host",
                title="Host is up",
                location=Location(host=self._address),
                attributes={"name": self._name} if self._name else {},
            )
        )

    def _remember(self, key: tuple[str | None, ...]) -> tuple[str, Service]:
        """A service's name for people, and itself: most ports of a scan run the same few."""
        name, product, version, tunnel, extra = (clip(text or "") for text in key)
        secure = tunnel == "ssl" or name == "https"
        made = (clip(name or "unknown", 200), Service(name, product, version, secure, banner=extra))
        if len(self._services) >= _MOST_REMEMBERED:
            self._services.clear()
        self._services[key] = made
        return made

    def _add_script(self, place: Location, script: str, output: str, scheme: str) -> None:
        words, key = _PROOFS.get(script, ("", ""))
        weakness = CATALOGUE[key] if key and words in output else None
        if not weakness and "State: VULNERABLE" not in output:
            return
        served = script == "http-git" and weakness is not None
        if served:
            place = replace(place, url=clip(f"{scheme}://{authority(place.host, place.port, scheme)}/.git/", 2048))
        cve = tuple(dict.fromkeys(_CVE.findall(output)))[:20]
        known = FlawClass.ENDPOINT if served else FlawClass.CONFIGURATION
        self.found.append(
            Observation(
                kind=ObservationKind.FLAW,
                rule=clip(f"nmap:{script}"),
                title=weakness.title if weakness else clip(f"{script} reports a vulnerability", 200),
                severity=weakness.severity if weakness else Severity.HIGH,
                flaw_class=known if weakness else FlawClass.COMPONENT,
                weakness=weakness.key if weakness else "",
                cwe=(weakness.cwe,) if weakness else (),
                cve=cve,
                location=place,
                evidence=clip(output),
                remediation=weakness.remediation if weakness else "",
                # a script's word is a guess from a version as often as a proof
                confidence=1.0 if weakness else 0.6,
            )
        )
