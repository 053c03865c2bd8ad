"""The reports that Lynis writes of the machine it runs on, `lynis-report.dat`.

Source: `Report`, `ReportWarning`, `ReportSuggestion` and `ReportDetails` of `include/functions` of Lynis 3.0.8: lines
`key=value` and `key[]=value`, a finding as `TEST|text|details|solution|` with `-` for nothing, and `finish=true` at the
end of an audit that ended. Lynis gives no severity but these two words: a warning is taken as medium, a suggestion as
low.
"""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.texts import links

LIMIT = 8 * 1024**2
"""Bytes; a report of 1,500 packages has 100,000. It is read whole, for where a host is comes after what is wrong."""
HEAD = "# Lynis Report"
MAX_ADDRESSES = 8
_SEVERITIES = {"warning[]": Severity.MEDIUM, "suggestion[]": Severity.LOW}
_ADDRESSES = {"network_ipv4_address[]", "network_ipv6_address[]"}
_TEST = re.compile(r"[A-Z]{2,8}-\d{4}\Z")
_OF_LYNIS = "LYNIS"
"""The test whose finding is that Lynis itself is old."""
_PACKAGES = "PKGS-7392"
"""The test whose details are the lines `vulnerable_package[]`."""
_CONTROL = "https://cisofy.com/lynis/controls/{}/"
"""As Lynis prints it beside each finding."""


@dataclass
class _Report:
    name: str = ""
    domain: str = ""
    addresses: list[str] = field(default_factory=list)
    details: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    findings: list[tuple[Severity, list[str]]] = field(default_factory=list)
    odd: int = 0
    finished: bool = False

    @property
    def host(self) -> str:
        """As its machine calls itself, else by its first address."""
        named = f"{self.name}.{self.domain}" if self.domain and "." not in self.name else self.name
        return clip(named, 300) or (self.addresses[0] if self.addresses else "")


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """The host under each of its addresses, then a flaw for each warning and suggestion.

    Raises:
        ParseError: no report of Lynis, one of an audit that did not end, or findings that are of no machine, as those
            of a Dockerfile are; what could be read has been yielded.
    """
    report = _read(stream)
    yield from _seen(report)
    for severity, parts in report.findings:
        yield _flaw(report, severity, *parts)
    if report.odd:
        raise ParseError(f"{report.odd} findings are not what Lynis says of a machine", offset=report.odd, unit="lines")
    if not report.finished:
        raise ParseError("the report breaks off: its audit did not end", offset=0)


def _read(stream: BinaryIO) -> _Report:
    data = stream.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise ParseError(f"the report is larger than {LIMIT} bytes", offset=LIMIT)
    lines = data.decode("utf-8", "replace").lstrip("\N{ZERO WIDTH NO-BREAK SPACE}").split("\n")
    if not lines[0].startswith(HEAD):
        raise ParseError(f"this is no report of Lynis: it does not begin with {HEAD!r}", offset=0)
    report = _Report()
    for line in lines[1:-1]:  # the last is what comes after the last line break
        key, _, value = line.strip().partition("=")
        _take(report, key, value)
    return report


def _take(report: _Report, key: str, value: str) -> None:
    if key in _SEVERITIES:
        parts = ["" if each.strip() == "-" else each.strip() for each in value.split("|")]
        if _TEST.match(parts[0]) and len(parts) > 1:
            report.findings.append((_SEVERITIES[key], [*parts, "", ""][:4]))
        else:
            report.odd += parts[0] != _OF_LYNIS
    elif key == "details[]":
        test, _, rest = value.partition("|")
        report.details[test].append(rest)
    elif key == "vulnerable_package[]":
        report.details[_PACKAGES].append(value)
    elif key in _ADDRESSES and len(report.addresses) < MAX_ADDRESSES and _elsewhere(value):
        report.addresses.append(value)
    elif key == "hostname":
        report.name = value.lower()
    elif key == "domainname":
        report.domain = value.lower()
    elif key == "finish":
        report.finished = value == "true"


def _elsewhere(text: str) -> bool:
    """Whether others reach the machine by this address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_link_local)


def _seen(report: _Report) -> Iterator[Observation]:
    if not report.host:
        return
    for address in report.addresses or [""]:
        yield Observation(
            kind=ObservationKind.HOST,
            rule="lynis:host",
            title="Host was audited",
            location=Location(host=report.host),
            attributes={"address": address} if address and address != report.host else {},
        )


def _flaw(report: _Report, severity: Severity, test: str, text: str, details: str, solution: str) -> Observation:
    about = f"{text} {details}".strip()
    return Observation(
        kind=ObservationKind.FLAW,
        rule=f"lynis:{test}",
        title=clip(text or test, 200),
        location=Location(host=report.host),
        severity=severity,
        flaw_class=FlawClass.CONFIGURATION,
        description=clip(about),
        evidence=clip("\n".join(report.details.get(test, []))),
        remediation=clip(solution.removeprefix("text:").removeprefix("url:")),
        references=(*links(solution), _CONTROL.format(test)),
        attributes={"about": clip(re.sub(r"\d+", "#", about), 300)},
    )
