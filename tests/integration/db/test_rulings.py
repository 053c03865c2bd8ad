"""What people say of which sightings are one flaw, on a real PostgreSQL: it stands in later scans, and goes back."""

import importlib.util
import random
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import create_engine

from purple.contracts.campaigns import CampaignRef
from purple.db import migrations
from purple.db.outbox import libpq_url
from purple.domain.errors import ConflictError, InvalidInputError, NotFoundError, PreconditionFailedError
from purple.domain.fingerprints import fingerprint
from purple.domain.identity import Actor
from purple.domain.life import Wanted
from purple.domain.observations import FlawClass, Location
from purple.domain.pages import Query
from purple.domain.rulings import Ruling, leads, reach
from purple.domain.severity import Severity
from purple.domain.targets import Criticality, Target, TargetKind
from purple.domain.tools import ToolSpec
from purple.domain.vulnerabilities import Vulnerability, VulnerabilityState
from purple.services.analysis import Analysis
from purple.services.correlating import Correlating
from purple.services.life import Life
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import START, Clock, Tenant, make_tenant
from tests.integration.db.test_same_end import TEN, bring, end_state

S = VulnerabilityState


class NoTools:
    """A catalogue in which no tool tells flaws apart by facts of its own."""

    def names(self) -> tuple[str, ...]:
        return ()

    def spec(self, name: str) -> ToolSpec:
        raise AssertionError(name)


def migration(number: str) -> Any:
    path = next((Path(migrations.__file__).parent / "versions").glob(f"{number}_*.py"))
    spec = importlib.util.spec_from_file_location(f"migration_{number}", path)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@dataclass
class House:
    tenant: Tenant

    def __post_init__(self) -> None:
        self.clock = Clock(10)
        self.life = Life(self.tenant.work, self.clock, TimeOrderedIds())
        self.correlating = Correlating(self.tenant.work, NoTools(), self.clock, TimeOrderedIds())  # type: ignore[arg-type]  # what it needs of one
        self.ann = Actor(uuid4(), self.tenant.id, "ann")

    async def seen(self, day: int, **tools: dict[int, Severity]) -> None:
        """A campaign of these tools, each of which saw the flaw on some ports."""
        campaign = await self.tenant.campaign(day)
        for tool, ports in tools.items():
            scan = await self.tenant.scan(campaign, tool=tool, key=tool)
            rows = [
                self.tenant.sight(scan, port, rule=f"{tool}:rule", title=f"As {tool} says", severity=severity)
                for port, severity in ports.items()
            ]
            await self.tenant.record(*rows)
        ref = CampaignRef(organisation_id=self.tenant.id, campaign_id=campaign.id, round=1)
        await Analysis(self.tenant.work, self.clock).analyse(ref)

    async def all(self) -> list[Vulnerability]:
        async with self.tenant.work(self.tenant.id) as uow:
            return list((await uow.findings.vulnerabilities(Query(sort="port"))).items)

    async def get(self, one: Vulnerability) -> Vulnerability:
        async with self.tenant.work(self.tenant.id) as uow:
            return await uow.findings.vulnerability(one.id)

    async def split(self, one: Vulnerability, tool: str) -> Vulnerability:
        version = (await self.get(one)).version
        return await self.correlating.split(one.id, version, tool, f"{tool}:rule", "not the same", self.ann)

    async def join(self, one: Vulnerability, *others: Vulnerability) -> Vulnerability:
        version = (await self.get(one)).version
        return await self.correlating.join(one.id, version, [each.id for each in others], "the same", self.ann)

    async def rulings(self, one: Vulnerability) -> tuple[Ruling, ...]:
        return (await self.correlating.explain(self.tenant.id, one.id)).rulings


@pytest.fixture
async def house(tenant) -> House:
    made = House(tenant)
    await made.seen(1, alpha={80: Severity.HIGH, 443: Severity.LOW}, beta={80: Severity.LOW})
    return made


