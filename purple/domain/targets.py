"""Targets: what is tested, written in one normal form."""

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

from purple.domain.errors import InvalidInputError

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_MAX_HOST = 253
MAX_VALUE = 2_048
"""Characters; also of a URL."""
MAX_NAME = 200
_MAX_PORT = 65_535
DOCKER_REGISTRY = "registry-1.docker.io"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)\Z")
"""A last label that makes many programs take the whole name for an IPv4 address."""
_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class TargetKind(StrEnum):
    """What sort of asset a target is."""

    HOST = "host"
    NETWORK = "network"
    DOMAIN = "domain"
    WEB_APPLICATION = "web_application"
    API = "api"
    REPOSITORY = "repository"
    IMAGE = "image"

    @property
    def is_many(self) -> bool:
        """Whether it is many hosts: what is on one of them is not on the next."""
        return self is TargetKind.NETWORK


class Criticality(StrEnum):
    """How much the organisation depends on the asset."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Exposure(StrEnum):
    """From where an asset can be reached."""

    INTERNET = "internet"
    PARTNER = "partner"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


class DataClass(StrEnum):
    """The most sensitive data that an asset holds."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"
    """Such as special categories of personal data, payment cards, keys."""
    UNKNOWN = "unknown"


class Environment(StrEnum):
    """What an asset is for."""

    PRODUCTION = "production"
    STAGING = "staging"
    TEST = "test"
    DEVELOPMENT = "development"
    UNKNOWN = "unknown"


class Control(StrEnum):
    """What stands between an attacker and a flaw that is still there."""

    WAF = "waf"
    SEGMENTATION = "segmentation"
    STRONG_AUTHENTICATION = "strong_authentication"
    ENDPOINT_PROTECTION = "endpoint_protection"
    VIRTUAL_PATCH = "virtual_patch"
    MONITORING = "monitoring"


def endpoint_of(host: str, port: int, url: str) -> str:
    """Where something is, for people: its URL where it has one, else its host and port."""
    return url or (f"{host}:{port}" if port else host)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a target is on the network: the parts of its value."""

    host: str
    port: int = 0
    url: str = ""

    @property
    def endpoint(self) -> str:
        """The whole, for people."""
        return endpoint_of(self.host, self.port, self.url)

    @property
    def is_literal(self) -> bool:
        """Whether the host is an IP address, so that nothing needs to be resolved."""
        return is_ip(self.host)


@dataclass(frozen=True, slots=True)
class Target:
    """An asset in the register."""

    id: UUID
    organisation_id: UUID
    kind: TargetKind
    value: str
    """In normal form; see `normalise`."""
    name: str
    criticality: Criticality
    tags: tuple[str, ...]
    created_at: datetime
    version: int = 1
    zone: str = ""
    """The network zone whose workers alone reach it; empty for those that serve no zone."""
    exposure: Exposure = Exposure.UNKNOWN
    data_class: DataClass = DataClass.UNKNOWN
    controls: tuple[Control, ...] = ()
    """Compensating ones, each once, in the order of their names."""
    unit_id: UUID | None = None
    """The business unit that it belongs to."""
    environment: Environment = Environment.UNKNOWN
    category: str = ""
    """What sort of asset it is to the organisation, such as `payment`; one at most, so that sums over them add up."""
    frameworks: tuple[str, ...] = ()
    """What it has to comply with, such as `pci-dss`; each once, in order."""
    custom: tuple[str, ...] = ()
    """What the organisation keeps of its assets by names of its own: `name=value`, in order."""
    retired_at: datetime | None = None
    """Since when it is tested no more; it is kept for its history."""
    retired_by: str = ""
    """A user name."""
    retirement: UUID | None = None
    """The triage by which its vulnerabilities went out of scope."""
    machine_id: UUID | None = None
    """The oldest of the targets that are one machine with it, and it; None where it is alone: see `machines`."""

    @property
    def address(self) -> Address:
        """The network parts of the value."""
        return address_of(self.kind, self.value)


def is_ip(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def normalise_host(text: str, field: str = "value") -> str:
    """A host name in lower case IDNA form, or an IP address in its canonical form.

    Raises:
        InvalidInputError: neither a name by RFC 1123 nor an address.
    """
    host = text.strip().rstrip(".").lower()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:  # an IPv4 address that is mapped into IPv6 is reached as what it is
        return str(getattr(address, "ipv4_mapped", None) or address)
    try:
        ascii_host = host.encode("idna").decode("ascii") if host else ""
    except UnicodeError:
        ascii_host = ""
    labels = ascii_host.split(".")
    numeric = bool(_NUMBER.match(labels[-1]))
    if not ascii_host or len(ascii_host) > _MAX_HOST or numeric or not all(_LABEL.match(label) for label in labels):
        raise InvalidInputError(
            f"{text!r} is neither a host name nor an IP address",
            field=field,
            value=text,
            remedy="give a name such as app.example.org or an address such as 192.0.2.7",
        )
    return ascii_host


def normalise_url(text: str, field: str = "value") -> str:
    """An http or https URL without credentials, default port or fragment, its path at least `/` and without dots.

    Escapes are written by RFC 3986, section 6.2.2: none for what needs none, in capitals for the rest.

    Raises:
        InvalidInputError: another scheme, no host, credentials inside, white space, or too long.
    """
    remedy = "give a URL such as https://app.example.org/"
    if len(text) > MAX_VALUE or any(c.isspace() or ord(c) < ord(" ") for c in text.strip()):
        raise InvalidInputError("the URL is too long or holds white space", field=field, value=text, remedy=remedy)
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise InvalidInputError(f"{text!r} is not a URL", field=field, value=text, remedy=remedy) from None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.hostname or port == 0:
        raise InvalidInputError(f"{text!r} is not an http or https URL", field=field, value=text, remedy=remedy)
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError(
            "a target URL holds no credentials", field=field, value=parts.hostname, remedy="leave user and password out"
        )
    path = without_dots(_escaped(parts.path.replace("\\", "/"))) or "/"
    url = urlunsplit((scheme, authority(normalise_host(parts.hostname, field), port, scheme), path, parts.query, ""))
    if len(url) > MAX_VALUE:
        raise InvalidInputError("the URL is too long", field=field, value=text, remedy=remedy)
    return url


def _escaped(path: str) -> str:
    def one(match: re.Match[str]) -> str:
        character = chr(int(match[0][1:], 16))
        return character if character in _UNRESERVED else match[0].upper()

    known = _ENCODED.sub(one, _STRAY.sub("%25", path))
    return "".join(c if c.isascii() else quote(c, safe="", errors="replace") for c in known)


def without_dots(path: str) -> str:
    """The path with `.` and `..` followed (RFC 3986, section 5.2.4)."""
    found: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            del found[max(1, len(found) - 1) :]
        elif segment != ".":
            found.append(segment)
    if segments[-1] in {".", ".."}:
        found.append("")
    return "/".join(found)


def authority(host: str, port: int | None, scheme: str = "") -> str:
    """`host[:port]` as a URL writes it: IPv6 in brackets, the scheme's default port left out."""
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if not port or port == _DEFAULT_PORTS.get(scheme) else f"{bracketed}:{port}"


