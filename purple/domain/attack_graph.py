"""Places that an attacker may hold, and the openings by which they come to them.

A node is a place: what answers by one host in one network zone, or is that machine under another name. Whoever has
control of a node reaches all others that stand in one of its zones, for that is what a zone is; the outside reaches
what is exposed to it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from purple.domain.openings import Finding, Gain, Opening, obstacles, opening_of
from purple.domain.risk import Known, Part
from purple.domain.targets import Control, Criticality, DataClass, Exposure, Target, TargetKind

Place = tuple[str, str]
"""What tells two nodes apart: the zone, and the host in it."""
Zones = frozenset[str]

WORTH = 80
"""Points of what matters at all; there are at most 100."""
_MORE = 10
_EXPOSURES = (Exposure.INTERNET, Exposure.PARTNER, Exposure.INTERNAL, Exposure.UNKNOWN)
"""The most first."""
_OUTSIDE = frozenset({Exposure.INTERNET, Exposure.PARTNER})
_DATA = (DataClass.UNKNOWN, DataClass.PUBLIC, DataClass.INTERNAL, DataClass.CONFIDENTIAL, DataClass.RESTRICTED)
_CRITICALITIES = tuple(Criticality)
_OF_MACHINE = frozenset({Control.SEGMENTATION, Control.ENDPOINT_PROTECTION})
"""Controls that a machine has for all that answers on it; others stand before one service."""


def place_of(target: Target, host: str = "") -> Place | None:
    """Where a target stands by itself; those that are one machine stand together, see `_standing`.

    Args:
        target: a repository or an image is no place, for what is wrong in code is an opening where it runs.
        host: which host of a network.
    """
    match target.kind:
        case TargetKind.REPOSITORY | TargetKind.IMAGE:
            return None
        case TargetKind.NETWORK:
            return (target.zone, host) if host else None
        case _:
            return target.zone, target.address.host


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A place, with the most of what its targets are."""

    host: str
    targets: tuple[Target, ...]
    """Those that matter most first."""
    zones: Zones
    exposure: Exposure
    controls: frozenset[Control]
    """Those that stand before all of it."""
    worth: tuple[Part, ...]
    """Points of a goal: a target is critical or high, or its data confidential or restricted. Empty of other nodes."""

    @property
    def target(self) -> Target:
        """The one that matters most."""
        return self.targets[0]


@dataclass(frozen=True, slots=True, eq=False)
class Door:
    """An opening where it is.

    It is used in one way only: from the outside where that reaches it, else from a node of the same zone.
    """

    node: Node
    target: Target
    opening: Opening
    start: Exposure | None
    """Internet or partner; None where the outside does not reach it."""
    parts: tuple[Part, ...]
    effort: int

    @property
    def finding(self) -> Finding:
        """What is open."""
        return self.opening.finding

    @property
    def leads_on(self) -> bool:
        """Whether attacks go on from there."""
        return self.opening.gain is Gain.CONTROL

    @property
    def techniques(self) -> tuple[str, ...]:
        """Of the step, by id."""
        return self.opening.techniques(inside=self.start is None)


