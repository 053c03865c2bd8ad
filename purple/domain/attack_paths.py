"""Attack paths: which chains of present vulnerabilities lead from the outside to what matters, and what to mend."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from purple.domain.attack_graph import Door, Facts, Graph
from purple.domain.attack_search import Count, Fix, Goal, Search, fixes
from purple.domain.attack_ways import Match, Way, Ways
from purple.domain.errors import InvalidInputError
from purple.domain.openings import TECHNIQUES, Finding, Gain
from purple.domain.pages import DEFAULT_LIMIT
from purple.domain.severity import Severity
from purple.domain.targets import Exposure, Target, endpoint_of

MAX_FINDINGS = 50_000
"""So many present vulnerabilities are looked at, those of the highest risk."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which paths."""

    filter: str = ""
    """Of targets: those that goals are; all by default."""
    technique: str = ""
    """An ATT&CK technique that one of their steps has; one with sub-techniques stands for those too."""
    through: UUID | None = None
    """A vulnerability that one of their steps uses."""
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class Technique:
    """Of ATT&CK."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """One opening that is used."""

    target_id: UUID
    target: str
    host: str
    zones: tuple[str, ...]
    vulnerability_id: UUID
    title: str
    severity: Severity
    where: str
    gain: Gain
    techniques: tuple[Technique, ...]
    effort: int
    """Points; less is easier."""
    why: tuple[str, ...]
    """What it opens, and what makes the effort."""
    alike: int
    """How many other openings of the same place would do the same."""


@dataclass(frozen=True, slots=True)
class Asset:
    """Where a path ends: what matters."""

    target_id: UUID
    target: str
    host: str
    zones: tuple[str, ...]
    worth: int
    """Points, at most 100."""
    why: tuple[str, ...]
    paths: int
    """How many lead to it in all."""


@dataclass(frozen=True, slots=True)
class AttackPath:
    """From the outside to a goal."""

    start: Exposure
    """Internet, or partner."""
    steps: tuple[Step, ...]
    goal: Asset
    effort: int
    """Of all steps."""
    weight: int
    """What the goal is worth, less the effort: an order, and no probability."""


@dataclass(frozen=True, slots=True)
class ChokePoint:
    """What to mend."""

    cause: str
    """The root cause: see `causes`."""
    vulnerabilities: int
    """Of that cause, on these paths; one alone where it does as much."""
    targets: int
    worst: UUID
    """The one of the highest risk."""
    title: str
    """Its title."""
    remediation: str
    """What it says is to be done."""
    ends: Count
    """Goals to which no path is left, and paths, when this alone is mended."""
    left: Count
    """What is left after this and all before it."""


@dataclass(frozen=True, slots=True)
class AttackPaths:
    """What was found."""

    items: tuple[AttackPath, ...]
    """The heaviest, a few of each goal."""
    number: int
    """How many there are of those that were asked for."""
    goals: int
    """How many goals they lead to."""
    choke_points: tuple[ChokePoint, ...]
    """What to mend first, of all paths to the goals that were chosen."""
    facts: Facts
    cut_off: bool = False
    """Whether not all was looked at: more present vulnerabilities, or more ways over several zones, than the bounds."""


class AttackSurface(Protocol):
    """What attack paths are looked for in."""

    async def targets(self) -> Sequence[Target]:
        """All that are in use."""
        ...

    async def chosen(self, filter_: str) -> Collection[UUID]:
        """Those that a filter finds.

        Raises:
            InvalidInputError: the filter cannot be read.
        """
        ...

    async def findings(self, most: int) -> Sequence[Finding]:
        """Present vulnerabilities that may open something, those of the highest risk first."""
        ...


def fitting(asked: Asked) -> Match | None:
    """Whether a step is one of those that were asked for; None where none was.

    Raises:
        InvalidInputError: no step can have the technique.
    """
    technique = asked.technique.strip().upper()
    wanted = {each for each in TECHNIQUES if technique in {each, each.partition(".")[0]}}
    if technique and not wanted:
        raise InvalidInputError(
            f"no step of a path has the technique {asked.technique!r}",
            field="technique",
            value=asked.technique,
            remedy=f"use one of {', '.join(sorted(TECHNIQUES))}",
        )
    if not technique and asked.through is None:
        return None

    def match(door: Door) -> bool:
        used = asked.through in {None, door.finding.id}
        return used and (not technique or not wanted.isdisjoint(door.techniques))

    return match


def attack_paths(graph: Graph, asked: Asked, chosen: Collection[UUID] | None = None) -> AttackPaths:
    """Find them.

    Args:
        graph: where to look.
        asked: which.
        chosen: the targets of which one must be of a goal; None is all.

    Raises:
        InvalidInputError: no step can have the technique.
    """
    match = fitting(asked)
    goals = [node for node in graph.goals if chosen is None or any(each.id in chosen for each in node.targets)]
    search = Search(graph.doors, goals)
    rest = search.without([door for door in search.doors if match(door)]) if match else None
    ways = Ways(search, match)
    found = sorted(ways.easiest(), key=_order)
    return AttackPaths(
        items=tuple(_path(ways, way, search.paths(goal)) for goal, way in found[: asked.limit]),
        number=search.count.paths - (rest.count.paths if rest else 0),
        goals=len({goal.node for goal, _ in found}),
        choke_points=tuple(map(_choke_point, fixes(search))),
        facts=graph.facts,
        cut_off=search.curtailed,
    )


def _order(found: tuple[Goal, Way]) -> tuple[int, int, list[str]]:
    """The heaviest first; of equals the shortest."""
    _, way = found
    return -_weight(way), len(way), [str(door.finding.id) for door in way]


def _weight(way: Way) -> int:
    return sum(part.points for part in way[-1].node.worth) - sum(door.effort for door in way)


def _path(ways: Ways, way: Way, number: int) -> AttackPath:
    node = way[-1].node
    goal = Asset(
        target_id=node.target.id,
        target=node.target.name or node.target.value,
        host=node.host,
        zones=tuple(sorted(node.zones)),
        worth=sum(part.points for part in node.worth),
        why=tuple(part.detail for part in node.worth),
        paths=number,
    )
    return AttackPath(
        start=way[0].start or Exposure.UNKNOWN,
        steps=tuple(_step(door, ways.alike(way, at)) for at, door in enumerate(way)),
        goal=goal,
        effort=goal.worth - _weight(way),
        weight=_weight(way),
    )


def _step(door: Door, alike: int) -> Step:
    finding = door.finding
    return Step(
        target_id=door.target.id,
        target=door.target.name or door.target.value,
        host=door.node.host,
        zones=tuple(sorted(door.node.zones)),
        vulnerability_id=finding.id,
        title=finding.title,
        severity=finding.severity,
        where=endpoint_of(finding.host, finding.port, finding.url),
        gain=door.opening.gain,
        techniques=tuple(Technique(each, TECHNIQUES[each]) for each in door.techniques),
        effort=door.effort,
        why=(door.opening.why, *(part.detail for part in door.parts)),
        alike=alike,
    )


def _choke_point(fix: Fix) -> ChokePoint:
    worst = max((door.finding for door in fix.doors), key=lambda each: (each.risk, str(each.id)))
    return ChokePoint(
        cause=worst.cause,
        vulnerabilities=len(fix.doors),
        targets=len({door.target.id for door in fix.doors}),
        worst=worst.id,
        title=worst.title,
        remediation=worst.remediation,
        ends=fix.alone,
        left=fix.left,
    )