def normalise(kind: TargetKind, value: str) -> str:
    """The one way a target's value is written.

    Raises:
        InvalidInputError: the value is not of the kind.
    """
    match kind:
        case TargetKind.HOST | TargetKind.DOMAIN:
            return _normalise_endpoint(value)
        case TargetKind.WEB_APPLICATION | TargetKind.API:
            return normalise_url(value)
        case TargetKind.NETWORK:
            try:
                return str(ipaddress.ip_network(value.strip()))
            except ValueError as error:
                raise InvalidInputError(
                    f"not a network: {error}", field="value", value=value, remedy="write it as 192.0.2.0/24"
                ) from None
        case TargetKind.REPOSITORY | TargetKind.IMAGE:
            cleaned = value.strip()
            if not cleaned or cleaned.startswith("-") or not cleaned.isprintable():
                raise InvalidInputError("not a reference", field="value", value=value, remedy="give its URL or name")
            return normalise_url(cleaned) if cleaned.startswith(("http://", "https://")) else cleaned


def _normalise_endpoint(value: str) -> str:
    host, port = split_port(value)
    return authority(normalise_host(host), port)


def split_port(value: str) -> tuple[str, int]:
    """`host`, `host:port`, `[v6]:port` or a bare IPv6 address as host and port; 0 without a port.

    Raises:
        InvalidInputError: the port is not a number from 1 to 65535.
    """
    text = value.strip()
    if is_ip(text):
        return text, 0
    head, colon, tail = text.rpartition(":")
    if not colon or (text.startswith("[") and text.endswith("]")):
        return text, 0
    if not (tail.isascii() and tail.isdigit() and 1 <= int(tail) <= _MAX_PORT):
        raise InvalidInputError(
            f"{tail!r} is not a port", field="value", value=value, remedy="give a port from 1 to 65535"
        )
    return head, int(tail)


def address_of(kind: TargetKind, value: str) -> Address:
    """The network parts of a normalised value; of a repository or image that has none, the value."""
    if kind in {TargetKind.WEB_APPLICATION, TargetKind.API} or value.startswith(("http://", "https://")):
        parts = urlsplit(value)
        return Address(parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0), value)
    if kind in {TargetKind.HOST, TargetKind.DOMAIN}:
        host, port = split_port(value)
        return Address(host.strip("[]"), port)
    return Address(value)


def source_of(kind: TargetKind, place: Address) -> Address | None:
    """The server to ask for a target; None where nothing is connected to: a repository in a folder of this machine.

    An image whose name begins with no registry comes from Docker's.
    """
    if kind is TargetKind.REPOSITORY:
        return place if place.url else None
    if kind is TargetKind.IMAGE and not place.url:
        first, slash, _ = place.host.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            host, port = split_port(first)
            return Address(normalise_host(host), port)
        return Address(DOCKER_REGISTRY)
    return place


def recognise(text: str, field: str = "target") -> tuple[TargetKind, str]:
    """Kind and normal form of what a user typed: a URL, a network, a host with or without port, a Git repository.

    A repository is what ends in `.git`, as Git itself writes it.

    Raises:
        InvalidInputError: it is none of these.
    """
    stripped = text.strip()
    if stripped.partition("#")[0].partition("?")[0].endswith(".git"):
        return TargetKind.REPOSITORY, normalise(TargetKind.REPOSITORY, stripped)
    if "://" in stripped:
        return TargetKind.WEB_APPLICATION, normalise_url(stripped, field)
    if "/" in stripped:
        return TargetKind.NETWORK, normalise(TargetKind.NETWORK, stripped)
    return TargetKind.HOST, normalise(TargetKind.HOST, stripped)


def in_use(filter_: str) -> str:
    """A filter of targets that leaves out retired ones, unless it asks for them itself."""
    return filter_ if "retired_at:" in filter_ else f"retired_at:none {filter_}".strip()
