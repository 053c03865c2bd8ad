"""The gate of a host: how many tools run against it at once, in which order, and whether it still answers.

All rules are pure; the rows that they judge are read and written under a lock of the database.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from purple.domain.errors import PurpleError, UnavailableError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

RESERVED_FOR = timedelta(seconds=60)
"""So long a campaign may take to come when its turn is there."""
TOLD_FOR = timedelta(minutes=10)
"""So long a scan may take to hear that its host was given up."""
MAX_STOPS = 3
"""A scan during which the host stopped answering so often is not started again."""
LOOK_AGAIN = timedelta(seconds=30)
"""Leases that expire unseen are found after this time at the latest."""
PROBE = timedelta(seconds=2)
"""So long a probe may take; none begins later than that before nothing may be sent any more."""
_PROBE_FIRST = 1.0
_PROBE_LAST = 30.0


class LeaseState(StrEnum):
    """What a scan has at the gate."""

    HELD = "held"
    """Its tool runs."""
    RESERVED = "reserved"
    """Its turn has come, and its campaign was told."""
    WAITING = "waiting"
    """It stands in the queue."""
    STALLED = "stalled"
    """The host has stopped answering; it stands in the queue again when the host is back."""
    GIVEN_UP = "given_up"
    """The host did not come back in time."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One scan at the gate of one host."""

    scan_id: UUID
    organisation_id: UUID
    campaign_id: UUID
    target_id: UUID
    host: str
    """The address that was checked and resolved, or a network; see `place_of`."""
    tool: str
    endpoint: str
    workflow_id: str
    """Whom to tell when its turn comes."""
    exclusive: bool
    """Whether it bears no other tool beside it."""
    state: LeaseState
    since: datetime
    """When it first asked: the order of the queue."""
    expires_at: datetime | None = None
    """Unless it is renewed or used; what waits does not expire."""
    holder: UUID | None = None
    """Which run of the scan holds it: of two, the later."""
    stops: int = 0
    """How often the host stopped answering under it."""
    reason: str = ""
    """Why it waits."""

    @property
    def takes(self) -> bool:
        """Whether it takes up a place."""
        return self.state in {LeaseState.HELD, LeaseState.RESERVED}

    @property
    def order(self) -> tuple[datetime, UUID]:
        """Its place in the queue."""
        return self.since, self.scan_id


@dataclass(frozen=True, slots=True)
class Breaker:
    """A host that stopped answering; while there is one, nothing starts there."""

    organisation_id: UUID
    host: str
    port: int
    campaign_id: UUID
    """Whose tool ran there."""
    target_id: UUID
    scan_id: UUID
    since: datetime
    probe_at: datetime
    """When to see whether it answers again."""
    probes: int = 0

    def __str__(self) -> str:
        """As campaigns say it."""
        return f"{self.host} stopped answering on port {self.port} at {self.since:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class Queue:
    """What is known of a host at a moment, and of the networks around and the hosts inside it."""

    host: str
    now: datetime
    """By the database's clock, which all workers share."""
    alive_from: datetime
    """Nothing held expires before: the database was away, and nobody could renew."""
    leases: tuple[Lease, ...]
    breaker: Breaker | None = None

    def expired(self) -> tuple[Lease, ...]:
        """Leases that nobody renewed or came for."""
        return tuple(each for each in self.leases if not self._lives(each))

    def living(self) -> tuple[Lease, ...]:
        """The others that concern this host, in the order in which they came."""
        mine = (each for each in self.leases if self._lives(each) and overlap(each.host, self.host))
        return tuple(sorted(mine, key=lambda each: each.order))

    def _lives(self, lease: Lease) -> bool:
        if lease.expires_at is None:
            return True
        held = lease.state is LeaseState.HELD
        return (max(lease.expires_at, self.alive_from) if held else lease.expires_at) > self.now

    def of(self, scan_id: UUID) -> Lease | None:
        """What a scan has here."""
        return next((each for each in self.living() if each.scan_id == scan_id and each.host == self.host), None)


