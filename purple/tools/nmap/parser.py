"""Nmap's XML. Source: the nmap.dtd of Nmap 7.93 (docs/nmap.dtd in its distribution)."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, Service, clip
from purple.domain.severity import Severity
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.readers import XmlHandlers, read_xml

LIMIT = 2 * 1024**3
"""Bytes; ten million ports are about 2 GB."""
_CVE = re.compile(r"CVE-\d{4}-\d{4,19}")
_ANONYMOUS = "ftp-anon"


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Hosts that are up, open ports with their services, and what scripts call vulnerable.

    Raises:
        ParseError: the XML is malformed, truncated or no result of nmap; what came before has been yielded.
    """
    reader = _Reader()
    yield from read_xml(stream, reader, reader.take, LIMIT)
    if not reader.finished:
        raise ParseError("the scan did not finish: nmap wrote no summary", offset=reader.hosts, unit="hosts")
    if reader.skipped:
        raise ParseError(f"nmap gave up on {reader.skipped} hosts for time", offset=reader.hosts, unit="hosts")


class _Reader(XmlHandlers):
    def __init__(self) -> None:
        self.hosts = 0
        self.skipped = 0
        self.finished = False
        self._found: list[Observation] = []
        self._address = ""
        self._name = ""
        self._up = False
        self._told = False
        self._port = 0
        self._transport = ""
        self._open = False
        self._service: dict[str, str] = {}
        self._scripts: list[tuple[str, str]] = []

    def take(self) -> list[Observation]:
        found, self._found = self._found, []
        return found

    def start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: C901 - one flat choice, most frequent first
        if name == "port":
            self._port = _number(attributes.get("portid", ""))
            self._transport = attributes.get("protocol", "")
            self._open = False
            self._service = {}
            self._scripts = []
        elif name == "state":
            self._open = attributes.get("state") == "open"
        elif name == "service":
            self._service = attributes
        elif name == "script":
            self._scripts.append((attributes.get("id", ""), attributes.get("output", "")))
        elif name == "address":
            if attributes.get("addrtype") != "mac":
                self._address = attributes.get("addr", "")
        elif name == "status":
            self._up = attributes.get("state") == "up"
        elif name == "host":
            self.hosts += 1
            self._address = self._name = ""
            self._up = self._told = False
            self.skipped += attributes.get("timedout") == "true"
        elif name == "hostname":
            self._name = self._name or attributes.get("name", "")
        elif name == "finished":
            self.finished = attributes.get("exit", "success") == "success"

    def end(self, name: str) -> None:
        if name == "port":
            if self._open and self._address and self._port:
                self._tell_host()
                self._add_service()
                for script, output in self._scripts:
                    self._add_script(script, output)
        elif name == "host" and self._up and self._address:
            self._tell_host()

    def _tell_host(self) -> None:
        if not self._told:
            self._told = True
            attributes = {"name": clip(self._name)} if self._name else {}
            self._found.append(
                Observation(
                    kind=ObservationKind.HOST,
                    rule="nmap:host",
                    title="Host is up",
                    location=Location(host=clip(self._address)),
                    attributes=attributes,
                )
            )

    def _add_service(self) -> None:
        told = self._service
        secure = told.get("tunnel") == "ssl"
        name = told.get("name", "")
        port = self._port
        product = told.get("product", "")
        version = told.get("version", "")
        self._found.append(
            Observation(
                kind=ObservationKind.SERVICE,
                rule="nmap:service",
                title=clip(f"{name or 'unknown'} on {port}/{self._transport}"),
                location=Location(host=self._address, port=port, transport=self._transport),
                service=Service(
                    name=clip(name),
                    product=clip(product),
                    version=clip(version),
                    tls=secure or name == "https",
                    banner=clip(told.get("extrainfo", "")),
                ),
            )
        )

    def _add_script(self, script: str, output: str) -> None:
        vulnerable = "State: VULNERABLE" in output
        anonymous = script == _ANONYMOUS and "Anonymous FTP login allowed" in output
        if not vulnerable and not anonymous:
            return
        weakness = CATALOGUE["anonymous-login"] if anonymous else None
        cve = tuple(dict.fromkeys(_CVE.findall(output)))[:20]
        self._found.append(
            Observation(
                kind=ObservationKind.FLAW,
                rule=clip(f"nmap:{script}"),
                title=weakness.title if weakness else clip(f"{script} reports a vulnerability", 200),
                severity=weakness.severity if weakness else Severity.HIGH,
                flaw_class=FlawClass.CONFIGURATION if anonymous else FlawClass.COMPONENT,
                weakness=weakness.key if weakness else "",
                cwe=(weakness.cwe,) if weakness else (),
                cve=cve,
                location=Location(host=self._address, port=self._port, transport=self._transport),
                evidence=clip(output),
                remediation=weakness.remediation if weakness else "",
                # a script's word is a guess from a version as often as a proof
                confidence=1.0 if anonymous else 0.6,
            )
        )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0  # noqa: PLR2004 - 65535
