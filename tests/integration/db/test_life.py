"""Changes of vulnerabilities on a real PostgreSQL: who, when, why; many at once, and back; what time ends."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from purple.contracts.campaigns import CampaignRef
from purple.db.engine import open_engine
from purple.db.outbox import SqlOutbox, libpq_url
from purple.domain.deadlines import Rule
from purple.domain.errors import ConflictError, InvalidInputError, NotFoundError, PreconditionFailedError
from purple.domain.identity import Actor, User
from purple.domain.life import Change, Chosen, Wanted
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.domain.targets import Criticality, Exposure
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import ChangeCause, Vulnerability, VulnerabilityState
from purple.services import mass_triage
from purple.services.analysis import Analysis
from purple.services.compliance.frameworks import Frameworks
from purple.services.deadlines import Deadlines
from purple.services.events import event as make_event
from purple.services.lapses import Lapses
from purple.services.life import Life
from purple.services.mass_triage import MassTriage
from purple.services.targets import Targets
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import START, Clock, Tenant

S = VulnerabilityState
EVERY = Chosen(query=Query())


class House:
    """The services over one tenant with three open flaws."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.clock = Clock(10)
        self.life = Life(tenant.work, self.clock, TimeOrderedIds())
        self.many = MassTriage(tenant.work, self.clock, TimeOrderedIds())
        self.ann = Actor(uuid4(), tenant.id, "ann")
        self.bob = Actor(uuid4(), tenant.id, "bob")

    async def campaign(self, day: int, *ports: int, state: ScanState = ScanState.COMPLETE, **told: object) -> UUID:
        campaign = await self.tenant.campaign(day)
        scan = await self.tenant.scan(campaign, state)
        await self.tenant.record(*(self.tenant.sight(scan, port, **told) for port in ports))
        ref = CampaignRef(organisation_id=self.tenant.id, campaign_id=campaign.id, round=1)
        await Analysis(self.tenant.work, self.clock).analyse(ref)
        return campaign.id

    async def all(self) -> tuple[Vulnerability, ...]:
        async with self.tenant.work(self.tenant.id) as uow:
            return (await uow.findings.vulnerabilities(Query(sort="port"))).items

    async def history(self, one: Vulnerability) -> tuple[Change, ...]:
        return (await self.life.history(self.tenant.id, one.id, Query())).items

    async def states(self) -> list[S]:
        return [each.state for each in await self.all()]

    async def event_types(self) -> list[str]:
        async with self.tenant.work(self.tenant.id) as uow:
            return [each.type for each in await uow.events.after(0, 1000)]


@pytest.fixture
async def house(tenant) -> House:
    made = House(tenant)
    async with tenant.work(tenant.id) as uow:
        await uow.users.add(User(made.ann.user_id, tenant.id, "ann", frozenset(), START))
    await made.campaign(1, 1, 2, 3)
    return made


async def test_a_change_says_who_when_and_why(house) -> None:
    one = (await house.all())[0]
    until = house.clock.now() + timedelta(days=5)
    wanted = Wanted(S.RISK_ACCEPTED, until, owner="ann", why="  behind a\nfirewall ")
    after = await house.life.edit(one.id, one.version, wanted, house.ann)
    assert (after.state, after.accepted_until, after.owner, after.version) == (S.RISK_ACCEPTED, until, "ann", 2)
    (change,) = await house.history(one)
    assert (change.actor, change.why, change.at, change.cause, change.version) == (
        "ann",
        "behind a firewall",
        house.clock.now(),
        ChangeCause.PERSON,
        2,
    )
    assert change.before == {"state": "open", "owner": ""}
    assert change.after["accepted_from"] == "open"


