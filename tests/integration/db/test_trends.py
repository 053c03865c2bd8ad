"""The book of trends, filled from events, beside what a query over everything says."""

import asyncio
import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Example
from hypothesis import strategies as some

from purple.contracts.campaigns import CampaignRef
from purple.db.engine import open_engine
from purple.db.outbox import SqlOutbox, libpq_url
from purple.domain.deadlines import Rule
from purple.domain.errors import InvalidInputError
from purple.domain.events import Event
from purple.domain.identity import Actor
from purple.domain.life import Wanted
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.domain.targets import Exposure
from purple.domain.tools import ScanState
from purple.domain.trends import Trend, month_number
from purple.domain.vulnerabilities import ChangeCause, Vulnerability, VulnerabilityState, may_change
from purple.services.analysis import Analysis
from purple.services.compliance.frameworks import Frameworks
from purple.services.correlating import Correlating
from purple.services.deadlines import Deadlines
from purple.services.lapses import Lapses
from purple.services.life import Life
from purple.services.targets import Targets
from purple.services.trending import FEED, MONTHS, Trending
from purple.services.trends import TrendsReader
from purple.services.units import Units
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import START, Clock, Tenant, make_tenant
from tests.integration.db.test_rulings import NoTools
from tests.support.running import wait_until

KEEP = 25
FIRST = 26
"""The first day of a history: it ends in the month after."""
DAYS = 9
S = VulnerabilityState
FLOWS = ("found", "reopened", "returned", "fixed", "dismissed")
SHORT = [Rule(each, 3) for each in Severity]
LONG = [Rule(each, 90) for each in Severity]


@dataclass
class Seen:
    """What a query over everything says at the end of a day."""

    open: Counter[str] = field(default_factory=Counter)
    ages: Counter[tuple[str, int]] = field(default_factory=Counter)
    past_due: int = 0


