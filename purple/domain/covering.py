"""Whether a scope rule covers a target, in every way in which the target can be read.

What is included must be covered in every reading; what is excluded is so in any. Readings differ where programs do: a
server may decode `%2e%2e` twice, drop `;x` from a path or take a backslash for a slash; an IPv6 address may hold an
IPv4 one that is reached in its place.
"""

import contextlib
import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from purple.domain.errors import InvalidInputError
from purple.domain.targets import Address, normalise_host, normalise_url, without_dots

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_HOLDERS = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96", "::/96", "2002::/16")))
"""IPv6 networks whose addresses hold an IPv4 one behind the prefix: mapped, NAT64, compatible, 6to4."""
_DEPTH = 8
"""A path that is encoded more often is not read: nothing includes it."""
_NUMERIC = re.compile(r"[0-9a-fx.]{1,64}\Z", re.IGNORECASE)


class RuleKind(StrEnum):
    """What a scope rule speaks of."""

    ADDRESS = "address"
    """An IP address or network."""
    NAME = "name"
    """A host name; `*.example.org` covers every name below it, not itself."""
    URL = "url"
    """Every URL that begins with this one, cut at a path segment."""
    ASSET = "asset"
    """A repository or image, as the register writes it."""


@dataclass(frozen=True, slots=True)
class ScopeRule:
    """One line of a scope."""

    kind: RuleKind
    value: str

    def __str__(self) -> str:
        """As refusals name it."""
        return f"{self.kind}:{self.value}"

    @property
    def text(self) -> str:
        """As users write it, and as `scope.parse_rule` reads it."""
        return str(self) if self.kind is RuleKind.ASSET else self.value


@dataclass(frozen=True, slots=True)
class Place:
    """A target in the normal form of each of its parts; a part that it lacks, or that cannot be read, is empty."""

    host: str
    networks: tuple[Network, ...]
    """Its own first, then those of addresses that it holds."""
    url: str
    asset: str

    @property
    def is_literal(self) -> bool:
        """Whether there is nothing to resolve."""
        return bool(self.networks)

    @property
    def is_clear(self) -> bool:
        """Whether its host can be read, and its URL too where it has one."""
        return bool(self.host) and (bool(self.url) or "://" not in self.asset)


def place_of(target: Address) -> Place:
    """The target's parts; a URL that speaks of another host or port than the target is none."""
    host = target.host.strip()
    networks = tuple(_networks(host))
    if "/" not in host:
        try:
            host = normalise_host(host)
        except InvalidInputError:
            host = ""
    else:
        host = str(networks[0]) if networks else ""
    return Place(host, networks, _url(target, host) if target.url else "", target.url or target.host)


def covers(rule: ScopeRule, place: Place) -> bool:
    """Whether a rule includes all of a place, however it is read."""
    if rule.kind is RuleKind.ASSET:
        return rule.value == place.asset
    if not place.is_clear:
        return False
    match rule.kind:
        case RuleKind.ADDRESS:
            return _within(place.networks[:1], _rule_networks(rule.value)[:1])
        case RuleKind.NAME:
            return _is_name(rule.value, place)
        case RuleKind.URL:
            return _under(rule.value, place.url, every=True)


def touches(rule: ScopeRule, place: Place) -> bool:
    """Whether a rule excludes any of a place, in any reading of it."""
    match rule.kind:
        case RuleKind.ADDRESS:
            return any(
                one.version == outer.version and one.overlaps(outer)
                for one in place.networks
                for outer in _rule_networks(rule.value)
            )
        case RuleKind.NAME:
            return _is_name(rule.value, place)
        case RuleKind.ASSET:
            return _asset(rule.value) == _asset(place.asset)
        case RuleKind.URL:
            return _under(rule.value, place.url, every=False)


def is_special(address: str) -> bool:
    """Whether an address is loopback, private, reserved or for many, itself or one that it holds."""
    return any(
        not each.is_global or each.is_multicast or getattr(each, "is_site_local", False) for each in _networks(address)
    )


def _url(target: Address, host: str) -> str:
    try:
        url = normalise_url(target.url)
        parts = urlsplit(url)
    except (InvalidInputError, ValueError):
        return ""
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    same = (parts.hostname or "") == host and target.port in {0, port}
    return url if same else ""