async def test_of_two_at_once_one_is_told_to_look_again(house) -> None:
    one = (await house.all())[0]
    edits = [
        house.life.edit(one.id, one.version, Wanted(state, why="sure"), who)
        for state, who in ((S.CONFIRMED, house.ann), (S.FALSE_POSITIVE, house.bob))
    ]
    done = await asyncio.gather(*edits, return_exceptions=True)
    assert sorted(type(each) for each in done if isinstance(each, Exception)) == [PreconditionFailedError]
    assert len(await house.history(one)) == 1


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted(), "state"),
        (Wanted(S.CONFIRMED), "why"),
        (Wanted(S.CONFIRMED, why=" \n"), "why"),
        (Wanted(S.CONFIRMED, why="x" * 2001), "why"),
        (Wanted(S.RISK_ACCEPTED, why="x"), "accepted_until"),
        (Wanted(S.RISK_ACCEPTED, START, why="x"), "accepted_until"),
        (Wanted(S.RISK_ACCEPTED, datetime(2100, 1, 1), why="x"), "accepted_until"),  # noqa: DTZ001 - what is refused
        (Wanted(S.CONFIRMED, START + timedelta(days=99), why="x"), "accepted_until"),
        (Wanted(owner="nobody"), "owner"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(house, wanted, field) -> None:
    one = (await house.all())[0]
    with pytest.raises(InvalidInputError) as refused:
        await house.life.edit(one.id, one.version, wanted, house.ann)
    assert refused.value.field == field
    assert (await house.all())[0] == one
    assert await house.history(one) == ()


async def test_fixed_is_earned_and_never_typed_in(house) -> None:
    one = (await house.all())[0]
    with pytest.raises(ConflictError):
        await house.life.edit(one.id, one.version, Wanted(S.FIXED, why="I believe so"), house.ann)


async def test_nobody_edits_what_another_organisation_has(house, other) -> None:
    one = (await house.all())[0]
    stranger = Actor(uuid4(), other.id, "eve")
    with pytest.raises(NotFoundError):
        await house.life.edit(one.id, one.version, Wanted(S.CONFIRMED, why="x"), stranger)
    with pytest.raises(NotFoundError):
        await house.life.comment(one.id, "hello", stranger)
    assert (await house.many.preview(Chosen((one.id,)), Wanted(S.CONFIRMED, why="x"), stranger)).changed == 0


async def test_what_a_scan_changes_is_in_the_history_too(house) -> None:
    clean = await house.campaign(2, 2, 3)
    worse = await house.campaign(3, 1, 2, severity=Severity.CRITICAL)
    first, second, _ = await house.all()
    told = [
        (each.cause, each.campaign_id, each.before, each.after, bool(each.why)) for each in await house.history(first)
    ]
    assert told == [
        (ChangeCause.SCAN, worse, {"state": "fixed"}, {"state": "reopened"}, True),
        (ChangeCause.SCAN, worse, {"severity": "medium"}, {"severity": "critical"}, True),
        (ChangeCause.SCAN, clean, {"state": "open"}, {"state": "fixed"}, True),
    ]
    assert first.reopened_at == house.clock.now()
    assert (first.version, second.version) == (4, 2)


async def test_the_same_again_writes_no_change_and_no_row(house, admin) -> None:
    def rows() -> list[tuple[object, ...]]:
        wanted = "SELECT id, ctid::text, xmin::text FROM vulnerabilities WHERE organisation_id = %s ORDER BY id"
        return admin.execute(wanted, [house.tenant.id]).fetchall()

    before = rows()
    await house.campaign(2, 1, 2, 3)
    assert rows() == before
    assert [await house.history(each) for each in await house.all()] == [(), (), ()]


async def test_many_are_looked_at_changed_and_put_back_but_for_those_changed_since(house) -> None:
    first, second, third = await house.all()
    await house.life.edit(first.id, first.version, Wanted(S.CONFIRMED, why="seen"), house.bob)
    wanted = Wanted(S.FALSE_POSITIVE, why="all a scanner's noise")
    seen = await house.many.preview(EVERY, wanted, house.ann)
    assert (seen.operation_id, seen.changed, seen.changes) == (None, 3, {"confirmed": 1, "open": 2})
    assert await house.states() == [S.CONFIRMED, S.OPEN, S.OPEN]
    done = await house.many.apply(EVERY, wanted, house.ann)
    assert await house.states() == [S.FALSE_POSITIVE] * 3
    await house.life.edit(second.id, 2, Wanted(S.OPEN, why="no, it is real"), house.bob)
    back = await house.many.undo(done.operation_id, house.ann)
    assert [each.id for each in back.left] == [second.id]
    assert sorted(each.id for each in back.restored) == sorted([first.id, third.id])
    assert await house.states() == [S.CONFIRMED, S.OPEN, S.OPEN]
    assert [each.cause for each in await house.history(third)] == [ChangeCause.UNDO, ChangeCause.PERSON]
    with pytest.raises(ConflictError, match="undone by ann"):
        await house.many.undo(done.operation_id, house.ann)


async def test_an_undo_gives_back_an_accepted_time_and_an_owner_and_never_fixes(house) -> None:
    first, _, _ = await house.all()
    until = house.clock.now() + timedelta(days=9)
    await house.life.edit(first.id, first.version, Wanted(S.RISK_ACCEPTED, until, "ann", why="ok"), house.bob)
    done = await house.many.apply(Chosen((first.id,)), Wanted(S.OPEN, owner="", why="again"), house.ann)
    await house.many.undo(done.operation_id, house.ann)
    back = (await house.all())[0]
    assert (back.state, back.accepted_until, back.owner) == (S.RISK_ACCEPTED, until, "ann")
    await house.campaign(2, 1)  # 2 and 3 are fixed
    done = await house.many.apply(Chosen(query=Query(filter="state:fixed")), Wanted(S.REOPENED, why="not"), house.ann)
    assert done.changed == 2
    assert len((await house.many.undo(done.operation_id, house.ann)).left) == 2
    assert await house.states() == [S.RISK_ACCEPTED, S.REOPENED, S.REOPENED]


async def test_many_get_a_due_date_and_an_undo_gives_back_what_they_had(house) -> None:
    first, second, _ = await house.all()
    mine, theirs = (house.clock.now() + timedelta(days=days) for days in (3, 9))
    await house.life.edit(first.id, first.version, Wanted(sets_due=True, due_at=mine), house.bob)
    done = await house.many.apply(EVERY, Wanted(sets_due=True, due_at=theirs, why="before the audit"), house.ann)
    assert {(each.due_at, each.due_by_hand) for each in await house.all()} == {(theirs, True)}
    await house.many.undo(done.operation_id, house.ann)
    back = [(each.due_at, each.due_by_hand) for each in await house.all()]
    assert back == [(mine, True), (second.due_at, False), (second.due_at, False)]
    given = await house.many.apply(Chosen((first.id,)), Wanted(sets_due=True, why="the policy's"), house.ann)
    assert given.changed == 1
    assert ((await house.all())[0].due_at, (await house.all())[0].due_by_hand) == (second.due_at, False)


async def test_what_a_triage_leaves_alone_is_named_with_the_reason(house) -> None:
    first, _, _ = await house.all()
    await house.life.edit(first.id, first.version, Wanted(S.OUT_OF_SCOPE, why="not ours"), house.bob)
    done = await house.many.apply(EVERY, Wanted(S.TRIAGED, why="looked at"), house.ann)
    (refused,) = done.refused
    assert (refused["state"], refused["ids"]) == ("out_of_scope", [str(first.id)])
    assert "cannot become triaged" in refused["why"]
    assert await house.states() == [S.OUT_OF_SCOPE, S.TRIAGED, S.TRIAGED]


async def test_a_key_does_a_thing_once(house) -> None:
    wanted = Wanted(S.TRIAGED, why="looked at")
    done = await house.many.apply(EVERY, wanted, house.ann, "key-1")
    assert await house.many.apply(EVERY, wanted, house.ann, "key-1") == done
    with pytest.raises(ConflictError):
        await house.many.apply(EVERY, Wanted(S.CONFIRMED, why="other"), house.ann, "key-1")
    assert [len(await house.history(each)) for each in await house.all()] == [1, 1, 1]


async def test_too_many_at_once_are_refused(house, monkeypatch) -> None:
    monkeypatch.setattr(mass_triage, "MAX_AT_ONCE", 2)
    with pytest.raises(InvalidInputError, match="more than 2"):
        await house.many.apply(EVERY, Wanted(S.TRIAGED, why="x"), house.ann)
    with pytest.raises(InvalidInputError, match="nothing is chosen"):
        await house.many.apply(Chosen(), Wanted(S.TRIAGED, why="x"), house.ann)
    assert await house.states() == [S.OPEN] * 3


async def test_an_accepted_risk_is_again_what_it_was_when_its_time_is_over(house, servers) -> None:
    first, second, _ = await house.all()
    until = house.clock.now() + timedelta(days=5)
    await house.life.edit(first.id, first.version, Wanted(S.CONFIRMED, why="real"), house.ann)
    for one, version in ((first, 2), (second, 1)):
        await house.life.edit(one.id, version, Wanted(S.RISK_ACCEPTED, until, why="later"), house.ann)
    await house.campaign(2, 3)  # sees neither of the two: their verdict stands
    assert (await house.states())[:2] == [S.RISK_ACCEPTED] * 2
    relay = open_engine(servers.relay_url)
    outbox = SqlOutbox(relay, servers.relay_url)
    house.clock.day += 4
    assert house.tenant.id not in await outbox.lapsed(house.clock.now())
    house.clock.day += 1
    assert house.tenant.id in await outbox.lapsed(house.clock.now())
    await Lapses(outbox, house.tenant.work, house.clock).end(house.tenant.id, house.clock.now())  # others are not ours
    await relay.dispose()
    first, second, _ = await house.all()
    assert (first.state, second.state, first.accepted_until) == (S.CONFIRMED, S.OPEN, None)
    change = (await house.history(first))[0]
    assert (change.cause, change.actor, change.why) == (ChangeCause.CLOCK, "", "the accepted time is over")


async def test_an_accepted_risk_gets_another_day_and_is_what_it_was_after_that(house, servers) -> None:
    one = (await house.all())[0]
    soon, later, latest = (house.clock.now() + timedelta(days=days) for days in (5, 9, 12))
    await house.life.edit(one.id, 1, Wanted(S.CONFIRMED, why="real"), house.ann)
    await house.life.edit(one.id, 2, Wanted(S.RISK_ACCEPTED, soon, why="later"), house.ann)
    again = await house.life.edit(one.id, 3, Wanted(S.RISK_ACCEPTED, later, why="not yet mended"), house.bob)
    assert (again.state, again.accepted_until, again.version) == (S.RISK_ACCEPTED, later, 4)
    change = (await house.history(one))[0]
    assert (change.actor, change.why, change.before["accepted_from"]) == ("bob", "not yet mended", "confirmed")
    done = await house.many.apply(Chosen((one.id,)), Wanted(S.RISK_ACCEPTED, latest, why="all of these"), house.ann)
    assert done.changes == {"risk_accepted": 1}
    await house.many.undo(done.operation_id, house.ann)
    assert (await house.all())[0].accepted_until == later
    with pytest.raises(InvalidInputError, match="in the future"):
        await house.life.edit(one.id, 6, Wanted(S.RISK_ACCEPTED, START, why="x"), house.ann)
    relay = open_engine(servers.relay_url)
    lapses = Lapses(SqlOutbox(relay, servers.relay_url), house.tenant.work, house.clock)
    for days, state in ((6, S.RISK_ACCEPTED), (4, S.CONFIRMED)):
        house.clock.day += days
        await lapses.end(house.tenant.id, house.clock.now())
        assert (await house.all())[0].state is state
    await relay.dispose()


async def test_comments_stay_as_they_were_said(house) -> None:
    one = (await house.all())[0]
    for words in ("<script>alert(1)</script>", "second"):
        await house.life.comment(one.id, words, house.ann)
    page = await house.life.comments(house.tenant.id, one.id, Query())
    assert [(each.author, each.body) for each in page.items] == [
        ("ann", "<script>alert(1)</script>"),
        ("ann", "second"),
    ]
    assert await house.history(one) == ()
    with pytest.raises(InvalidInputError):
        await house.life.comment(one.id, " ", house.ann)


async def test_history_and_comments_are_append_only_for_the_application(servers) -> None:
    for table in ("vulnerability_changes", "vulnerability_comments"):
        with (
            psycopg.connect(libpq_url(servers.database_url)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"UPDATE {table} SET organisation_id = organisation_id")  # noqa: S608 - our own table names


async def test_a_change_of_a_targets_criticality_moves_the_risk_of_what_it_has(house) -> None:
    tenant = house.tenant
    before = [each.risk for each in await house.all()]
    targets = Targets(tenant.work, Frameworks(), house.clock, TimeOrderedIds())
    await targets.edit(tenant.id, tenant.target.id, 1, criticality=Criticality.CRITICAL)
    after = await house.all()
    assert [each.risk - known for each, known in zip(after, before, strict=True)] == [15 - 8] * len(before)
    assert all("critical asset (+15)" in each.risk_reasons for each in after)


async def test_a_due_date_follows_the_rules_and_a_breach_is_told_once(house, servers) -> None:
    tenant, seen = house.tenant, START + timedelta(days=1)
    deadlines = Deadlines(tenant.work, house.clock, TimeOrderedIds())
    targets = Targets(tenant.work, Frameworks(), house.clock, TimeOrderedIds())
    for port, severity in ((4, Severity.CRITICAL), (5, Severity.INFO)):
        await house.campaign(2, port, severity=severity, state=ScanState.PARTIAL)

    async def due() -> list[datetime | None]:
        return [each.due_at for each in await house.all()]

    medium = seen + timedelta(days=90)
    assert await due() == [medium, medium, medium, START + timedelta(days=16), None]
    await targets.edit(tenant.id, tenant.target.id, 1, exposure=Exposure.INTERNET)
    assert (await due())[3] == START + timedelta(days=9)
    wanted = [Rule(Severity.MEDIUM, 40), Rule(Severity.MEDIUM, 20, Exposure.INTERNET)]
    assert await deadlines.set_rules(wanted, house.ann) == tuple(wanted)
    short = seen + timedelta(days=20)
    assert await due() == [short, short, short, None, None]
    first, second, third, *_ = await house.all()
    later = START + timedelta(days=60)
    by_hand = await house.life.edit(first.id, 1, Wanted(sets_due=True, due_at=later), house.ann)
    assert (by_hand.due_at, by_hand.due_by_hand) == (later, True)
    await house.life.edit(second.id, 1, Wanted(S.FALSE_POSITIVE, why="noise"), house.ann)
    relay = open_engine(servers.relay_url)
    outbox = SqlOutbox(relay, servers.relay_url)
    lapses = Lapses(outbox, tenant.work, house.clock)

    async def told() -> list[UUID]:
        for _ in range(2):
            await lapses.end(tenant.id, house.clock.now())
        async with tenant.work(tenant.id) as uow:
            mine = [event("vulnerability.overdue", each.id) for each in await house.all()]
            return [each.subject_id for each in await uow.events.written([one for ids in mine for one in ids])]

    def event(kind: str, one: UUID) -> list[UUID]:
        return [make_event(tenant.id, kind, one, START, occasion=each.isoformat()).id for each in (short, later)]

    house.clock.day = 20
    assert await told() == []
    house.clock.day = 21
    assert tenant.id in await outbox.lapsed(house.clock.now())
    assert await told() == [third.id]
    house.clock.day = 61
    assert sorted(await told()) == sorted([first.id, third.id])
    back = await house.life.edit(first.id, 2, Wanted(sets_due=True), house.ann)
    assert (back.due_at, back.due_by_hand) == (short, False)
    await deadlines.set_rules([], house.ann)
    assert (await due())[0] == medium
    await relay.dispose()


async def test_rules_that_contradict_each_other_are_refused(house) -> None:
    deadlines = Deadlines(house.tenant.work, house.clock, TimeOrderedIds())
    for rules in ([Rule(Severity.LOW, 0)], [Rule(Severity.LOW, 1), Rule(Severity.LOW, 2)]):
        with pytest.raises(InvalidInputError):
            await deadlines.set_rules(rules, house.ann)
    assert len(await deadlines.rules(house.tenant.id)) == 6
