"""Which target of the register a result speaks of: by address, name or URL."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from purple.domain.observations import Observation
from purple.domain.targets import Address, Target, TargetKind, authority, is_ip

ASSETS = frozenset({TargetKind.REPOSITORY, TargetKind.IMAGE})
_WEB = frozenset({TargetKind.WEB_APPLICATION, TargetKind.API})
_MOST_REMEMBERED = 50_000
_MOST_NAMES = 8
_PORTS = {"http": 80, "https": 443}
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_OTHER_PORT, _SAME_PORT, _HOST, _ENDPOINT, _URL = range(1, 6)
"""How well a target fits, from badly to well: a longer URL fits better still."""


class Places:
    """The targets that results may belong to."""

    def __init__(self, targets: Iterable[Target], given: Target | None = None) -> None:
        """Take in the targets.

        Args:
            targets: those of the register.
            given: the one that a file was said to be about: it takes what names no host, and as a repository or image
                everything.
        """
        self._given = given
        self._by_host: dict[str, list[Target]] = {}
        self._networks: list[tuple[_Network, Target]] = []
        self._names: dict[str, tuple[str, ...]] = {}
        self._known: dict[tuple[str, int, str], Target | None] = {}
        for target in targets:
            self.add(target)

    def add(self, target: Target) -> None:
        """One more."""
        if target.kind is TargetKind.NETWORK:
            self._networks.append((ipaddress.ip_network(target.value), target))
            self._networks.sort(key=lambda each: -each[0].prefixlen)
        elif target.kind not in ASSETS:
            self._by_host.setdefault(target.address.host, []).append(target)
        self._known.clear()

    def find(self, seen: Observation) -> Target | None:
        """The target that fits best, or None."""
        if self._given is not None and self._given.kind in ASSETS:
            return self._given
        place = place_of(seen)
        if not place.host:
            return self._given
        if told := seen.attributes:
            self._learn(place.host, (told.get("name", ""), told.get("address", "")))
        names = (place.host, *self._names.get(place.host, ()))
        # a network is found by the host alone: a scan of one sees many ports of each
        alone = self._by_host.keys().isdisjoint(names)
        key = (place.host, 0, "") if alone else (place.host, place.port, place.url)
        if key not in self._known:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = self._best(place, names)
        return self._known[key]

    def _learn(self, host: str, said: tuple[str, ...]) -> None:
        """A host that a file also calls by a name or address goes by that as well."""
        known = self._names.get(host, ())
        new = [plain for each in said if (plain := _plain(each)) and plain != host and plain not in known]
        if new and len(known) < _MOST_NAMES:
            if len(self._names) >= _MOST_REMEMBERED:
                self._names.clear()
            self._names[host] = (*known, *new)
            self._known.clear()

    def _best(self, place: Address, names: Iterable[str]) -> Target | None:
        fitting = [(_fit(target, place, name), target) for name in names for target in self._by_host.get(name, ())]
        best = max(fitting, key=lambda each: each[0], default=None)
        if best is not None and best[0] > (0, 0):
            return best[1]
        addresses = [ipaddress.ip_address(name) for name in names if is_ip(name)]
        return next((target for network, target in self._networks if any(one in network for one in addresses)), None)


def place_of(seen: Observation) -> Address:
    """Where a result was seen; its URL's host where it names no other."""
    place = seen.location
    host, port = place.host, place.port
    if place.url:
        try:
            parts = urlsplit(place.url)
            host, port = host or parts.hostname or "", port or parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            return Address(_plain(host), port)
    return Address(_plain(host), port, place.url)


def label(place: Address) -> str:
    """A place as people are told of it."""
    return place.host or "results that name no host"


def target_value(place: Address) -> str:
    """How a place would be registered: a URL's origin, else its host."""
    if place.url.startswith(("http://", "https://")):
        scheme = place.url.partition(":")[0]
        return f"{scheme}://{authority(place.host, place.port, scheme)}/"
    return place.host


def _plain(host: str) -> str:
    return host.strip().strip("[]").rstrip(".").lower()


def _fit(target: Target, place: Address, name: str) -> tuple[int, int]:
    own = target.address
    if target.kind in _WEB:
        port = own.port
        if place.port != port:
            return (_OTHER_PORT, 0)
        path, wanted = urlsplit(place.url).path or "/", urlsplit(target.value).path
        inside = path == wanted or path.startswith(wanted.rstrip("/") + "/")
        return (_URL, len(wanted)) if place.url and inside and name == own.host else (_SAME_PORT, 0)
    if own.port:
        return (_ENDPOINT, 0) if own.port == place.port else (0, 0)
    return (_HOST, 0)