@dataclass(frozen=True, slots=True)
class GateRules:
    """What the operator allows for each target."""

    most: int = 4
    """Tools at once."""
    requests_per_second: int = 0
    """Of all tools together that take a rate; 0 is no limit."""
    lease: timedelta = timedelta(seconds=30)
    """A worker that died frees its places after so long."""
    probe_every_s: float = 5.0
    probe_failures: int = 3
    """In a row, until the host counts as gone."""
    give_up: timedelta = timedelta(hours=1)

    @property
    def tools(self) -> int:
        """Tools at once; each that takes a rate needs at least one request a second of the budget."""
        return min(self.most, self.requests_per_second or self.most)

    def rate(self, own: float | None, *, exclusive: bool) -> int | float | None:
        """The requests a second of one tool: its own limit, and no more than its part of the host's budget.

        Args:
            own: the tool's own option; 0 or None is no limit.
            exclusive: whether it runs alone.
        """
        if not self.requests_per_second:
            return own
        part = self.requests_per_second if exclusive else self.requests_per_second // self.tools
        return min(own, part) if own else part


class TargetAwayError(PurpleError):
    """The target stopped answering; the tool was stopped, or not started.

    Args:
        detail: what does not answer.
        ran: whether the tool was running.
    """

    code = "target-away"
    title = "The target stopped answering"

    def __init__(self, detail: str, *, ran: bool) -> None:
        super().__init__(detail, remedy="it runs when the target is back")
        self.ran = ran


class LeaseLostError(UnavailableError):
    """Another run of the scan has taken its place, or the database was away for too long; the tool was stopped."""


def place_of(address: str) -> str:
    """The gate's name for a checked address or network; empty for what is not on the network."""
    try:
        network = _network(address)
    except ValueError:
        return ""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen == network.max_prefixlen:
        return str(mapped)
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def overlap(one: str, other: str) -> bool:
    """Whether two places share an address."""
    return one == other or _network(one).overlaps(_network(other))


@lru_cache(maxsize=4096)
def around(host: str) -> tuple[str, ...]:
    """A place and every network that contains it, as places are written."""
    network = _network(host)
    wider = (str(network.supernet(new_prefix=bits)) for bits in range(network.prefixlen))
    return (host, *wider)


def is_network(host: str) -> bool:
    """Whether a place is a network, so that others may lie inside it."""
    return "/" in host


def refusal(queue: Queue, wanted: Lease, tools: int) -> str:
    """Why a scan may not start now, or empty when it may.

    Whoever has a place keeps it; nobody overtakes who waits for the same host, so that no tool starves.
    """
    if queue.breaker is not None:
        return str(queue.breaker)
    mine = queue.of(wanted.scan_id)
    if mine is not None and mine.takes:
        return ""
    others = [each for each in queue.living() if each.scan_id != wanted.scan_id]
    if why := obstacle(wanted, [each for each in others if each.takes], tools):
        return why
    first = [each for each in others if each.state is LeaseState.WAITING and (not mine or each.order < mine.order)]
    return f"{len(first)} waiting for {wanted.host} before it" if first else ""


def obstacle(wanted: Lease, holding: Sequence[Lease], tools: int) -> str:
    """Which rule those that have a place leave no room by, or empty."""
    beside = [each for each in holding if overlap(each.host, wanted.host)]
    alone = next((each for each in beside if each.exclusive), None)
    if alone is not None:
        return f"{alone.tool} has {alone.host} to itself"
    if wanted.exclusive and beside:
        return f"{wanted.tool} needs {wanted.host} to itself, and {len(beside)} run there"
    if _crowd(wanted.host, beside) >= tools:
        return f"{tools} tools run on {wanted.host}, which is its limit"
    return ""


def turns(queue: Queue, tools: int) -> tuple[Lease, ...]:
    """Whose turn it is now, of those that wait for this very place."""
    if queue.breaker is not None:
        return ()
    living = queue.living()
    holding = [each for each in living if each.takes]
    before: list[Lease] = []
    granted: list[Lease] = []
    for each in living:
        if each.state is not LeaseState.WAITING:
            continue
        held_up = each.host != queue.host or any(overlap(each.host, one.host) for one in before)
        if held_up or obstacle(each, holding, tools):
            before.append(each)
        else:
            granted.append(each)
            holding.append(each)
    return tuple(granted)


