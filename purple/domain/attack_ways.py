"""The easiest attack paths of each goal."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice, product

from purple.domain.attack_graph import Door, Node, Zones
from purple.domain.attack_search import Goal, Search, ease

PER_GOAL = 3
"""Paths that are told of each goal, each over other nodes."""
Way = tuple[Door, ...]
"""Doors, from the outside on."""
Match = Callable[[Door], bool]


class Ways:
    """Paths of a search, the easiest of each goal."""

    def __init__(self, search: Search, match: Match | None = None) -> None:
        """Take those of which a door fits; all where nothing is asked."""
        self._search = search
        self._match = match
        self._known: dict[tuple[Zones, bool], Sequence[Way]] = {}
        self._best: dict[tuple[Zones, bool, bool], Sequence[Door]] = {}

    def easiest(self) -> Iterable[tuple[Goal, Way]]:
        """A few of each goal, by the doors that are easiest for each node; what is alike is counted by `alike`."""
        return ((goal, way) for goal in self._search.reached for way in self._of(goal))

    def _of(self, goal: Goal) -> Sequence[Way]:
        zones, match = goal.node.zones, self._match
        found: list[Way] = [(door,) for door in _least(goal.direct, match)]
        last = [(door, self._into(zones, fitting=False)) for door in _least(goal.inner, match)]
        if match:
            last += [(door, self._into(zones, fitting=True)) for door in _least(goal.inner, None)]
        for door, ways in last:
            others = (way for way in ways if way[0].node is not goal.node)
            found += [(*way, door) for way in islice(others, PER_GOAL)]
        distinct: dict[tuple[Node, ...], Way] = {}
        for way in sorted(found, key=_order):
            distinct.setdefault(tuple(door.node for door in way), way)
        return list(distinct.values())[:PER_GOAL]

    def _into(self, end: Zones, *, fitting: bool) -> Sequence[Way]:
        """Ways from the outside into some zones, the easiest first; of a longer chain a few."""
        if (end, fitting) not in self._known:
            found: list[Way] = []
            for first, *rest in self._search.chains[end]:
                if not rest:
                    found += [(door,) for door in self._nodes(first, inside=False, fitting=fitting)]
                    continue
                choices = [self._few(zones, inside=bool(n), fitting=fitting) for n, zones in enumerate((first, *rest))]
                ways = (way for way in product(*choices) if not fitting or any(map(self._match or bool, way)))
                found += sorted(ways, key=_order)[:PER_GOAL]
            self._known[end, fitting] = sorted(found, key=_order)
        return self._known[end, fitting]

    def _nodes(self, zones: Zones, *, inside: bool, fitting: bool) -> Sequence[Door]:
        """The easiest door of each node of a class, of all or of those that fit; the easiest first."""
        key = (zones, inside, fitting)
        if key not in self._best:
            best: dict[Node, Door] = {}
            doors = (self._search.middles if inside else self._search.entries)[zones]
            for door in filter(self._match if fitting else None, doors):
                best[door.node] = min(best.get(door.node, door), door, key=ease)
            self._best[key] = sorted(best.values(), key=ease)
        return self._best[key]

    def _few(self, zones: Zones, *, inside: bool, fitting: bool) -> Sequence[Door]:
        """A few of a class, and a few that fit."""
        known = [self._nodes(zones, inside=inside, fitting=each)[:PER_GOAL] for each in {False, fitting}]
        return list(dict.fromkeys(door for doors in known for door in doors))

    def alike(self, way: Way, at: int) -> int:
        """How many other doors of the same node do what one does in a path."""
        door = way[at]
        if at < len(way) - 1:
            return self._leading_on[door.node, door.start is None] - 1
        goal = self._search.goal(door.node)
        return len(goal.direct if door.start else goal.inner) - 1

    @cached_property
    def _leading_on(self) -> Mapping[tuple[Node, bool], int]:
        """By node, how many of its doors lead on, from the outside and from inside."""
        return Counter((door.node, door.start is None) for door in self._search.doors if door.leads_on)


def _least(doors: Iterable[Door], match: Match | None) -> Sequence[Door]:
    fitting = list(filter(match, doors))
    return [min(fitting, key=ease)] if fitting else []


def _order(way: Way) -> tuple[int, int, list[str]]:
    """The easiest first; of equals the shortest."""
    return sum(door.effort for door in way), len(way), [str(door.finding.id) for door in way]