async def test_a_merge_explains_itself(house) -> None:
    one = (await house.all())[0]
    found = await house.correlating.explain(house.tenant.id, one.id)
    assert dict(found.parts) == {"weakness": "tls-cipher-weak", "port": "80"}
    told = [(each.tool, each.rule, each.title, each.severity, each.observations) for each in found.witnesses]
    assert told == [
        ("alpha", "alpha:rule", "As alpha says", Severity.HIGH, 1),
        ("beta", "beta:rule", "As beta says", Severity.LOW, 1),
    ]
    assert (found.rulings, found.duplicate_of) == ((), None)


async def test_what_is_split_off_is_apart_for_good_with_words_and_severity_of_its_own(house) -> None:
    one = (await house.all())[0]
    made = await house.split(one, "alpha")
    rest = await house.get(one)
    assert (made.title, made.severity, made.tools, made.state) == ("As alpha says", Severity.HIGH, ("alpha",), S.OPEN)
    assert (rest.title, rest.severity, rest.tools) == ("As beta says", Severity.LOW, ("beta",))
    assert made.risk > rest.risk > 0
    await house.seen(2, alpha={80: Severity.HIGH}, beta={80: Severity.LOW})
    assert [(await house.get(each)).tools for each in (made, rest)] == [("alpha",), ("beta",)]
    await house.seen(3, alpha={}, beta={80: Severity.LOW})
    assert [(await house.get(each)).state for each in (made, rest)] == [S.FIXED, S.OPEN], "each closes by its own"


async def test_what_is_joined_is_a_duplicate_for_good_and_keeps_what_people_said(house, servers) -> None:
    one, other = await house.all()
    await house.life.edit(other.id, other.version, Wanted(S.CONFIRMED, why="sure"), house.ann)
    kept = await house.join(one, other)
    gone = await house.get(other)
    assert (gone.state, gone.tools, kept.tools) == (S.DUPLICATE, (), ("alpha", "beta"))
    explained = await house.correlating.explain(house.tenant.id, other.id)
    assert explained.duplicate_of == one.id
    await house.seen(2, alpha={80: Severity.HIGH, 443: Severity.CRITICAL}, beta={})
    known = [await house.get(each) for each in (one, other)]
    assert [(each.state, each.severity) for each in known] == [(S.OPEN, Severity.CRITICAL), (S.DUPLICATE, Severity.LOW)]
    assert dict((await house.correlating.explain(house.tenant.id, one.id)).parts)["port"] == "80"
    await house.correlating.undo((await house.rulings(other))[0].id, "they are two", house.ann)
    known = [await house.get(each) for each in (one, other)]
    assert [(each.state, each.severity) for each in known] == [
        (S.OPEN, Severity.HIGH),
        (S.CONFIRMED, Severity.CRITICAL),
    ]
    states = [
        (change.cause, change.before["state"], change.after["state"])
        for change in (await house.life.history(house.tenant.id, other.id, Query())).items
        if "state" in change.after
    ]
    assert states == [
        ("ruling", "duplicate", "confirmed"),
        ("ruling", "confirmed", "duplicate"),
        ("person", "open", "confirmed"),
    ]
    with psycopg.connect(libpq_url(servers.admin_url)) as admin:
        told = admin.execute("SELECT type FROM events WHERE organisation_id = %s", (house.tenant.id,)).fetchall()
    assert Counter(kind for (kind,) in told)["vulnerability.joined"] == 4, "of both, when joined and when undone"


async def test_a_joined_flaw_is_closed_only_when_every_tool_has_looked(house) -> None:
    one, other = await house.all()
    await house.join(one, other)
    await house.seen(2, beta={})
    assert (await house.get(one)).state is S.OPEN
    await house.seen(3, alpha={}, beta={})
    assert [(await house.get(each)).state for each in (one, other)] == [S.FIXED, S.DUPLICATE]