def probe_after(probes: int) -> timedelta:
    """How long to wait after so many probes that were not answered: one second, doubled up to half a minute."""
    return timedelta(seconds=min(_PROBE_FIRST * 2 ** min(probes, 10), _PROBE_LAST))


@lru_cache(maxsize=4096)
def _network(text: str) -> Network:
    return ipaddress.ip_network(text)


def _crowd(host: str, beside: Iterable[Lease]) -> int:
    """The most tools that any address of a place sees: a network's tool counts on every host in it."""
    mine = _network(host)
    places = [_network(each.host) for each in beside]
    spots = [mine, *(each for each in places if each.subnet_of(mine))]  # type: ignore[arg-type]  # they overlap, so they are of one version
    return max(sum(spot.subnet_of(each) for each in places) for spot in spots)  # type: ignore[arg-type]  # as above


class Prober(Protocol):
    """Sees whether a host still answers."""

    async def answers(self, address: str, port: int) -> bool:
        """Whether a TCP connection to a checked address comes about within `PROBE`; it is closed, and nothing sent."""
        ...


class Bell(Protocol):
    """Tells the workflows of gates and campaigns that something was freed."""

    async def wake_gate(self, organisation_id: UUID, host: str) -> None:
        """Have the gate's workflow look, and start it where it does not run.

        Raises:
            UnavailableError: the server is away.
        """
        ...

    async def open_gate(self, workflow_id: str, scan_id: UUID) -> bool:
        """Tell a campaign that the turn of its scan has come; whether it is still there.

        Raises:
            UnavailableError: the server is away.
        """
        ...


class GateRows(Protocol):
    """The leases and breakers of one organisation."""

    async def lock(self, host: str, lease: timedelta) -> Queue:
        """What is known of a place; nobody else changes it until the unit of work ends.

        Args:
            host: the place.
            lease: how long a lease holds without renewal.
        """
        ...

    async def put(self, lease: Lease) -> None:
        """Write one down; a scan has one lease at most."""
        ...

    async def drop(self, scan_ids: Sequence[UUID]) -> None:
        """Remove leases."""
        ...

    async def renew(self, scan_id: UUID, holder: UUID, lease: timedelta) -> bool:
        """Hold one for longer; whether this run of the scan still has it."""
        ...

    async def leave(self, scan_id: UUID, holder: UUID, host: str) -> tuple[str, ...]:
        """Give back what this run of the scan has; see `waiting` for what comes back."""
        ...

    async def withdraw(self, campaign_id: UUID, scan_id: UUID | None = None) -> None:
        """Take a campaign, or one scan of it, out of every queue. A place that a tool holds, it frees when it died."""
        ...

    async def move(self, host: str, before: Sequence[LeaseState], after: LeaseState, until: datetime | None) -> None:
        """Change the state of all leases of one place that are in certain states; nobody holds them any longer."""
        ...

    async def waiting(self, host: str) -> tuple[str, ...]:
        """The places that share an address with this one and have somebody waiting."""
        ...

    async def trip(self, breaker: Breaker) -> bool:
        """Write down that a host is gone; whether that is new."""
        ...

    async def postpone(self, host: str, probes: int, at: datetime) -> None:
        """Write down when to look again."""
        ...

    async def close(self, host: str) -> None:
        """Remove a breaker."""
        ...

    async def answered(self, campaign_id: UUID, hosts: Sequence[str], port: int) -> bool:
        """Whether a campaign itself saw a port listen, of a host by one of its names."""
        ...

    async def of_target(self, target_id: UUID) -> tuple[str, ...]:
        """The places where scans of a target stand, or are known to be gone."""
        ...

    async def read(self, host: str) -> Queue:
        """What is known of a place, without holding anybody up."""
        ...