class House:
    """The services over one tenant with two targets, by a clock that is told the day."""

    def __init__(self, admin: psycopg.Connection[tuple[Any, ...]], tenant: Tenant, outbox: SqlOutbox) -> None:
        self.clock = Clock(FIRST)
        self.admin = admin
        self.tenant = tenant
        self.other = replace(tenant, target=replace(tenant.target, id=uuid4(), value="192.0.2.8", tags=("lab",)))
        self.work, self.id, self.outbox = tenant.work, tenant.id, outbox
        ids = TimeOrderedIds()
        self.actor = Actor(uuid4(), tenant.id, "ann")
        self.analysis = Analysis(self.work, self.clock)
        self.life = Life(self.work, self.clock, ids)
        self.lapses = Lapses(outbox, self.work, self.clock)
        self.deadlines = Deadlines(self.work, self.clock, ids)
        self.targets = Targets(self.work, Frameworks(), self.clock, ids)
        self.units = Units(self.work, self.clock, ids)
        self.trending = Trending(outbox, self.work, self.clock, KEEP)
        self.reader = TrendsReader(self.work, self.clock, KEEP)

    async def ready(self) -> "House":
        async with self.work(self.id) as uow:
            await uow.targets.add(self.other.target)
        self.fast = (await self.units.create(self.id, "fast")).id
        self.team = (await self.units.create(self.id, "team")).id
        await self.outbox.advance(MONTHS, month_number(self.today))  # time goes back from one test to the next
        return self

    @property
    def today(self) -> date:
        return self.clock.now().date()

    async def campaign(self, *ports: int, at: Tenant | None = None, **told: Any) -> UUID:
        """One that looked today, and is not analysed yet."""
        where = at or self.tenant
        campaign = await where.campaign(self.clock.day)
        scan = await where.scan(campaign, told.pop("state", ScanState.COMPLETE))
        await where.record(*(where.sight(scan, port, **told) for port in ports))
        return campaign.id

    async def analyse(self, campaign_id: UUID) -> None:
        await self.analysis.analyse(CampaignRef(organisation_id=self.id, campaign_id=campaign_id, round=1))

    async def looks(self, *ports: int, **told: Any) -> None:
        await self.analyse(await self.campaign(*ports, **told))

    async def all(self) -> tuple[Vulnerability, ...]:
        async with self.work(self.id) as uow:
            return (await uow.findings.vulnerabilities(Query(sort="port,id"))).items

    async def edit(self, one: Vulnerability, state: S, **more: Any) -> None:
        await self.life.edit(one.id, one.version, Wanted(state, why="looked at it", **more), self.actor)

    async def place(self, at: Tenant, unit_id: UUID | None) -> None:
        """Put a target into a unit."""
        target = await self.targets.get(self.id, at.target.id)
        await self.targets.edit(self.id, target.id, target.version, unit_id=unit_id)

    async def hang(self, unit_id: UUID, below: UUID | None) -> None:
        """Put a unit into another."""
        version = (await self.units.get(self.id, unit_id)).version
        await self.units.edit(self.id, unit_id, version, parent_id=below)

    async def keep(self) -> None:
        """A round of the relay."""
        while await self.outbox.place(1000):
            pass
        await self.trending.keep()

    async def trend(self, since: int, until: int | None = None, filter_: str = "") -> Trend:
        first, last = ((START + timedelta(each)).date() for each in (since, until or self.clock.day))
        return await self.reader.trend(self.id, first, last, filter_)

    def query(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        return self.admin.execute(statement, values).fetchall()

    def lines(self) -> list[tuple[Any, ...]]:
        return self.query("SELECT * FROM vulnerability_trends WHERE organisation_id = %s ORDER BY 1,2,3,4,5,6", self.id)

    def seen(self) -> Seen:
        """Over every vulnerability as it is now."""
        rows = self.query(
            "SELECT v.severity, coalesce(v.reopened_at, min(s.seen_at)), coalesce(v.due_at < %s, false)"
            " FROM vulnerabilities v JOIN sightings s ON s.vulnerability_id = v.id"
            " WHERE v.organisation_id = %s AND v.state IN ('open', 'reopened', 'triaged', 'confirmed') GROUP BY v.id",
            self.clock.now() + timedelta(1),
            self.id,
        )
        found = Seen()
        for severity, since, late in rows:
            found.open[severity] += 1
            found.ages[severity, (self.clock.now() - since).days] += 1
            found.past_due += late
        return found

    def changed(self, into: str, out_of: tuple[str, ...]) -> Counter[date]:
        """How many changes of state there were, by day."""
        return Counter(
            row[0]
            for row in self.query(
                "SELECT (at AT TIME ZONE 'UTC')::date FROM vulnerability_changes WHERE organisation_id = %s"
                " AND after ->> 'state' = ANY(%s) AND before ->> 'state' = ANY(%s)",
                self.id,
                into.split(),
                list(out_of),
            )
        )

    def days_to_fix(self) -> int:
        """Of all that were fixed, as often as they were."""
        ((days,),) = self.query(
            "SELECT coalesce(sum((f.at AT TIME ZONE 'UTC')::date - (coalesce("
            " (SELECT max(r.at) FROM vulnerability_changes r WHERE r.vulnerability_id = f.vulnerability_id"
            "  AND r.version < f.version AND r.before ->> 'state' = 'fixed'),"
            " (SELECT min(seen_at) FROM sightings s WHERE s.vulnerability_id = f.vulnerability_id)"
            ") AT TIME ZONE 'UTC')::date), 0) FROM vulnerability_changes f"
            " WHERE f.organisation_id = %s AND f.after ->> 'state' = 'fixed'",
            self.id,
        )
        return int(days)

    def found(self) -> Counter[date]:
        return Counter(
            row[0]
            for row in self.query(
                "SELECT (min(seen_at) AT TIME ZONE 'UTC')::date FROM sightings WHERE organisation_id = %s"
                " GROUP BY vulnerability_id",
                self.id,
            )
        )


@pytest.fixture(scope="module")
def above(quiet):
    """The superuser, to look at everything."""
    with psycopg.connect(libpq_url(quiet.admin_url), autocommit=True) as connection:
        yield connection


@pytest.fixture
async def house(quiet, above, quiet_tenant):
    relay = open_engine(quiet.relay_url)
    outbox = SqlOutbox(relay, quiet.relay_url)
    yield await House(above, quiet_tenant, outbox).ready()
    await outbox.close()
    await relay.dispose()


def shown(trend: Trend) -> list[tuple[int, ...]]:
    """Each day in short: open, found, reopened, returned, fixed, dismissed."""
    return [
        (sum(each.open.values()), each.found, each.reopened, each.returned, each.fixed, each.dismissed)
        for each in trend.days
    ]


async def test_each_day_is_told_and_a_day_without_lines_is_as_the_day_before(house) -> None:
    await house.looks(1, 2, 3)
    house.clock.day += 2
    await house.looks(1, 2)
    house.clock.day += 1
    await house.edit((await house.all())[0], S.FALSE_POSITIVE)
    await house.edit((await house.all())[1], S.CONFIRMED)
    house.clock.day += 3
    await house.looks(3, state=ScanState.PARTIAL)
    await house.edit((await house.all())[0], S.OPEN)
    house.clock.day += 2
    await house.looks(1, 2, at=house.other, severity=Severity.HIGH)
    await house.keep()
    trend = await house.trend(FIRST - 1)
    assert shown(trend) == [
        (0, 0, 0, 0, 0, 0),
        (3, 3, 0, 0, 0, 0),
        (3, 0, 0, 0, 0, 0),
        (2, 0, 0, 0, 1, 0),
        (1, 0, 0, 0, 0, 1),
        (1, 0, 0, 0, 0, 0),
        (1, 0, 0, 0, 0, 0),
        (3, 0, 1, 1, 0, 0),
        (3, 0, 0, 0, 0, 0),
        (5, 2, 0, 0, 0, 0),
    ]
    medium = trend.severities[2]
    assert (medium.open, medium.days_to_fix, medium.reopen_rate, medium.in_time) == (3, 2.0, 1.0, 1.0)
    assert medium.mean_age == (8 + 8 + 2) / 3
    assert {age.name: age.open[Severity.MEDIUM] for age in trend.ages if sum(age.open.values())} == {
        "0-6 days": 1,
        "7-29 days": 2,
    }
    assert trend.total.open == 5
    assert shown(await house.trend(FIRST + 7, filter_="tags:lab"))[-1] == (2, 2, 0, 0, 0, 0)
    assert shown(await house.trend(FIRST + 7, filter_=f"id:{house.tenant.target.id}"))[-1] == (3, 0, 0, 0, 0, 0)
    assert shown(await house.trend(FIRST + 3, FIRST + 4)) == shown(trend)[4:6]


async def test_what_a_person_joins_is_one_from_that_day_on_until_it_is_undone(house) -> None:
    await house.looks(1, 2, 3)
    await house.keep()
    correlating = Correlating(house.work, NoTools(), house.clock, TimeOrderedIds())  # type: ignore[arg-type]  # what it needs of one
    house.clock.day += 1
    one, two, _ = await house.all()
    await correlating.join(one.id, one.version, [two.id], "the same", house.actor)
    await house.keep()
    house.clock.day += 1
    (ruling,) = (await correlating.explain(house.id, one.id)).rulings
    await correlating.undo(ruling.id, "they are two", house.actor)
    await house.keep()
    assert [each for each, *_ in shown(await house.trend(FIRST))] == [3, 2, 3]
    assert house.seen().open == {Severity.MEDIUM: 3}


async def test_written_twice_or_anew_is_the_same(house) -> None:
    await house.looks(1, 2, 3)
    house.clock.day += 7  # another month
    await house.looks(1)
    await house.keep()
    before = house.lines()
    assert len(before) == 3, "found, what the month begins with, fixed"
    await house.outbox.advance(FEED, 1)
    await house.keep()
    assert house.lines() == before
    await house.trending.rebuild(house.id)
    assert house.lines() == before
    house.admin.execute("DELETE FROM vulnerability_trends WHERE organisation_id = %s", [house.id])
    await house.outbox.advance(FEED, 0)  # as after an upgrade
    await house.keep()
    assert house.lines() == before


async def test_what_is_learned_late_is_written_where_it_belongs(house) -> None:
    waits = await house.campaign(1, 2)
    house.clock.day += 2
    await house.looks(2, state=ScanState.PARTIAL)
    await house.keep()
    assert shown(await house.trend(FIRST)) == [(0, *[0] * 5), (0, *[0] * 5), (1, 1, *[0] * 4)]
    house.clock.day += 5
    await house.analyse(waits)
    await house.keep()
    assert [each[:2] for each in shown(await house.trend(FIRST))] == [(2, 2), *[(2, 0)] * 7]


async def test_a_due_date_that_moves_moves_no_day_that_is_over(house) -> None:
    await house.deadlines.set_rules(SHORT, house.actor)
    await house.looks(1, 2)
    house.clock.day += 3
    await house.keep()
    assert [each.past_due for each in (await house.trend(FIRST)).days] == [0, 0, 0, 2]
    house.clock.day += 1
    await house.deadlines.set_rules([], house.actor)
    await house.looks(1)
    await house.keep()
    trend = await house.trend(FIRST)
    assert [each.past_due for each in trend.days] == [0, 0, 0, 2, 0]
    assert trend.total.in_time == 1.0
    await house.deadlines.set_rules(SHORT, house.actor)
    await house.targets.edit(house.id, house.tenant.target.id, 1, exposure=Exposure.INTERNET)
    await house.keep()
    assert (await house.trend(FIRST)).total.past_due == 1


async def test_a_due_date_that_moves_with_a_unit_counts_from_that_day_on(house) -> None:
    """A vulnerability that is late in a unit is not elsewhere, whether its target is moved or its unit."""
    await house.deadlines.set_rules([*LONG, *(replace(each, unit_id=house.fast) for each in SHORT)], house.actor)
    await house.looks(1, 2)
    house.clock.day += 3
    told = []
    for move in (
        house.place(house.tenant, house.fast),
        house.place(house.tenant, house.team),
        house.hang(house.team, house.fast),
        house.hang(house.team, None),
    ):
        await move
        await house.keep()
        told.append((await house.trend(FIRST)).days[-1].past_due)
        assert told[-1] == house.seen().past_due
    assert told == [2, 0, 2, 0]
    house.clock.day += 1
    await house.hang(house.team, house.fast)
    await house.keep()
    assert [each.past_due for each in (await house.trend(FIRST)).days] == [0, 0, 0, 0, 2]


STATES = some.sampled_from([state for state in S if state not in {S.FIXED, S.DUPLICATE}])
LOOK = some.tuples(
    some.just("look"), some.sampled_from([False, False, True]), some.frozensets(some.integers(1, 3)),
    some.sampled_from([Severity.LOW, Severity.LOW, Severity.CRITICAL]),
    some.sampled_from([*[ScanState.COMPLETE] * 4, ScanState.PARTIAL]),
)  # fmt: skip
EDIT = some.tuples(some.just("edit"), some.integers(0, 7), STATES)
DUE = some.tuples(
    some.just("due"), some.integers(-9, 9), some.booleans(), some.sampled_from([None, "fast", "team"]), some.booleans()
)  # fmt: skip
OPERATIONS = some.one_of(LOOK, LOOK, LOOK, EDIT, EDIT, DUE)
HISTORIES = some.lists(
    some.tuples(some.lists(OPERATIONS, min_size=1, max_size=3), some.booleans()), min_size=5, max_size=DAYS
)


async def live(house: House, operation: tuple[Any, ...]) -> None:
    match operation:
        case ("look", there, ports, severity, state):
            at = house.other if there else house.tenant
            await house.looks(*ports, at=at, severity=severity, state=state)
        case ("edit", n, state) if known := await house.all():
            one = known[n % len(known)]
            if may_change(ChangeCause.PERSON, one.state, state):
                until = house.clock.now() + timedelta(days=2) if state is S.RISK_ACCEPTED else None
                await house.edit(one, state, accepted_until=until)
        case ("due", days, there, unit, below):
            await house.keep()  # as the relay does within seconds: what the dates were is not known afterwards
            if days > 0:
                rules = [(Rule(each, days), Rule(each, 1, unit_id=house.fast)) for each in Severity]
                await house.deadlines.set_rules([*itertools.chain(*rules)], house.actor)
            else:
                await house.place(house.other if there else house.tenant, getattr(house, unit) if unit else None)
                await house.hang(house.team, house.fast if below else None)


def differences(trend: Trend, days: dict[date, Seen], kept: set[date]) -> list[str]:
    """What was due on a day is known where the relay had its round before the day was over."""
    wrong = []
    for each in trend.days:
        seen = days[each.day]
        told = {str(name): number for name, number in each.open.items() if number}
        wrong += [f"{each.day} open: {told} not {dict(seen.open)}"] if told != dict(seen.open) else []
        late = each.day in kept and each.past_due != seen.past_due
        wrong += [f"{each.day} past due: {each.past_due} not {seen.past_due}"] if late else []
    return wrong


def flows(house: House, trend: Trend) -> list[str]:
    present, dismissed = "open reopened triaged confirmed", "false_positive risk_accepted out_of_scope"
    truth = {
        "found": house.found(),
        "reopened": house.changed("reopened", ("fixed",)),
        "fixed": house.changed("fixed", tuple(present.split())),
        "dismissed": house.changed(dismissed, tuple(present.split())),
        "returned": house.changed(present, tuple(dismissed.split())),
    }
    took = (trend.total.days_to_fix or 0) * trend.total.fixed
    wrong = [f"{took} days to fix, not {house.days_to_fix()}"] if round(took) != house.days_to_fix() else []
    return wrong + [
        f"{each.day} {name}: {getattr(each, name)} not {many[each.day]}"
        for each in trend.days
        for name, many in truth.items()
        if getattr(each, name) != many[each.day]
    ]


def ages(trend: Trend, seen: Seen) -> list[str]:
    below = {"0-6 days": (0, 7), "7-29 days": (7, 30)}
    old = sum(age * many for (_, age), many in seen.ages.items())
    told = (trend.total.mean_age or 0) * trend.total.open
    return ([] if round(told) == old else [f"{told} days old, not {old}"]) + [
        f"{age.name} {severity}: {number}"
        for age in trend.ages
        for severity, number in age.open.items()
        if number
        != sum(
            many
            for (name, days), many in seen.ages.items()
            if name == severity and days in range(*below.get(age.name, (30, 30)))
        )
    ]


@pytest.mark.timeout(120)
def test_what_is_told_of_any_history_is_what_a_query_over_everything_says(quiet, above) -> None:
    async def wrong(history: list[tuple[list[tuple[Any, ...]], bool]]) -> list[str]:
        house = await House(above, await make_tenant(app), outbox).ready()
        days: dict[date, Seen] = {}
        kept: set[date] = set()
        for operations, ends in history:
            await house.lapses.end(house.id, house.clock.now())
            for each in operations:
                await live(house, each)
            days[house.today] = house.seen()
            if ends:
                await house.keep()
                kept.add(house.today)
            house.clock.day += 1
        house.clock.day -= 1
        await house.keep()
        trend = await house.trend(FIRST)
        happened.update({name: sum(getattr(each, name) for each in trend.days) for name in FLOWS})
        found = differences(trend, days, kept)
        return found + flows(house, trend) + ages(trend, days[house.today])

    @settings(
        max_examples=20,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Example.generate,),  # as it is: making it small takes minutes on real servers
        suppress_health_check=list(HealthCheck),
    )
    @given(history=HISTORIES)
    def holds(history: list[tuple[list[tuple[Any, ...]], bool]]) -> None:
        assert loop.run(wrong(history)) == []

    app, relay = open_engine(quiet.database_url, pool_size=2, units=True), open_engine(quiet.relay_url, pool_size=1)
    outbox = SqlOutbox(relay, quiet.relay_url)
    with asyncio.Runner() as loop:
        happened: Counter[str] = Counter()
        holds()
        assert min(happened[name] for name in FLOWS) >= 5, happened
        loop.run(app.dispose())
        loop.run(relay.dispose())