async def test_one_that_was_split_off_and_given_back_says_where_its_sightings_are(house) -> None:
    one = (await house.all())[0]
    made = await house.split(one, "beta")
    await house.correlating.undo((await house.rulings(made))[0].id, "it is one after all", house.ann)
    assert (await house.get(one)).tools == ("alpha", "beta")
    assert (await house.get(made)).state is S.DUPLICATE
    assert (await house.correlating.explain(house.tenant.id, made.id)).duplicate_of == one.id
    again = await house.split(one, "beta")
    assert (again.id, again.state, again.tools) == (made.id, S.OPEN, ("beta",))


async def test_what_cannot_be_said_is_refused_with_a_remedy(house, other) -> None:
    one, second = await house.all()
    with pytest.raises(PreconditionFailedError):
        await house.correlating.split(one.id, one.version + 1, "alpha", "alpha:rule", "x", house.ann)
    with pytest.raises(InvalidInputError, match="did not see it") as refused:
        await house.correlating.split(one.id, one.version, "alpha", "beta:rule", "x", house.ann)
    assert "beta beta:rule" in refused.value.remedy
    with pytest.raises(ConflictError, match="nothing else saw it"):
        await house.split(second, "alpha")
    for others, why in (([], "x"), ([one.id], "x"), ([second.id], "  ")):
        with pytest.raises(InvalidInputError):
            await house.correlating.join(one.id, one.version, others, why, house.ann)
    with pytest.raises(NotFoundError):
        await house.correlating.join(one.id, one.version, [uuid4()], "x", house.ann)
    stranger = House(other)
    await stranger.seen(1, alpha={80: Severity.LOW})
    with pytest.raises(NotFoundError):  # another tenant's is not there
        await house.join(one, (await stranger.all())[0])
    until = house.clock.now().replace(year=2200)
    await house.life.edit(second.id, second.version, Wanted(S.RISK_ACCEPTED, until, why="later"), house.ann)
    with pytest.raises(ConflictError, match="accepted for a time"):
        await house.join(one, second)
    kept = await house.join(second, one)
    with pytest.raises(ConflictError, match="neither split nor joined") as refused:
        await house.join(one, kept)
    assert refused.value.remedy == "undo what joined it"
    ruling = (await house.rulings(one))[0]
    await house.correlating.undo(ruling.id, "no", house.ann)
    with pytest.raises(ConflictError, match="undone already"):
        await house.correlating.undo(ruling.id, "no", house.ann)


async def random_rulings(house: House, drawn: random.Random, many: int) -> list[UUID]:
    made: list[UUID] = []
    while len(made) < many:
        one, two = drawn.sample([each for each in await house.all() if each.state is not S.DUPLICATE], 2)
        witnesses = (await house.correlating.explain(house.tenant.id, one.id)).witnesses
        before = {each.id for each in await house.rulings(one)}
        if drawn.random() < 0.5 and len(witnesses) > 1:
            chosen = drawn.choice(list(witnesses))
            await house.correlating.split(one.id, one.version, chosen.tool, chosen.rule, "apart", house.ann)
        else:
            await house.join(one, two)
        made += [each.id for each in await house.rulings(one) if each.id not in {*before, *made}]
    return made


@pytest.mark.parametrize("seed", range(3))
async def test_rulings_before_or_after_the_reports_come_to_one_end_and_undone_to_the_first(engine, seed) -> None:
    drawn = random.Random(seed)  # noqa: S311 - the same each time
    house = House(await make_tenant(engine))
    for day, number in enumerate(range(10), 1):
        await bring(house.tenant, number, TEN[number], day)
    first = await end_state(house.tenant)
    made = await random_rulings(house, drawn, 8)
    ruled = await end_state(house.tenant)
    assert ruled != first
    for day, number in enumerate(drawn.sample(range(10), 10), 11):
        await bring(house.tenant, number, TEN[number], day)
    assert await end_state(house.tenant) == ruled, "every report again changes nothing"
    for ruling in drawn.sample(made, len(made)):
        await house.correlating.undo(ruling, "back", house.ann)
    back = [each for each in await end_state(house.tenant) if each[2] is not S.DUPLICATE]
    assert back == first


def ruling(number: int, known: str, into: str, *, tool: str = "", undone: bool = False) -> Ruling:
    ended = START if undone else None
    return Ruling(UUID(int=number), UUID(int=0), known, tool, tool, into, START, "a", "b", ended)


