"""One sighting, as the tool said it."""

import hashlib
import marshal
from dataclasses import field, fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from uuid import UUID

from purple.domain.severity import Severity
from purple.domain.values import value

MAX_TEXT = 8_192
"""Characters kept of any one text a tool printed; the whole is in the artifact."""
FEW = 32
"""Of a run's observations, so many go through one stage before the next: a processor is faster at many of one kind."""


class ObservationKind(StrEnum):
    """What a sighting is about."""

    HOST = "host"
    SERVICE = "service"
    FLAW = "flaw"


class FlawClass(StrEnum):
    """How two sightings of one flaw are recognised; see `fingerprints`."""

    COMPONENT = "component"
    """A known vulnerability (CVE) of a product on a service."""
    CONFIGURATION = "configuration"
    """A misconfiguration of a service."""
    ENDPOINT = "endpoint"
    """A weakness of a parameter of an HTTP endpoint, or of the endpoint."""
    CODE = "code"
    """A weakness at a place in source code."""
    SECRET = "secret"  # noqa: S105 - a class of flaw, not a password
    """A secret that is exposed."""


@value
class Location:
    """Where it was seen; empty strings and 0 where a part does not apply."""

    host: str = ""
    """Address or name as the tool was given it."""
    port: int = 0
    transport: str = ""
    """`tcp` or `udp`."""
    url: str = ""
    method: str = ""
    parameter: str = ""
    path: str = ""
    """File inside a repository or image."""
    line: int = 0


@value
class Service:
    """What listens on a port."""

    name: str = ""
    """IANA service name as the tool said it: http, ssh …"""
    product: str = ""
    version: str = ""
    tls: bool = False
    cpe: tuple[str, ...] = ()
    banner: str = ""


@value
class Observation:
    """What one tool saw once. Text is the tool's own and hostile: it is never markup, path or command."""

    kind: ObservationKind
    rule: str
    """The tool's own stable id of the check, such as `ssl.cipher.weak`; never a translated title."""
    title: str
    location: Location
    severity: Severity = Severity.INFO
    flaw_class: FlawClass | None = None
    weakness: str = ""
    """What is wrong, in words shared by tools: `tls-protocol-obsolete`, `sql-injection`; see `weaknesses`."""
    cve: tuple[str, ...] = ()
    cwe: tuple[int, ...] = ()
    cvss_vector: str = ""
    cvss_score: float = 0.0
    description: str = ""
    evidence: str = ""
    """The request, response part or value that shows it."""
    remediation: str = ""
    references: tuple[str, ...] = ()
    confidence: float = 1.0
    """0 to 1, as far as the tool or its adapter can tell."""
    service: Service | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    """Small extra facts that fingerprints may name, such as `cipher`."""


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """Text without NUL (PostgreSQL refuses it) or lone surrogates, cut to `limit` characters."""
    if text.isascii() and len(text) <= limit and "\x00" not in text:
        return text
    cleaned = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if len(cleaned) > limit:
        cleaned = cleaned[: limit - 1] + "…"
    return cleaned.encode("utf-8", "replace").decode("utf-8")


@value
class RecordedObservation:
    """An observation as it is kept: append-only."""

    id: UUID
    organisation_id: UUID
    campaign_id: UUID
    scan_id: UUID
    target_id: UUID
    tool: str
    fingerprint: str
    """Of the flaw it speaks of; empty for hosts and services."""
    seen: Observation
    recorded_at: datetime


_FORMAT = 2
_APART = {"kind", "severity", "flaw_class", "location", "service"}
_of_location = attrgetter(*(each.name for each in fields(Location)))
_of_service = attrgetter(*(each.name for each in fields(Service)))
_of_observation = attrgetter(*(each.name for each in fields(Observation) if each.name not in _APART))


def observation_id_of(scan_id: UUID, seen: Observation) -> UUID:
    """The same sighting of the same scan always has the same id, whichever attempt reads it.

    It is made of every field. They are taken out and written down by C, for a dataclass's own `repr` costs half of what
    a row does. The second format of `marshal` is the last in which how a text came about does not show.
    """
    service = seen.service
    parts = (
        str(seen.kind),
        str(seen.severity),
        str(seen.flaw_class),
        _of_location(seen.location),
        None if service is None else _of_service(service),
        _of_observation(seen),
    )
    digest = hashlib.sha256(scan_id.bytes + marshal.dumps(parts, _FORMAT)).digest()
    return UUID(bytes=digest[:16], version=5)  # a name-based id as `uuid5` makes it, with a hash that still holds