def test_of_two_that_make_a_month_at_once_the_second_goes_on(quiet) -> None:
    make = "SELECT purple_make_month('2127-05-01')"
    url = libpq_url(quiet.owner_url)
    with psycopg.connect(url) as first, psycopg.connect(url) as second, ThreadPoolExecutor(1) as beside:
        first.execute(make)
        pid = second.info.backend_pid
        waiting = beside.submit(second.execute, make)
        waits = "SELECT wait_event = 'advisory' FROM pg_stat_activity WHERE pid = %s"
        with psycopg.connect(libpq_url(quiet.admin_url), autocommit=True) as admin:
            wait_until(lambda: admin.execute(waits, (pid,)).fetchone() == (True,), 20, "the second waits")
        first.commit()
        waiting.result(20)


async def test_months_are_made_ahead_kept_apart_and_dropped(house, quiet) -> None:
    def partitions() -> dict[str, bool]:
        rows = house.query(
            "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class"
            " WHERE relnamespace = 'partitions'::regnamespace AND relkind = 'r'"
        )
        return dict(rows)

    await house.looks(1)
    await house.keep()
    made = partitions()
    assert {f"{table}_2126_0{n}" for table in ("scan_metrics", "vulnerability_trends") for n in (1, 2, 3)} <= set(made)
    assert all(made.values())
    with psycopg.connect(libpq_url(quiet.database_url), autocommit=True) as application:
        for name in made:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute(f"SELECT 1 FROM partitions.{name}")  # noqa: S608 - our own table names
        assert application.execute("SELECT count(*) FROM vulnerability_trends").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("SELECT purple_keep_months('2126-01-01', '2126-01-01')")
    assert [row[2].month for row in house.lines()] == [1]
    house.clock.day += 40  # in March
    await Trending(house.outbox, house.work, house.clock, 2).keep()
    carried = [(row[2], row[6], row[7]) for row in house.lines()]
    assert carried == [(date(2126, 2, 1), 1, 0), (date(2126, 3, 1), 1, 0)], "of January what is left is known"
    assert not [name for name in partitions() if name.endswith("2126_01")]


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        (None, date(2127, 1, 1), "until"),
        (date(2126, 1, 9), date(2126, 1, 8), "since"),
        (date(2120, 1, 9), date(2126, 1, 8), "since"),
        (None, date(1, 1, 1), "until"),
    ],
)
async def test_a_period_that_is_none_is_refused(house, since, until, field) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await house.reader.trend(house.id, since, until)
    assert refused.value.field == field


async def test_a_backlog_is_written_in_one_round_and_what_is_still_coming_in_the_next(house, monkeypatch) -> None:
    """A target is not written anew for each few of the events that are placed meanwhile."""
    monkeypatch.setattr("purple.services.trending.BATCH", 2)
    read = house.outbox.after
    rounds: list[int] = []

    async def after(position: int, limit: int) -> tuple[Event, ...]:
        found = await read(position, limit)
        rounds.append(len(found))
        return found

    await house.keep()  # what is there already
    monkeypatch.setattr(house.outbox, "after", after)
    await house.looks(1, 2, 3, 4, 5, 6)
    await house.keep()
    assert rounds == [2] * (len(rounds) - 1) + [1]
    assert len(rounds) > 3
    assert sum((await house.trend(FIRST)).days[-1].open.values()) == 6