def test_rulings_lead_on_and_undone_ones_nowhere() -> None:
    known = [
        ruling(1, "a", "b"),
        ruling(2, "b", "c"),
        ruling(3, "b", "b2", tool="t"),
        ruling(4, "b2", "d"),
        ruling(5, "c", "e", undone=True),
        ruling(6, "d", "b"),
        ruling(7, "x", "y"),
    ]
    end = leads(known[:5])
    assert [end("a", "", ""), end("a", "t", "t"), end("b", "t", "other"), end("z", "t", "t")] == ["c", "d", "c", "z"]
    assert leads(known)("a", "t", "t") == "b", "what came back to where it was split off is that again"
    assert reach(known, ["b2"]) == {"a", "b", "b2", "c", "d", "e"}


async def test_an_upgrade_keeps_verdicts_on_flaws_that_are_recognised_otherwise_now(house, servers) -> None:
    tenant = house.tenant

    async def seen(day: int, weakness: str, known: str = "") -> None:
        campaign = await tenant.campaign(day)
        scan = await tenant.scan(campaign, tool="bandit", key="bandit")
        place = Location(path="app/views.py", line=day)
        row = tenant.sight(
            scan, 0, rule="bandit:B506", weakness=weakness, location=place, flaw_class=FlawClass.CODE,
            attributes={"snippet": "ab12"},
        )  # fmt: skip
        wanted = known or fingerprint(tenant.target.id, row.seen, ["snippet"])
        await tenant.record(replace(row, fingerprint=wanted))
        ref = CampaignRef(organisation_id=tenant.id, campaign_id=campaign.id, round=1)
        await Analysis(tenant.work, house.clock).analyse(ref)

    await seen(2, "", "as it was computed before")
    one = next(each for each in await house.all() if each.fingerprint == "as it was computed before")
    await house.life.edit(one.id, one.version, Wanted(S.FALSE_POSITIVE, why="a test file"), house.ann)
    others = {each.fingerprint for each in await house.all()} - {one.fingerprint}
    engine = create_engine(servers.admin_url)
    with engine.begin() as connection:
        migration("0021").renew(connection)
    engine.dispose()
    await seen(3, "unsafe-deserialisation")
    after = await house.get(one)
    assert (after.state, after.weakness, after.tools) == (S.FALSE_POSITIVE, "unsafe-deserialisation", ("bandit",))
    assert {each.fingerprint for each in await house.all()} - {after.fingerprint} == others, "no other one moved"


async def test_an_upgrade_tells_the_hosts_of_a_network_apart(tenant, servers) -> None:
    """The one that is known is of its own host; the next scan finds those of the others."""
    network = Target(uuid4(), tenant.id, TargetKind.NETWORK, "192.0.2.0/24", "net", Criticality.LOW, (), START)
    async with tenant.work(tenant.id) as uow:
        await uow.targets.add(network)
    tenant = replace(tenant, target=network)

    async def seen(day: int, kind: TargetKind) -> dict[str, Vulnerability]:
        scan = await tenant.scan(campaign := await tenant.campaign(day))
        for host in ("192.0.2.7", "192.0.2.8"):
            row = tenant.sight(scan, 443, location=Location(host, 443), cve=("CVE-2026-1",))
            await tenant.record(replace(row, fingerprint=fingerprint(network.id, row.seen, (), kind)))
        async with tenant.work(tenant.id) as uow:
            await uow.findings.merge(campaign.id, campaign.created_at)
            return {each.host: each for each in (await uow.findings.vulnerabilities(Query())).items}

    (before,) = (await seen(1, TargetKind.HOST)).values()
    engine = create_engine(servers.admin_url)
    with engine.begin() as connection:
        migration("0031").renew(connection)
    engine.dispose()
    after = await seen(2, TargetKind.NETWORK)
    assert set(after) == {"192.0.2.7", "192.0.2.8"}
    assert (after[before.host].id, after[before.host].state) == (before.id, S.OPEN)
