"""Attack paths are exactly the chains of which no step can be left out, and a fix ends exactly what it is said to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from purple.domain import attack_search
from purple.domain.attack_graph import Door, Facts, Graph, graph_of, place_of, worth_of
from purple.domain.attack_paths import Asked, AttackPath, AttackPaths, attack_paths
from purple.domain.attack_search import MAX_STEPS, Count, Search, fixes
from purple.domain.attack_ways import PER_GOAL, Way, Ways
from purple.domain.errors import InvalidInputError
from purple.domain.openings import Finding
from purple.domain.risk import NOTHING_KNOWN
from purple.domain.severity import Severity
from purple.domain.targets import Control, Criticality, DataClass, Exposure, Target, TargetKind

AT = datetime(2026, 1, 1, tzinfo=UTC)
NETWORK = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
READS = NETWORK.replace("I:H", "I:N")
ALL = Asked()
NEAR = NETWORK.replace("AV:N", "AV:A")


def target(number: int, host: str = "", **told: object) -> Target:
    plain = Target(
        UUID(int=number), UUID(int=1), TargetKind.HOST, host or f"192.0.2.{number}", "", Criticality.MEDIUM, (), AT
    )
    return replace(plain, **told)


def flaw(number: int, of: Target, vector: str = NETWORK, **told: object) -> Finding:
    plain = {"title": "Made", "severity": Severity.HIGH, "cvss_vector": vector, "cause": f"cause {number}"}
    return Finding(UUID(int=1000 + number), of.id, **plain | told)


def graph(targets: Sequence[Target], *flaws: Finding) -> Graph:
    return graph_of(targets, [(each, NOTHING_KNOWN) for each in flaws])


def search(made: Graph) -> Search:
    return Search(made.doors, made.goals)


def all_of(made: Graph, less: frozenset[Door] = frozenset()) -> set[Way]:
    """Every path, found by trying all chains of doors."""
    doors = [door for door in made.doors if door not in less]

    def joined(way: Way) -> bool:
        if way[0].start is None or any(door.start for door in way[1:]):
            return False
        if not all(door.leads_on for door in way[:-1]) or not way[-1].node.worth:
            return False
        if len({door.node for door in way}) < len(way):
            return False
        near = [[bool(a.node.zones & b.node.zones) for a in way[:n]] for n, b in enumerate(way)]
        return all(row[-1] and not any(row[:-1]) for row in near[1:])

    return {way for size in range(1, MAX_STEPS + 1) for way in permutations(doors, size) if joined(way)}


@some.composite
def worlds(draw) -> Graph:
    """Up to seven doors to five machines, some of which stand in two or three zones."""
    targets = []
    for number in range(1, draw(some.integers(2, 5)) + 1):
        zones = draw(some.lists(some.sampled_from("abcd"), min_size=1, max_size=3, unique=True))
        told = {
            "exposure": draw(some.sampled_from(Exposure)),
            "criticality": draw(some.sampled_from([Criticality.LOW, Criticality.HIGH])),
            "controls": tuple(draw(some.lists(some.sampled_from(sorted(Control)), max_size=2, unique=True))),
        }
        targets.append((zones, target(number, **told)))
    flaws = []
    for number in range(draw(some.integers(1, 7))):
        _, of = draw(some.sampled_from(targets))
        vector = draw(some.sampled_from([NETWORK, NETWORK, NETWORK, READS, NEAR]))
        flaws.append(flaw(number, of, vector, cause=draw(some.sampled_from("xyz"))))
    made = graph([each for _, each in targets], *flaws)
    zones_of = {each.id: frozenset(zones) for zones, each in targets}
    nodes = {node: replace(node, zones=zones_of[node.target.id]) for node in made.nodes}
    doors = tuple(replace(door, node=nodes[door.node]) for door in made.doors)
    return Graph(tuple(nodes.values()), doors)


def reached(ways: set[Way]) -> set:
    return {way[-1].node for way in ways}


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_they_are_counted_as_if_each_was_walked(made) -> None:
    ways = all_of(made)
    found = search(made)
    assert found.count == Count(len(reached(ways)), len(ways))
    for goal in found.reached:
        assert found.paths(goal) == sum(way[-1].node is goal.node for way in ways)


@settings(max_examples=150, deadline=None)
@given(worlds(), some.data())
def test_what_is_mended_ends_exactly_the_paths_through_it(made, data) -> None:
    ways = all_of(made)
    gone = frozenset(data.draw(some.lists(some.sampled_from(made.doors), unique=True)))
    left = {way for way in ways if not gone.intersection(way)}
    assert left == all_of(made, gone), "and makes no other"
    said = search(made).cut(gone)
    assert said == Count(len(reached(ways)) - len(reached(left)), len(ways) - len(left))
    assert search(made).without(gone).count == Count(len(reached(left)), len(left))


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_what_is_told_begins_outside_ends_at_a_goal_and_is_the_easiest(made) -> None:
    ways = all_of(made)
    effort = {way: sum(door.effort for door in way) for way in ways}
    found = search(made)
    told: dict = {}
    for goal, way in Ways(found).easiest():
        assert way in ways
        assert way[-1].node is goal.node
        told.setdefault(goal.node, []).append(way)
    assert told.keys() == reached(ways)
    for node, mine in told.items():
        least = sorted(effort[way] for way in ways if way[-1].node is node)
        assert effort[mine[0]] == least[0]
        assert [effort[way] for way in mine] == sorted(effort[way] for way in mine)
        assert len(mine) <= PER_GOAL
        assert len({tuple(door.node for door in way) for way in mine}) == len(mine)


@settings(max_examples=100, deadline=None)
@given(worlds(), some.data())
def test_paths_through_one_door_are_found_where_there_are_some(made, data) -> None:
    one = data.draw(some.sampled_from(made.doors))
    through = {way for way in all_of(made) if one in way}
    told = [way for _, way in Ways(search(made), lambda door: door is one).easiest()]
    assert set(told) <= through
    assert {way[-1].node for way in told} == reached(through)


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_fixes_end_all_paths_one_after_the_other(made) -> None:
    ways = all_of(made)
    found = search(made)
    closed: set[Door] = set()
    for fix in fixes(found, most=10):
        assert len({door.finding.cause for door in fix.doors}) == 1
        ended = {way for way in ways if set(fix.doors).intersection(way)}
        assert fix.alone.paths == len(ended) > 0
        closed.update(fix.doors)
        left = {way for way in ways if not closed.intersection(way)}
        assert fix.left == Count(len(reached(left)), len(left))
    assert not {way for way in ways if not closed.intersection(way)}


WEB = target(1, "www.example.org", exposure=Exposure.INTERNET)
STORE = target(2, "db.example.org", criticality=Criticality.CRITICAL, data_class=DataClass.RESTRICTED)


def found(made: Graph, asked: Asked = ALL, chosen: set[UUID] | None = None) -> AttackPaths:
    return attack_paths(made, asked, chosen)


def way(path: AttackPath) -> list[tuple[str, str, list[str], int]]:
    return [(each.host, each.gain, [one.id for one in each.techniques], each.effort) for each in path.steps]


def test_from_the_outside_over_what_is_exposed_to_what_matters() -> None:
    entry = flaw(1, WEB, weakness="command-execution", url="https://www.example.org/ping", port=443)
    last = flaw(2, STORE, NETWORK, port=5432)
    told = found(graph([WEB, STORE], entry, last))
    (path,) = told.items
    assert way(path) == [
        ("www.example.org", "control", ["T1190", "T1059"], 2),
        ("db.example.org", "control", ["T1210"], 4),
    ]
    assert (path.start, path.goal.target_id, path.effort, path.weight) == (Exposure.INTERNET, STORE.id, 6, 94)
    assert path.goal.why == ("critical asset", "of the highest class", "restricted data on it")
    assert path.steps[0].why == ("CWE-78 gives control", "requests by hand do it")
    assert path.steps[1].why == ("CVSS 3.1 AV:N, PR:N, UI:N, C:H, I:H", "no exploit is known")
    assert (told.number, told.goals, told.facts) == (1, 1, Facts(2, 1, 1, 2, 1))


def test_no_path_begins_where_nobody_said_who_reaches_it_nor_where_only_data_is_read() -> None:
    last = flaw(2, STORE)
    for exposure, paths in (
        (Exposure.UNKNOWN, 0), (Exposure.INTERNAL, 0), (Exposure.PARTNER, 1), (Exposure.INTERNET, 1),
    ):  # fmt: skip
        told = found(graph([replace(WEB, exposure=exposure), STORE], flaw(1, WEB), last))
        assert (told.number, [each.start for each in told.items]) == (paths, [exposure] * paths)
    assert found(graph([WEB, STORE], flaw(1, WEB, READS), last)).number == 0
    assert found(graph([WEB, replace(STORE, zone="lan")], flaw(1, WEB), last)).number == 0
    assert found(graph([WEB, STORE], flaw(1, WEB), flaw(2, STORE, READS))).number == 1, "a goal's data is enough"


def test_what_the_same_network_alone_reaches_is_no_way_in_from_the_outside() -> None:
    exposed = replace(STORE, exposure=Exposure.INTERNET)
    assert found(graph([exposed], flaw(1, exposed, NEAR))).number == 0
    (path,) = found(graph([exposed, WEB], flaw(1, exposed, NEAR), flaw(2, WEB))).items
    assert [each.host for each in path.steps] == ["www.example.org", "db.example.org"]


def test_a_place_is_a_host_in_a_zone_and_has_the_most_of_its_targets() -> None:
    site = target(3, "https://db.example.org/login", kind=TargetKind.WEB_APPLICATION, exposure=Exposure.INTERNET)
    made = graph([site, STORE], flaw(1, STORE))
    (node,) = made.nodes
    assert (node.host, node.exposure, node.target, len(node.targets)) == (
        "db.example.org", Exposure.INTERNET, STORE, 2,
    )  # fmt: skip
    assert [len(each.steps) for each in found(made).items] == [1], "of unknown exposure, so that of its place"
    inner = replace(STORE, exposure=Exposure.INTERNAL)
    assert found(graph([site, inner], flaw(1, inner))).number == 0, "of one that is told, its own"
    assert place_of(replace(site, zone="dmz")) == ("dmz", "db.example.org")
    network = target(4, "192.0.2.0/24", kind=TargetKind.NETWORK)
    assert (place_of(network), place_of(network, "192.0.2.9")) == (None, ("", "192.0.2.9"))
    named = [replace(STORE, machine_id=STORE.id), target(6, "192.0.2.9", machine_id=STORE.id)]
    (known,) = graph([*named, network], flaw(1, network, host="192.0.2.9")).nodes
    assert (known.host, len(known.targets)) == ("db.example.org", 3), "a machine of two names, and of a network"
    code = target(5, "https://db.example.org/app.git", kind=TargetKind.REPOSITORY)
    assert place_of(code) is None
    assert not graph([code], flaw(1, code, weakness="command-execution")).doors


def test_over_machines_that_stand_in_several_zones_a_path_has_four_steps(monkeypatch) -> None:
    hosts = [target(number, f"h{number}", zone=zone) for number, zone in enumerate("abcd", 1)]
    hosts[0] = replace(hosts[0], exposure=Exposure.INTERNET)
    hosts[3] = replace(hosts[3], criticality=Criticality.HIGH)
    made = graph(hosts, *(flaw(number, each) for number, each in enumerate(hosts)))
    assert search(made).count == Count(0, 0)
    bridges = [replace(node, zones=node.zones | {zone}) for node, zone in zip(made.nodes, "bcdd", strict=True)]
    moved = dict(zip(made.nodes, bridges, strict=True))
    joined = Graph(tuple(bridges), tuple(replace(door, node=moved[door.node]) for door in made.doors))
    assert search(joined).count == Count(1, 1)
    assert [[door.node.host for door in way] for _, way in Ways(search(joined)).easiest()] == [["h1", "h2", "h3", "h4"]]
    assert len(all_of(joined)) == 1
    others = [target(number, exposure=Exposure.INTERNET) for number in range(10, 16)]
    harder = graph(others, *(flaw(each.id.int, each, confidence=0.3) for each in others))
    beside = tuple(replace(door, node=replace(door.node, zones=frozenset("ab"))) for door in harder.doors)
    wider = Search(beside + joined.doors, joined.goals)
    assert wider.count == Count(1, 7)
    assert next(iter(Ways(wider).easiest()))[1][0].node.host == "h1"
    assert not search(joined).curtailed
    monkeypatch.setattr(attack_search, "MAX_CROSSINGS", 0)
    assert (search(joined).count, search(joined).curtailed) == (Count(0, 0), True), "and it is said"


def test_the_three_easiest_are_told_and_the_others_are_counted() -> None:
    ways_in = [target(number, exposure=Exposure.INTERNET) for number in range(10, 16)]
    flaws = [flaw(each.id.int, each) for each in ways_in]
    twice = flaw(99, ways_in[0], cause="cause 10", confidence=0.3)
    made = graph([STORE, *ways_in], flaw(2, STORE), *flaws, twice)
    told = found(made)
    assert (told.number, len(told.items), {each.goal.paths for each in told.items}) == (7, PER_GOAL, {7})
    assert [each.steps[0].alike for each in told.items if each.steps[0].target_id == ways_in[0].id] == [1]
    through = found(made, Asked(through=twice.id))
    assert (through.number, [each.steps[0].vulnerability_id for each in through.items]) == (1, [twice.id])
    assert (through.items[0].effort, through.items[0].steps[0].why[-1]) == (10, "the tool is not sure")
    assert [found(made, Asked(technique=each)).number for each in ("T1190", "t1210", "T1005")] == [7, 7, 0]
    assert len(found(made, Asked(limit=2)).items) == 2
    with pytest.raises(InvalidInputError, match="T9999"):
        found(made, Asked(technique="T9999"))
    assert [found(made, chosen=each).number for each in ({STORE.id}, {WEB.id}, set())] == [7, 0, 0]


def test_the_first_fix_ends_most_and_one_vulnerability_stands_for_its_cause_where_it_does_as_much() -> None:
    ways_in = [target(number, exposure=Exposure.INTERNET) for number in (10, 11)]
    goals = [target(number, criticality=Criticality.HIGH) for number in (20, 21)]
    doors = [flaw(each.id.int, each, cause="library") for each in ways_in]
    ends = [flaw(each.id.int, each) for each in goals]
    off = flaw(30, target(30), cause="library")
    told = found(graph([*ways_in, *goals, target(30)], *doors, *ends, off))
    (fix,) = told.choke_points
    assert (told.number, fix.cause, fix.vulnerabilities, fix.targets, fix.ends, fix.left) == (
        4, "library", 2, 2, Count(2, 4), Count(0, 0),
    )  # fmt: skip
    (fix,) = found(graph([*ways_in[:1], *goals], *doors, *ends)).choke_points
    assert (fix.worst, fix.vulnerabilities, fix.ends) == (doors[0].id, 1, Count(2, 2))
    both = flaw(31, goals[0], cause="library")
    (fix,) = found(graph([*ways_in[:1], goals[0]], doors[0], both)).choke_points
    assert (fix.cause, fix.vulnerabilities, fix.ends) == ("library", 1, Count(1, 1)), "each of the two does as much"


def test_a_goal_that_is_its_own_way_in_is_out_of_reach_when_that_is_mended() -> None:
    exposed = replace(STORE, exposure=Exposure.INTERNET)
    made = search(graph([exposed], flaw(1, exposed), flaw(2, exposed, NEAR)))
    assert made.count == Count(1, 1)
    assert made.cut(made.doors[:1]) == Count(1, 1)


def test_a_control_makes_the_step_harder_that_it_stands_against() -> None:
    def effort(of: Target, **told: object) -> list[tuple[str, int]]:
        (door,) = graph([of], flaw(1, of, **told)).doors
        return [(part.name, part.points) for part in door.parts]

    every = tuple(Control)
    shut = replace(WEB, controls=every)
    web = effort(shut, weakness="sql-injection", url="https://www.example.org/?id=1")
    assert web == [("weakness", 2), ("virtual_patch", 2), ("waf", 2)]
    assert effort(shut, weakness="login-guessed", port=22) == [("weakness", 1), ("strong_authentication", 2)]
    assert effort(shut, weakness="file-exposed", url="https://www.example.org/.env") == [("weakness", 1)]
    inner = replace(STORE, controls=tuple(each for each in Control if each is not Control.VIRTUAL_PATCH))
    assert effort(inner) == [("unknown", 4), ("endpoint_protection", 2), ("segmentation", 2)]
    alone = replace(STORE, controls=(Control.SEGMENTATION,))
    assert effort(alone, weakness="login-guessed") == [("weakness", 1), ("segmentation", 2)]


def test_what_a_goal_is_worth() -> None:
    told = {
        (criticality, data): sum(part.points for part in worth_of(criticality, data))
        for criticality in Criticality
        for data in DataClass
    }
    assert told[Criticality.MEDIUM, DataClass.INTERNAL] == told[Criticality.LOW, DataClass.UNKNOWN] == 0
    assert told[Criticality.HIGH, DataClass.UNKNOWN] == told[Criticality.LOW, DataClass.CONFIDENTIAL] == 80
    assert told[Criticality.CRITICAL, DataClass.PUBLIC] == told[Criticality.HIGH, DataClass.CONFIDENTIAL] == 90
    assert told[Criticality.CRITICAL, DataClass.CONFIDENTIAL] == max(told.values()) == 100