@dataclass(frozen=True, slots=True)
class Graph:
    """All nodes of a register, and the doors to them."""

    nodes: tuple[Node, ...]
    doors: tuple[Door, ...]

    @property
    def goals(self) -> tuple[Node, ...]:
        """What matters."""
        return tuple(node for node in self.nodes if node.worth)

    @property
    def facts(self) -> "Facts":
        """How much there is to look at."""
        hidden = (node for node in self.nodes if node.exposure is Exposure.UNKNOWN)
        return Facts(
            places=len(self.nodes),
            exposed=sum(node.exposure in _OUTSIDE for node in self.nodes),
            goals=len(self.goals),
            openings=len(self.doors),
            unknown_exposure=len({target.id for node in hidden for target in node.targets}),
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """How much there is to look at, so that nobody takes an empty list for safety."""

    places: int
    exposed: int
    """Places that the internet or partners reach."""
    goals: int
    """Places that matter."""
    openings: int
    unknown_exposure: int
    """Targets of which nobody said from where they are reached: here the outside does not reach them."""


def graph_of(targets: Iterable[Target], findings: Iterable[tuple[Finding, Known]]) -> Graph:
    """Put targets and present vulnerabilities together.

    Args:
        targets: the register; what is retired is not among them.
        findings: each with what is known of its CVEs; one of another target is left out.
    """
    register = {each.id: each for each in targets}
    standing = _standing(register.values())
    members: dict[Place, dict[UUID, Target]] = defaultdict(dict)
    for each in register.values():
        if stands := standing(each):
            members[stands][each.id] = each
    found: list[tuple[Place, Target, Opening]] = []
    for finding, known in findings:
        target = register.get(finding.target_id)
        place = standing(target, finding.host) if target else None
        if target and place and (opening := opening_of(finding, known)):
            members[place][target.id] = target
            found.append((place, target, opening))
    nodes = {place: _node(place, several.values()) for place, several in members.items()}
    doors = tuple(_door(nodes[place], target, opening) for place, target, opening in found)
    return Graph(tuple(nodes.values()), doors)


def _standing(targets: Collection[Target]) -> Callable[..., Place | None]:
    """Where each of them stands: all of one machine where its oldest does, and so does that host of a network."""
    heads: dict[UUID, Place] = {}
    machines: dict[Place, UUID] = {}
    for each in sorted(targets, key=lambda one: one.id != one.machine_id):
        if each.machine_id and (place := place_of(each)):
            heads.setdefault(each.machine_id, place)
            machines.setdefault(place, each.machine_id)

    def standing(target: Target, host: str = "") -> Place | None:
        place = place_of(target, host)
        machine = target.machine_id or (machines.get(place) if place else None)
        return heads[machine] if machine else place

    return standing


def _node(place: Place, several: Iterable[Target]) -> Node:
    targets = sorted(several, key=lambda each: (*_matters(each), each.value), reverse=True)
    criticality, data = (max(ranks) for ranks in zip(*map(_matters, targets), strict=True))
    return Node(
        host=place[1],
        targets=tuple(targets),
        zones=frozenset(each.zone for each in targets),
        exposure=min((each.exposure for each in targets), key=_EXPOSURES.index),
        controls=frozenset(control for each in targets for control in each.controls if control in _OF_MACHINE),
        worth=worth_of(_CRITICALITIES[criticality], _DATA[data]),
    )


def _matters(target: Target) -> tuple[int, int]:
    return _CRITICALITIES.index(target.criticality), _DATA.index(target.data_class)


def worth_of(criticality: Criticality, data: DataClass) -> tuple[Part, ...]:
    """What a goal is worth, in points; nothing where it is none."""
    needed = criticality in {Criticality.HIGH, Criticality.CRITICAL}
    secret = data in {DataClass.CONFIDENTIAL, DataClass.RESTRICTED}
    if not needed and not secret:
        return ()
    parts = [Part("goal", WORTH, f"{criticality} asset" if needed else f"{data} data")]
    if criticality is Criticality.CRITICAL or data is DataClass.RESTRICTED:
        parts.append(Part("most", _MORE, "of the highest class"))
    if needed and secret:
        parts.append(Part("both", _MORE, f"{data} data on it"))
    return tuple(parts)


def _door(node: Node, target: Target, opening: Opening) -> Door:
    exposure = node.exposure if target.exposure is Exposure.UNKNOWN else target.exposure
    start = exposure if exposure in _OUTSIDE and not opening.near else None
    stands = node.controls.union(target.controls)
    parts = (*opening.parts, *obstacles(opening, sorted(stands), inside=start is None))
    return Door(node, target, opening, start, parts, sum(each.points for each in parts))
