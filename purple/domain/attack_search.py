"""All attack paths at once: how many there are, what ends when something is mended, and what to mend first.

A path is a chain of doors from the outside to a goal of which no step can be left out: each door but the last gives
control, and each node is reached from the one before it and from none before that. So a path has more than two steps
only where it crosses zones, and whether a chain is a path depends on its own doors alone: what is mended takes away the
paths that lead through it, and makes no other.

Nodes of the same zones are alike but for their doors. So chains are looked for over sets of zones (classes of nodes),
and paths are counted as products of how many doors each class has, without going through them one by one.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from purple.domain.attack_graph import Door, Node, Zones

MAX_STEPS = 4
"""Of a path."""
MAX_CROSSINGS = 2_000
"""Chains of classes over several zones that are looked at, the shortest first."""
FIXES = 5
Chain = tuple[Zones, ...]
"""Classes of nodes, from the outside on."""


@dataclass(slots=True)
class Goal:
    """What matters, and the last doors before it."""

    node: Node
    direct: list[Door] = field(default_factory=list)
    """That the outside reaches."""
    inner: list[Door] = field(default_factory=list)
    """That need a node of one of its zones."""

    def paths(self, ways: int) -> int:
        """How many lead to it, where so many ways lead into its zones.

        Ways that begin at the goal itself lead to no other door of it.
        """
        own = sum(door.leads_on for door in self.direct)
        return len(self.direct) + (len(self.inner) * (ways - own) if self.inner else 0)

    def without(self, gone: Collection[Door]) -> "Goal":
        """With some doors mended."""
        direct, inner = ([door for door in doors if door not in gone] for doors in (self.direct, self.inner))
        return Goal(self.node, direct, inner)


@dataclass(frozen=True, slots=True)
class Count:
    """Goals, and paths to them."""

    goals: int
    paths: int


class Search:
    """Everything about the paths over some doors to some goals."""

    def __init__(self, doors: Iterable[Door], wanted: Collection[Node]) -> None:
        self.doors = tuple(doors)
        self.entries: dict[Zones, list[Door]] = defaultdict(list)
        """By class, doors that the outside reaches and that lead on."""
        self.middles: dict[Zones, list[Door]] = defaultdict(list)
        """By class, doors that are reached from inside and lead on."""
        self._wanted = frozenset(wanted)
        self._goals: dict[Node, Goal] = {}
        for door in self.doors:
            if door.leads_on:
                (self.entries if door.start else self.middles)[door.node.zones].append(door)
            if door.node in self._wanted:
                goal = self._goals.setdefault(door.node, Goal(door.node))
                (goal.direct if door.start else goal.inner).append(door)

    def without(self, gone: Collection[Door]) -> "Search":
        """The same with some doors mended."""
        mended = frozenset(gone)
        return Search((door for door in self.doors if door not in mended), self._wanted)

    @cached_property
    def reached(self) -> Sequence[Goal]:
        """Goals to which a path leads."""
        return [goal for goal in self._goals.values() if self.paths(goal)]

    @cached_property
    def count(self) -> Count:
        """Of all that there are."""
        return Count(len(self.reached), sum(map(self.paths, self.reached)))

    def paths(self, goal: Goal) -> int:
        """How many lead to it."""
        return goal.paths(self._ways[goal.node.zones])

    def goal(self, node: Node) -> Goal:
        """Of a node that is one and has a door."""
        return self._goals[node]

    @cached_property
    def chains(self) -> Mapping[Zones, Sequence[Chain]]:
        """By class with a goal, the chains from the outside into its zones."""
        ends = sorted({node.zones for node in self._goals}, key=sorted)
        found = {end: list(self._leading((end,), 1)) for end in ends}
        for end, chain in islice(self._crossing(ends), MAX_CROSSINGS):
            found[end].append(chain)
        return found

    @property
    def curtailed(self) -> bool:
        """Whether there are more chains over several zones than were looked at."""
        crossing = sum(len(chain) > 1 for chains in self.chains.values() for chain in chains)
        return crossing == MAX_CROSSINGS and any(
            True for _ in islice(self._crossing(list(self.chains)), crossing, None)
        )

    def _crossing(self, ends: Sequence[Zones]) -> Iterator[tuple[Zones, Chain]]:
        """Chains of several classes, the shortest first."""
        for length in range(2, MAX_STEPS):
            for end in ends:
                for chain in self._leading((end,), length):
                    yield end, chain

    def _leading(self, ahead: Chain, length: int) -> Iterator[Chain]:
        """Chains that lead to the first of these; each class touches the next one and none behind that."""
        for zones in self._touching(ahead[0]):
            if any(zones & later for later in ahead[1:]):
                continue
            if length == 1:
                if zones in self.entries:
                    yield (zones,)
            elif zones in self.middles and len(zones) > 1:
                for chain in self._leading((zones, *ahead), length - 1):
                    yield (*chain, zones)

    @cached_property
    def _by_zone(self) -> Mapping[str, Sequence[Zones]]:
        found: dict[str, list[Zones]] = defaultdict(list)
        for zones in self.entries.keys() | self.middles.keys():
            for zone in zones:
                found[zone].append(zones)
        return found

    def _touching(self, zones: Zones) -> Sequence[Zones]:
        near = {each for zone in zones for each in self._by_zone.get(zone, ())}
        return sorted(near, key=sorted)

    @cached_property
    def _walked(self) -> Sequence[tuple[Zones, Chain, int]]:
        """All chains, with the class of goals that each leads to, and how many ways it stands for."""
        nothing = Counter[Zones]()
        known = ((end, chain) for end, chains in self.chains.items() for chain in chains)
        return [(end, chain, self._walks(chain, nothing, nothing)) for end, chain in known]

    def _walks(self, chain: Chain, entries: Counter[Zones], middles: Counter[Zones]) -> int:
        """How many ways a chain stands for, with so many doors less of each class."""
        first, *rest = chain
        known = len(self.entries[first]) - entries[first]
        return known * math.prod(len(self.middles[each]) - middles[each] for each in rest)

    @cached_property
    def _ways(self) -> Mapping[Zones, int]:
        """By class with a goal, how many ways lead from the outside into its zones."""
        found = dict.fromkeys(self.chains, 0)
        for end, _, ways in self._walked:
            found[end] += ways
        return found

    @cached_property
    def _through(self) -> Mapping[Zones, Sequence[int]]:
        """By class, which of `_walked` go through it."""
        found: dict[Zones, list[int]] = defaultdict(list)
        for n, (_, chain, _) in enumerate(self._walked):
            for each in chain:
                found[each].append(n)
        return found

    @cached_property
    def _inner(self) -> Mapping[Zones, Count]:
        """By class with a goal, how many goals have inner doors alone, and all inner doors."""
        found = {end: Count(0, 0) for end in self.chains}
        for goal in self._goals.values():
            known, alone = found[goal.node.zones], bool(goal.inner) and not goal.direct
            found[goal.node.zones] = Count(known.goals + alone, known.paths + len(goal.inner))
        return found

    def cut(self, gone: Collection[Door]) -> Count:
        """What ends when all of these doors are mended: goals to which no path is left, and paths."""
        mended = frozenset(gone)
        entries = Counter(door.node.zones for door in mended if door.leads_on and door.start)
        middles = Counter(door.node.zones for door in mended if door.leads_on and not door.start)
        after: dict[Zones, int] = {}
        for n in {n for zones in (*entries, *middles) for n in self._through.get(zones, ())}:
            end, chain, ways = self._walked[n]
            after[end] = after.get(end, self._ways[end]) - ways + self._walks(chain, entries, middles)
        goals = paths = 0
        for end, ways in after.items():  # first as if the goals there kept their own doors
            paths += self._inner[end].paths * (self._ways[end] - ways)
            goals += self._inner[end].goals if self._ways[end] and not ways else 0
        for node in {door.node for door in mended} & self._goals.keys():
            goal = self._goals[node]
            ways, left = after.get(node.zones, self._ways[node.zones]), goal.without(mended)
            paths += goal.paths(ways) - left.paths(ways)
            counted = not goal.direct and not ways
            goals += bool(self.paths(goal)) and not left.paths(ways) and not counted
        return Count(goals, paths)


@dataclass(frozen=True, slots=True)
class Fix:
    """What to mend, and what that does."""

    doors: tuple[Door, ...]
    """Of one root cause, or one of it that does as much alone."""
    alone: Count
    """What it ends by itself."""
    left: Count
    """What is left after it and all before it."""


def fixes(search: Search, most: int = FIXES) -> Iterator[Fix]:
    """What to mend first: each time what takes most goals, then most paths away of what is left."""
    left = search
    for _ in range(most):
        if not left.count.paths:
            return
        causes: dict[str, list[Door]] = defaultdict(list)
        for door in left.doors:
            causes[door.finding.cause].append(door)
        ended = {cause: left.cut(doors) for cause, doors in causes.items()}
        cause = min(ended, key=lambda each: (-ended[each].goals, -ended[each].paths, len(causes[each]), each))
        as_much = [door for door in causes[cause] if left.cut((door,)) == ended[cause]]
        on_paths = [door for door in causes[cause] if search.cut((door,)).paths]
        chosen = [min(as_much, key=ease)] if as_much else on_paths
        left = left.without(chosen)
        yield Fix(tuple(sorted(chosen, key=ease)), search.cut(chosen), left.count)


def ease(door: Door) -> tuple[int, int, str]:
    """The easiest door first; of equals that of the highest risk."""
    return door.effort, -door.finding.risk, str(door.finding.id)
