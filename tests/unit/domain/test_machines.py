"""Machines are an equivalence relation over targets, whatever was said first, and what is apart stays apart."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from purple.domain.fingerprints import twin
from purple.domain.machines import MachineRuling, Member, against, links, machines, same
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind

START = datetime(2026, 1, 1, tzinfo=UTC)
ORGANISATION = uuid4()


def target(n: int, host: str = "", zone: str = "") -> Member:
    """The n-th that was registered; ids are in another order."""
    return Member(UUID(int=(7 * n + 3) % 97), host, zone, START + timedelta(days=n))


def said(one: Member, other: Member, *, same: bool) -> MachineRuling:
    return MachineRuling(uuid4(), ORGANISATION, one.id, other.id, same, START, "ann", "sure")


def told(found: dict[UUID, UUID | None], members: list[Member]) -> list[int | None]:
    """The machine of each, as a number of the list."""
    numbers = {each.id: n for n, each in enumerate(members)}
    return [None if found[each.id] is None else numbers[found[each.id]] for each in members]


def test_what_has_the_same_host_in_the_same_zone_is_one_machine_by_itself() -> None:
    known = [
        target(0, "app.example.org"),
        target(1, "192.0.2.7"),
        target(2, "app.example.org"),
        target(3, "app.example.org", "dmz"),
        target(4),
        target(5),
    ]
    assert told(machines(known, []), known) == [0, None, 0, None, None, None]
    assert told(machines(known[::-1], []), known) == [0, None, 0, None, None, None], "in whichever order they are read"


def test_what_people_say_goes_before_hosts() -> None:
    known = [target(0, "a"), target(1, "a"), target(2, "a"), target(3, "b"), target(4, "b")]
    a, second, third, b, _ = known
    assert told(machines(known, [said(a, b, same=True)]), known) == [0, 0, 0, 0, 0], "with all of either host"
    assert told(machines(known, [said(second, a, same=False)]), known) == [0, None, 0, 3, 3], "the younger one leaves"
    assert told(machines(known, [said(a, b, same=False)]), known) == [0, 0, 0, 3, 3]
    both = [said(second, a, same=False), said(b, second, same=True)]
    assert told(machines(known, both), known) == [0, 1, 0, 1, 1], "and what people joined with it goes with it"
    three = [said(second, a, same=False), said(third, a, same=False), said(third, second, same=False)]
    assert told(machines(known, three), known) == [None, None, None, 3, 3]


def test_a_ruling_that_others_contradict_is_refused_and_says_by_which() -> None:
    known = [target(n) for n in range(4)]
    a, b, c, d = known
    joins = [said(a, b, same=True), said(b, c, same=True)]
    assert against(said(a, c, same=False), known, joins) == joins[1], "they are joined over another one"
    assert against(said(c, a, same=True), known, joins) is None
    assert against(said(b, a, same=False), known, joins) == joins[0] == against(said(b, a, same=True), known, joins)
    apart = said(d, a, same=False)
    assert against(said(c, d, same=True), known, [*joins, apart]) == apart
    assert against(said(c, d, same=True), known, joins) is None
    of_a_host = [replace(a, host="x"), replace(b, host="x")]
    assert against(said(a, b, same=False), of_a_host, []) is None, "hosts are no one's word"


def test_each_target_says_by_which_way_it_is_of_the_machine() -> None:
    known = [target(0, "app"), target(1, "app"), target(2, "192.0.2.7"), target(3, "192.0.2.7")]
    app, url, address, other = known
    ruling = replace(said(url, address, same=True), evidence="app resolved to 192.0.2.7")
    found = links(app.id, known, [ruling, said(app, other, same=False)])
    assert {key: (each.via, each.ruling) for key, each in found.items()} == {
        url.id: (app.id, None),
        address.id: (url.id, ruling),
        other.id: (address.id, None),
    }
    assert found[url.id].because == "the same host"
    assert found[address.id].because == "ann: sure (app resolved to 192.0.2.7)"
    assert links(app.id, known[:1], [ruling]) == {}


def test_a_file_of_targets_of_one_host_is_one_machine_within_seconds() -> None:
    many = [Member(uuid4(), "app.example.org", "", START + timedelta(seconds=n)) for n in range(20_000)]
    begun = time.perf_counter()
    found = machines(many, [said(many[0], many[1], same=False)])
    assert len(links(many[0].id, [each for each in many if found[each.id]], [])) == len(many) - 2
    assert time.perf_counter() - begun < 5, "a fraction of one; each beside each other would be minutes"


HOSTS = st.sampled_from(["", "a", "b"])
SAYINGS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["join", "split", "undo"])), max_size=25
)


@given(st.lists(HOSTS, min_size=2, max_size=7), SAYINGS, st.randoms(use_true_random=False))
def test_whatever_people_say_and_take_back_in_whichever_order_machines_are_sets_that_do_not_overlap(
    hosts, sayings, chance
) -> None:
    known = [target(n, host) for n, host in enumerate(hosts)]
    standing: list[MachineRuling] = []
    for one, other, word in sayings:
        a, b = known[one % len(known)], known[other % len(known)]
        if word == "undo":
            standing = [each for each in standing if each.pair != frozenset((a.id, b.id))]
        elif a is not b:
            new = said(a, b, same=word == "join")
            if against(new, known, standing) is None:
                standing.append(new)
        found = machines(known, standing)
        for each in standing:
            assert same(found, each.target_id, each.other_id) is each.same, "what was said and let be stands"
    mixed, order = known[:], standing[:]
    chance.shuffle(mixed)
    chance.shuffle(order)
    found = machines(known, standing)
    assert machines(mixed, order) == found
    for machine in set(found.values()) - {None}:
        several = [each for each in known if found[each.id] == machine]
        assert len(several) > 1
        assert min(several, key=lambda each: each.age).id == machine
        assert links(machine, several, standing).keys() == {each.id for each in several} - {machine}
    if all(each.same for each in standing):
        for one, other in combinations(known, 2):
            assert not one.host or one.host != other.host or same(found, one.id, other.id)


def test_one_flaw_of_a_machine_has_one_mark_whichever_target_it_was_seen_under() -> None:
    machine, other = uuid4(), uuid4()
    seen = Observation(
        ObservationKind.FLAW, "made:rule", "Made", Location("app.example.org", 443, url="https://app.example.org/x"),
        flaw_class=FlawClass.CONFIGURATION, weakness="tls-cipher-weak", attributes={"cipher": "RC4"},
    )  # fmt: skip
    under_the_address = replace(seen, rule="other:rule", location=Location("192.0.2.7", 443))
    mark = twin(machine, seen)
    assert mark == twin(machine, under_the_address)
    assert mark.version == 5
    differently = [
        twin(other, seen),
        twin(machine, seen, ["cipher"]),
        twin(machine, replace(seen, location=Location("192.0.2.7", 8443))),
        twin(machine, replace(seen, weakness="tls-protocol-obsolete")),
    ]
    assert mark not in differently
    assert len(set(differently)) == 4