def _networks(text: str) -> Iterator[Network]:
    """An address or network as networks: its own, then the IPv4 addresses that it holds."""
    bare = text.strip().rstrip(".").strip("[]").partition("%")[0].rstrip(".")
    try:
        own = ipaddress.ip_network(bare, strict=False)
    except ValueError:
        if not _NUMERIC.match(bare):
            return
        try:  # `0x7f.1`, `2130706433`, `0177.0.0.1`: many programs take these for addresses
            yield ipaddress.IPv4Network(int.from_bytes(socket.inet_aton(bare)))
        except OSError:
            return
        return
    if isinstance(own, ipaddress.IPv4Network):
        yield own
        return
    mapped = _mapped(own)
    yield mapped or own
    if mapped is None:
        yield from _held(own)


def _mapped(network: ipaddress.IPv6Network) -> ipaddress.IPv4Network | None:
    """`::ffff:192.0.2.0/120` as the IPv4 network that it is."""
    inside = network.network_address.ipv4_mapped
    spare = network.prefixlen - 96
    return ipaddress.IPv4Network((inside, spare)) if inside is not None and spare >= 0 else None


def _held(network: ipaddress.IPv6Network) -> Iterator[ipaddress.IPv4Network]:
    """The IPv4 addresses that an IPv6 network holds."""
    for holder in _HOLDERS:
        if network.overlaps(holder):
            known = min(32, max(0, network.prefixlen - holder.prefixlen))
            inside = (int(network.network_address) >> (96 - holder.prefixlen)) & 0xFFFF_FFFF if known else 0
            yield ipaddress.IPv4Network((inside, known))
    if teredo := network.network_address.teredo:
        yield from map(ipaddress.IPv4Network, teredo)


@lru_cache(maxsize=4_096)
def _rule_networks(text: str) -> tuple[Network, ...]:
    return tuple(_networks(text))


def _within(inner: tuple[Network, ...], outer: tuple[Network, ...]) -> bool:
    return any(
        one.version == other.version and one.subnet_of(other)  # type: ignore[arg-type]  # they are of one version
        for one in inner
        for other in outer
    )


def _is_name(name: str, place: Place) -> bool:
    if not place.host or place.is_literal:
        return False
    return place.host.endswith(name[1:]) if name.startswith("*.") else place.host == name


def _asset(value: str) -> str:
    """What repositories that are the same have in common."""
    with contextlib.suppress(InvalidInputError):
        value = normalise_url(value)
    return value.rstrip("/").casefold().removesuffix(".git")


def _under(prefix: str, url: str, *, every: bool) -> bool:
    """Whether a URL begins with another one, in every reading of its path or in any."""
    if not url:
        return False
    wanted, found = urlsplit(_normal(prefix)), urlsplit(url)
    if (wanted.scheme, wanted.netloc) != (found.scheme, found.netloc):
        return False
    if wanted.query and wanted.query != found.query:
        return False
    readings, ended = _readings(found.path)
    if every:
        return ended and all(_begins(wanted.path, path, whole=bool(wanted.query)) for path in readings)
    base = wanted.path.casefold()
    return any(_begins(base, path.casefold(), whole=bool(wanted.query)) for path in readings)


def _begins(base: str, path: str, *, whole: bool) -> bool:
    return path == base or (not whole and path.startswith(base.rstrip("/") + "/"))


def _readings(path: str) -> tuple[set[str], bool]:
    """The path as ever more lenient servers read it, and whether that came to an end."""
    found: set[str] = set()
    for _ in range(_DEPTH):
        merged = re.sub(r"/{2,}", "/", re.sub(r";[^/]*", "", path.replace("\\", "/")))
        found |= {without_dots(path), without_dots(merged)}
        decoded = unquote(path)
        if decoded == path:
            return found, True
        path = decoded
    return found, False


@lru_cache(maxsize=4_096)
def _normal(url: str) -> str:
    """Rules that were written down before URLs were normalised as they are now."""
    try:
        return normalise_url(url)
    except InvalidInputError:
        return url
