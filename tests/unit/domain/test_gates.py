"""The rules of the gate: whatever is asked in whatever order, no host bears more than it may, and everybody comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.gates import (
    Breaker,
    GateRules,
    Lease,
    LeaseState,
    Queue,
    around,
    overlap,
    place_of,
    probe_after,
    refusal,
    turns,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=30)
HOSTS = ("192.0.2.1", "192.0.2.2", "192.0.2.200", "192.0.2.0/24", "192.0.2.0/28", "198.51.100.1", "2001:db8::1")
SINGLE = [each for each in HOSTS if "/" not in each]
TOOLS = 2
ONE = uuid4()


def lease(number: int, host: str = HOSTS[0], *, exclusive: bool = False, **changes: object) -> Lease:
    made = Lease(
        scan_id=UUID(int=number),
        organisation_id=ONE,
        campaign_id=ONE,
        target_id=ONE,
        host=host,
        tool=f"tool-{number}",
        endpoint=host,
        workflow_id="campaign/1",
        exclusive=exclusive,
        state=LeaseState.WAITING,
        since=START + timedelta(seconds=number),
    )
    return replace(made, **changes)


def held(number: int, host: str = HOSTS[0], *, exclusive: bool = False, **changes: object) -> Lease:
    until = {"state": LeaseState.HELD, "expires_at": START + timedelta(minutes=9), "holder": uuid4()}
    return lease(number, host, exclusive=exclusive, **until | changes)


def queue(*leases: Lease, host: str = HOSTS[0], now: datetime = START, breaker: Breaker | None = None) -> Queue:
    return Queue(host, now, START - timedelta(days=1), leases, breaker)


class World:
    """A gate in memory: what the service does with rows, done with a dictionary."""

    def __init__(self) -> None:
        self.now = START
        self.rows: dict[UUID, Lease] = {}

    def queue(self, host: str) -> Queue:
        found = Queue(host, self.now, START, tuple(each for each in self.rows.values() if overlap(each.host, host)))
        for each in found.expired():
            del self.rows[each.scan_id]
        return replace(found, leases=found.living())

    def ask(self, number: int, host: str, *, exclusive: bool) -> None:
        self.now += timedelta(milliseconds=1)
        known = self.rows.get(UUID(int=number))
        host, exclusive = (known.host, known.exclusive) if known else (host, exclusive)
        before = self.queue(host)
        wanted = lease(number, host, exclusive=exclusive, since=known.since if known else self.now)
        mine = before.of(wanted.scan_id)
        wanted = replace(wanted, since=mine.since if mine else self.now)
        if refusal(before, wanted, TOOLS):
            self.rows[wanted.scan_id] = wanted
            return
        if mine is None or not mine.takes:
            self.nobody_is_overtaken(wanted)
        self.rows[wanted.scan_id] = replace(wanted, state=LeaseState.HELD, expires_at=self.now + LEASE)

    def turn(self, host: str) -> None:
        self.now += timedelta(milliseconds=1)
        for each in turns(self.queue(host), TOOLS):
            self.nobody_is_overtaken(each)
            self.rows[each.scan_id] = replace(each, state=LeaseState.RESERVED, expires_at=self.now + 2 * LEASE)

    def leave(self, number: int) -> None:
        known = self.rows.get(UUID(int=number))
        if known is not None and known.state is LeaseState.HELD:
            del self.rows[known.scan_id]

    def nobody_is_overtaken(self, newcomer: Lease) -> None:
        for each in self.rows.values():
            if each.state is LeaseState.WAITING and overlap(each.host, newcomer.host):
                assert each.order >= newcomer.order, f"{newcomer} overtakes {each}"

    def check(self) -> None:
        taken = [each for each in self.rows.values() if each.takes]
        for host in SINGLE:
            here = [each for each in taken if overlap(each.host, host)]
            assert len(here) <= TOOLS, f"{len(here)} at {host}"
            assert len(here) == 1 or not any(each.exclusive for each in here), f"not alone at {host}"


STEP = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 11), st.sampled_from(HOSTS), st.booleans()),
    st.tuples(st.just("leave"), st.integers(0, 11)),
    st.tuples(st.just("turn"), st.sampled_from(HOSTS)),
    st.tuples(st.just("pass"), st.integers(0, 40)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=60))
def test_no_host_ever_bears_more_than_it_may_and_nobody_starves(steps) -> None:
    world = World()
    for kind, *values in steps:
        if kind == "ask":
            world.ask(values[0], values[1], exclusive=values[2])
        elif kind == "leave":
            world.leave(values[0])
        elif kind == "turn":
            world.turn(values[0])
        else:
            world.now += timedelta(seconds=values[0])
        world.check()
    for _ in range(13):  # each round, whoever has a place uses it and goes
        for host in HOSTS:
            world.turn(host)
        for each in [each for each in world.rows.values() if each.state is LeaseState.RESERVED]:
            world.ask(each.scan_id.int, each.host, exclusive=each.exclusive)
            world.check()
        for each in list(world.rows.values()):
            world.leave(each.scan_id.int)
    assert world.rows == {}, "somebody never had a turn"


def test_so_many_at_once_and_then_they_wait_in_order() -> None:
    assert refusal(queue(held(1)), lease(9), TOOLS) == ""
    assert "2 tools run on 192.0.2.1" in refusal(queue(held(1), held(2)), lease(9), TOOLS)
    assert "1 waiting for 192.0.2.1 before it" in refusal(queue(held(1), lease(2)), lease(9), TOOLS)
    (next_one,) = turns(queue(held(1), lease(5), lease(4)), TOOLS)
    assert next_one == lease(4)


def test_an_exclusive_tool_is_alone_and_is_not_overtaken() -> None:
    assert "needs 192.0.2.1 to itself, and 1 run there" in refusal(queue(held(1)), lease(9, exclusive=True), TOOLS)
    assert "tool-1 has 192.0.2.1 to itself" in refusal(queue(held(1, exclusive=True)), lease(9), TOOLS)
    waiting = lease(3, exclusive=True)
    assert refusal(queue(held(1), waiting), lease(9), TOOLS), "a newcomer would keep it waiting for ever"
    assert turns(queue(held(1), waiting, lease(4)), TOOLS) == ()
    assert turns(queue(waiting, lease(4)), TOOLS) == (waiting,)


def test_a_tool_on_a_network_counts_on_each_host_in_it() -> None:
    network, other = "192.0.2.0/24", "192.0.2.2"
    assert refusal(queue(held(1, network), held(2)), lease(9), TOOLS)
    assert refusal(queue(held(1, network), held(2, other)), lease(9), TOOLS) == "", "nobody else is on this host"
    whole = queue(held(1), held(2, other), host=network)
    assert refusal(whole, lease(9, network), TOOLS) == "", "each of its hosts bears one more"
    assert refusal(queue(held(1), held(2), held(3, other), host=network), lease(9, network), TOOLS)
    assert "to itself" in refusal(queue(held(3, other), host=network), lease(9, network, exclusive=True), TOOLS)


def test_what_nobody_renews_makes_room_unless_nobody_could() -> None:
    late = START + timedelta(minutes=10)
    full = (held(1), held(2))
    assert refusal(queue(*full, now=late), lease(9), TOOLS) == ""
    assert {each.scan_id.int for each in queue(*full, now=late).expired()} == {1, 2}
    away = replace(queue(*full, now=late), alive_from=late + timedelta(seconds=20))
    assert refusal(away, lease(9), TOOLS), "the database was away until a moment ago"


def test_a_scan_that_runs_twice_takes_its_own_place_again() -> None:
    full = queue(held(1), held(2), lease(3))
    assert refusal(full, lease(2), TOOLS) == ""
    reserved = lease(4, state=LeaseState.RESERVED, expires_at=START + LEASE)
    assert refusal(queue(held(1), reserved, lease(3)), lease(4), TOOLS) == ""


def test_nothing_starts_at_a_host_that_is_gone() -> None:
    breaker = Breaker(ONE, HOSTS[0], 80, ONE, ONE, ONE, START, START)
    gone = queue(held(2), lease(3), breaker=breaker)
    assert refusal(gone, lease(2), TOOLS) == "192.0.2.1 stopped answering on port 80 at 2026-01-01 00:00:00 UTC"
    assert turns(gone, TOOLS) == ()
    stalled = queue(lease(3, state=LeaseState.STALLED), host="192.0.2.0/24")
    assert refusal(stalled, lease(9, "192.0.2.0/24"), TOOLS) == "", "a network does not wait for one of its hosts"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.7/32", "192.0.2.7"),
        ("https://git.example.org/app.git", ""),
        ("/srv/app.git", ""),
        ("", ""),
    ],
)
def test_a_machine_has_one_name(address, place) -> None:
    assert place_of(address) == place


def test_a_host_lies_in_each_network_around_it() -> None:
    names = around("192.0.2.7")
    assert (names[0], len(names)) == ("192.0.2.7", 33)
    assert {"192.0.2.0/24", "192.0.2.6/31", "0.0.0.0/0"} <= set(names)
    assert len(around("2001:db8::1")) == 129


@given(st.integers(1, 500), st.integers(1, 20), st.lists(st.one_of(st.none(), st.integers(0, 900)), max_size=20))
def test_the_rates_of_all_tools_at_once_are_no_more_than_the_budget(budget, most, own) -> None:
    rules = GateRules(most=most, requests_per_second=budget)
    rates = [rules.rate(each, exclusive=False) for each in own[: rules.tools]]
    assert sum(rates) <= budget
    assert all(rate >= 1 and rate <= (limit or budget) for rate, limit in zip(rates, own, strict=False))
    assert rules.rate(None, exclusive=True) == budget


def test_without_a_budget_a_tool_keeps_its_own_rate() -> None:
    assert [GateRules().rate(each, exclusive=False) for each in (None, 0, 7)] == [None, 0, 7]


def test_probes_come_less_and_less_often() -> None:
    waits = [probe_after(n).total_seconds() for n in range(8)]
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
