"""Machines: targets that are one asset under several names, and what people say of that.

What is at a port and a path of one of them is at the same port and path of each other one. Targets of the same host in
the same network zone are one machine by themselves. What a name resolves to is only proposed, since one address often
serves many names. What a person says stands above both: see docs/adr/0034-what-is-one-machine.md.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from purple.domain.severity import Severity
from purple.domain.vulnerabilities import VulnerabilityState

MAX_PROPOSALS = 200
"""Told at once; those that are decided make room for others."""
MAX_SHOWN = 50
"""Other targets of a machine that are told, of those that there are."""


@dataclass(frozen=True, slots=True)
class Member:
    """A target, as far as machines are made of it."""

    id: UUID
    host: str
    """A name or an address; empty for networks, repositories and images."""
    zone: str
    created_at: datetime
    machine_id: UUID | None = None
    """The machine that it is known to be of."""

    @property
    def age(self) -> tuple[datetime, UUID]:
        """The oldest comes first."""
        return self.created_at, self.id


@dataclass(frozen=True, slots=True)
class MachineRuling:
    """What a person says of two targets; append-only but for its undoing."""

    id: UUID
    organisation_id: UUID
    target_id: UUID
    other_id: UUID
    same: bool
    """Whether the two are one machine, or are not."""
    created_at: datetime
    actor: str
    why: str
    evidence: str = ""
    """What was known of the two then, such as what one of them resolved to."""
    undone_at: datetime | None = None
    undone_by: str = ""

    @property
    def pair(self) -> frozenset[UUID]:
        """The two, in no order."""
        return frozenset((self.target_id, self.other_id))


@dataclass(frozen=True, slots=True)
class Link:
    """Why a target is of the same machine as another one, a step towards it."""

    via: UUID
    """The other one, or a target between the two."""
    ruling: MachineRuling | None
    """By which person's word; None where both have the same host."""

    @property
    def because(self) -> str:
        """In words."""
        if self.ruling is None:
            return "the same host"
        said = f"{self.ruling.actor}: {self.ruling.why}"
        return f"{said} ({self.ruling.evidence})" if self.ruling.evidence else said


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two targets that may be one machine: what one of them resolved to is the address of the other."""

    target_id: UUID
    """The name."""
    other_id: UUID
    """The address."""
    address: str
    seen_at: datetime
    """When a scan last resolved the name."""
    scan_id: UUID
    names: int
    """Registered names that last resolved to this address, this one among them: of several, each may be another
    application.
    """


@dataclass(frozen=True, slots=True)
class Twin:
    """The same flaw under another target of the machine."""

    id: UUID
    target_id: UUID
    target: str
    """Its name."""
    state: VulnerabilityState
    severity: Severity
    risk: int


class _Groups:
    """Disjoint sets, of which some may not meet."""

    def __init__(self, members: Iterable[Member], apart: Iterable[frozenset[UUID]]) -> None:
        self.of = {each.id: {each.id} for each in members}
        """The set of each, shared by all that are in it."""
        self._foes: dict[UUID, set[UUID]] = defaultdict(set)
        for one, other in map(tuple, apart):
            self._foes[one].add(other)
            self._foes[other].add(one)

    def meet(self, one: UUID, other: UUID) -> bool:
        """Put the sets of both together, unless somebody said that two of them are apart; whether they are together."""
        mine, theirs = self.of[one], self.of[other]
        if mine is theirs:
            return True
        if not all(theirs.isdisjoint(foes) for each, foes in self._foes.items() if each in mine):
            return False
        less, more = sorted((mine, theirs), key=len)
        more |= less
        for each in less:
            self.of[each] = more
        return True


def machines(members: Collection[Member], rulings: Iterable[MachineRuling]) -> dict[UUID, UUID | None]:
    """The machine of each target: the oldest target in it; None where it is alone.

    A function of the set of rulings in force, whichever was made first. Whom people joined are together; then each
    target joins the oldest one of its host and zone that nobody keeps it apart from: so of two of a host that are said
    to be two machines the younger one leaves, and the others stay with the older.
    """
    known = {each.id for each in members}
    standing = [each for each in rulings if each.undone_at is None and each.pair <= known]
    groups = _Groups(members, {each.pair for each in standing if not each.same})
    for ruling in sorted((each for each in standing if each.same), key=lambda each: sorted(each.pair)):
        groups.meet(ruling.target_id, ruling.other_id)
    for several in by_host(members).values():
        heads: list[UUID] = []
        for each in several:
            if not any(groups.meet(head, each.id) for head in heads):
                heads.append(each.id)
    found: dict[UUID, UUID | None] = {}
    for each in sorted(members, key=lambda one: one.age):
        if each.id not in found:  # the oldest of its set
            mine = groups.of[each.id]
            found |= {one: each.id if len(mine) > 1 else None for one in mine}
    return found


def by_host(members: Iterable[Member]) -> dict[tuple[str, str], list[Member]]:
    """Those of the same host and zone, the oldest first; networks and what is not on the network are left out."""
    found: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for each in sorted(members, key=lambda one: one.age):
        if each.host:
            found[each.host, each.zone].append(each)
    return found


def same(found: Mapping[UUID, UUID | None], one: UUID, other: UUID) -> bool:
    """Whether two targets are of one machine."""
    return one == other or (found[one] is not None and found[one] == found[other])


def against(
    new: MachineRuling, members: Collection[Member], rulings: Collection[MachineRuling]
) -> MachineRuling | None:
    """What a person said that a new ruling would contradict, or say again; None where it may be made.

    Hosts play no part: a person's word goes before them.

    Args:
        new: the ruling that is not made yet.
        members: the two targets and all around them.
        rulings: those in force.
    """
    if again := next((each for each in rulings if each.pair == new.pair), None):
        return again
    people = [replace(each, host="") for each in members]
    found = machines(people, rulings)
    one, other = new.target_id, new.other_id
    if not new.same:
        return links(one, people, rulings)[other].ruling if same(found, one, other) else None
    for each in rulings:
        ends = (each.target_id, each.other_id)
        if not each.same and any(
            same(found, one, first) and same(found, other, second) for first, second in (ends, ends[::-1])
        ):
            return each
    return None


def links(of: UUID, members: Iterable[Member], rulings: Iterable[MachineRuling]) -> dict[UUID, Link]:
    """Why each other target of a machine is of it, by the shortest way to one of them.

    Args:
        of: that one.
        members: all targets of its machine.
        rulings: in force; those of others are left out.
    """
    known = {each.id: each for each in members}
    hosts = by_host(known.values())
    said: dict[UUID, list[MachineRuling]] = defaultdict(list)
    for ruling in rulings:
        if ruling.same and ruling.pair <= known.keys():
            for each in ruling.pair:
                said[each].append(ruling)
    found: dict[UUID, Link] = {}
    ahead = [of]
    for one in ahead:  # grows while it is walked
        place = known[one]
        near = hosts.pop((place.host, place.zone), ())
        ways: list[tuple[UUID, MachineRuling | None]] = [(next(iter(each.pair - {one})), each) for each in said[one]]
        ways += [(each.id, None) for each in near]
        for other, way in ways:
            if other not in found and other != of:
                found[other] = Link(one, way)
                ahead.append(other)
    return found


class Machines(Protocol):
    """Targets as machines, and their flaws as twins."""

    async def lock(self) -> None:
        """Nobody else makes machines of this organisation until the transaction ends."""
        ...

    async def around(self, target_ids: Collection[UUID]) -> tuple[Sequence[Member], Sequence[MachineRuling]]:
        """These targets, all that may be or were of their machines, and the rulings in force on them."""
        ...

    async def place(self, moves: Mapping[UUID, UUID | None], held: Collection[UUID] = ()) -> None:
        """Note of which machine targets are now; their flaws are no twins until they are marked again.

        Args:
            moves: the machine of each.
            held: other targets that the same transaction changes. The vulnerabilities of all are locked at once, in the
                order in which an analysis locks them.
        """
        ...

    async def unmarked(self, *, campaign_id: UUID) -> Sequence[UUID]:
        """Targets of a campaign that are of a machine."""
        ...

    async def mark(self, target_ids: Collection[UUID], fields: Mapping[str, tuple[str, ...]]) -> None:
        """Give flaws of these targets that have none the mark that they share with their twins.

        Args:
            target_ids: of targets; those that are alone have no twins.
            fields: by which facts each tool tells flaws apart.
        """
        ...

    async def note_addresses(self, campaign_id: UUID) -> None:
        """Keep what the names that a campaign looked at last resolved to."""
        ...

    async def evidence(self, one: UUID, other: UUID) -> str:
        """What is known of two targets that speaks for their being one machine, in words; empty where nothing is."""
        ...

    async def proposals(self, limit: int) -> Sequence[Proposal]:
        """Of machines that nobody joined or keeps apart, the newest evidence first; one for each two machines."""
        ...

    async def twins(self, vulnerability_id: UUID, limit: int) -> Sequence[Twin]:
        """The same flaw under other targets, the highest risk first; duplicates are left out."""
        ...
