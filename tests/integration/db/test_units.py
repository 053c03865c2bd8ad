"""Business units on a real PostgreSQL: the tree, what is in it, its risk, and the due dates of its rules."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest

from purple.contracts.campaigns import CampaignRef
from purple.db.outbox import libpq_url
from purple.domain import units as limits
from purple.domain.deadlines import Rule
from purple.domain.errors import ConflictError, InvalidInputError, NotFoundError, PreconditionFailedError
from purple.domain.identity import Actor, User
from purple.domain.pages import Query
from purple.domain.risk import Group, Part, together
from purple.domain.severity import Severity
from purple.domain.targets import Exposure, Target
from purple.domain.units import Unit
from purple.services.analysis import Analysis
from purple.services.compliance.frameworks import Frameworks
from purple.services.deadlines import Deadlines
from purple.services.risking import Risking
from purple.services.targets import Targets
from purple.services.units import Units
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import START, Clock, Tenant


class House:
    """The services over one tenant, with Retail, Retail/Payments, Retail/Payments/Cards and Staff."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.clock = Clock(10)
        self.ann = Actor(uuid4(), tenant.id, "ann")
        made = (tenant.work, self.clock, TimeOrderedIds())
        self.units = Units(*made)
        self.targets = Targets(tenant.work, Frameworks(), *made[1:])
        self.deadlines = Deadlines(*made)
        self.risking = Risking(*made)

    async def add(self, path: str, **told: object) -> Unit:
        above, _, name = path.rpartition("/")
        parent = (await self.named(above)).id if above else None
        return await self.units.create(self.tenant.id, name, parent_id=parent, **told)

    async def named(self, path: str) -> Unit:
        return await self.units.named(self.tenant.id, path)

    async def paths(self) -> list[str]:
        return [each.path for each in await self.units.all(self.tenant.id)]

    async def edit(self, path: str, **changes: object) -> Unit:
        known = await self.named(path)
        return await self.units.edit(self.tenant.id, known.id, known.version, **changes)

    async def place(self, target: Target, path: str) -> None:
        known = await self.targets.get(self.tenant.id, target.id)
        unit_id = (await self.named(path)).id if path else None
        await self.targets.edit(self.tenant.id, target.id, known.version, unit_id=unit_id)

    async def found(self, target: Target, day: int, *ports: int, **told: object) -> None:
        tenant = replace(self.tenant, target=target)
        campaign = await tenant.campaign(day)
        scan = await tenant.scan(campaign)
        await tenant.record(*(tenant.sight(scan, port, **told) for port in ports))
        ref = CampaignRef(organisation_id=tenant.id, campaign_id=campaign.id, round=1)
        await Analysis(tenant.work, self.clock).analyse(ref)

    async def days(self) -> list[int | None]:
        """How many days each vulnerability has, by port."""
        async with self.tenant.work(self.tenant.id) as uow:
            rows = (await uow.findings.vulnerabilities(Query(sort="port"))).items
        return [(each.due_at - each.first_seen).days if each.due_at else None for each in rows]


async def make_house(tenant: Tenant) -> House:
    made = House(tenant)
    async with tenant.work(tenant.id) as uow:
        await uow.users.add(User(made.ann.user_id, tenant.id, "ann", frozenset(), START))
    for path in ("Retail", "Retail/Payments", "Retail/Payments/Cards", "Staff"):
        await made.add(path)
    return made


@pytest.fixture
async def house(tenant) -> House:
    return await make_house(tenant)


async def test_what_is_below_a_unit_is_renamed_and_moved_with_it(house) -> None:
    before = await house.named("Retail/Payments/Cards")
    assert [len((await house.named(path)).lineage) for path in await house.paths()] == [1, 2, 3, 1]
    await house.edit("Retail", name="  Shops  and more ", owner="ann")
    assert await house.paths() == [
        "Shops and more",
        "Shops and more/Payments",
        "Shops and more/Payments/Cards",
        "Staff",
    ]
    moved = await house.edit("shops and MORE/payments", parent_id=(await house.named("Staff")).id)
    assert await house.paths() == ["Shops and more", "Staff", "Staff/Payments", "Staff/Payments/Cards"]
    cards = await house.named("Staff/Payments/Cards")
    assert (cards.id, cards.version) == (before.id, before.version), "where it hangs is all that changed"
    assert cards.lineage == (*moved.lineage, cards.id)
    await house.edit("Staff/Payments", parent_id=None)
    assert await house.paths() == ["Payments", "Payments/Cards", "Shops and more", "Staff"]
    assert (await house.named("shops and more")).owner == "ann"
    async with house.tenant.work(house.tenant.id) as uow:
        page = await uow.units.page(Query(filter=f"parent_id:{moved.id}"))
    assert [each.name for each in page.items] == ["Cards"]


async def test_a_tree_that_cannot_be_is_refused_and_stays_as_it_was(house, monkeypatch) -> None:
    retail, cards = await house.named("Retail"), await house.named("Retail/Payments/Cards")
    known = await house.paths()
    for field, changes in (
        ("parent_id", {"parent_id": cards.id}),
        ("parent_id", {"parent_id": retail.id}),
        ("parent_id", {"parent_id": uuid4()}),
        ("owner", {"owner": "nobody"}),
        *(("name", {"name": name}) for name in ("", " ", "a/b", "none", "x" * 101, "a\x07b")),
    ):
        with pytest.raises(InvalidInputError) as told:
            await house.edit("Retail", **changes)
        assert told.value.field == field, changes
    with pytest.raises(ConflictError, match="Staff already"):
        await house.edit("Retail", name="STAFF")
    with pytest.raises(PreconditionFailedError):
        await house.units.edit(house.tenant.id, retail.id, retail.version + 1, name="Late")
    with pytest.raises(NotFoundError):
        await house.units.edit(house.tenant.id, uuid4(), 1, name="Late")
    monkeypatch.setattr(limits, "MAX_DEPTH", 3)
    with pytest.raises(InvalidInputError, match="3 levels"):
        await house.add("Retail/Payments/Cards/Gold")
    with pytest.raises(InvalidInputError, match="3 levels"):
        await house.edit("Retail", parent_id=(await house.named("Staff")).id)
    await house.edit("Retail/Payments/Cards", parent_id=None)
    await house.edit("Cards", parent_id=(await house.named("Retail/Payments")).id)
    monkeypatch.setattr(limits, "MAX_UNITS", 4)
    with pytest.raises(ConflictError, match="at most 4"):
        await house.add("More")
    assert await house.paths() == known


async def test_of_two_moves_that_make_a_circle_together_one_is_refused(house) -> None:
    retail, staff = await house.named("Retail"), await house.named("Staff")
    done = await asyncio.gather(
        house.units.edit(house.tenant.id, retail.id, 1, parent_id=staff.id),
        house.units.edit(house.tenant.id, staff.id, 1, parent_id=retail.id),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in done) == ["InvalidInputError", "Unit"]


async def test_only_an_empty_unit_is_deleted_and_what_hangs_on_it_is_counted(house) -> None:
    tenant = house.tenant
    await house.place(tenant.target, "Staff")
    staff = await house.named("Staff")
    await house.deadlines.set_rules([Rule(Severity.HIGH, 3, None, staff.id)], house.ann)
    for path, said in (("Retail", "1 business unit below"), ("Staff", "1 target in it, 1 rule of due dates")):
        unit = await house.named(path)
        with pytest.raises(ConflictError, match=said):
            await house.units.delete(tenant.id, unit.id, unit.version)
    await house.place(tenant.target, "")
    await house.deadlines.set_rules([], house.ann)
    with pytest.raises(PreconditionFailedError):
        await house.units.delete(tenant.id, staff.id, staff.version + 1)
    await house.units.delete(tenant.id, staff.id, staff.version)
    assert "Staff" not in await house.paths()
    with pytest.raises(NotFoundError):
        await house.units.get(tenant.id, staff.id)
    with pytest.raises(InvalidInputError) as told:
        await house.targets.create(tenant.id, "192.0.2.99", unit_id=staff.id)
    assert told.value.field == "unit_id"


async def test_lists_are_filtered_by_a_unit_and_what_is_below_it(house) -> None:
    tenant = house.tenant
    other = await house.targets.create(tenant.id, "192.0.2.8", unit_id=(await house.named("Staff")).id)
    free = await house.targets.create(tenant.id, "192.0.2.9")
    await house.place(tenant.target, "Retail/Payments/Cards")
    await house.found(tenant.target, 1, 1)
    await house.found(other, 1, 2)
    everywhere = {tenant.target.id, other.id, free.id}
    cases = {
        "unit:Retail": {tenant.target.id},
        "unit:retail/PAYMENTS": {tenant.target.id},
        "unit:Retail/Pay": set(),
        f"unit:{(await house.named('Retail')).id}": {tenant.target.id},
        "unit:Retail,Staff": {tenant.target.id, other.id},
        "unit:none": {free.id},
        "unit:none,Staff": {free.id, other.id},
        "-unit:Retail": {other.id, free.id},
        "unit:Nowhere": set(),
        "-unit:Nowhere": everywhere,
    }
    async with tenant.work(tenant.id) as uow:
        for terms, wanted in cases.items():
            assert {each.id for each in (await uow.targets.page(Query(filter=terms))).items} == wanted, terms
            found = (await uow.findings.vulnerabilities(Query(filter=terms))).items
            assert {each.target_id for each in found} == wanted - {free.id}, terms
        with pytest.raises(InvalidInputError):
            await uow.targets.page(Query(filter="unit:~Ret"))


async def test_the_risk_of_a_unit_is_the_formula_over_the_targets_below_it(house) -> None:
    tenant = house.tenant
    cards, retail = await house.named("Retail/Payments/Cards"), await house.named("Retail")
    other = await house.targets.create(tenant.id, "192.0.2.8", unit_id=retail.id)
    quiet = await house.targets.create(tenant.id, "192.0.2.9", unit_id=retail.id)
    await house.targets.create(tenant.id, "192.0.2.10")
    await house.place(tenant.target, "Retail/Payments/Cards")
    await house.found(tenant.target, 1, 1, 2, severity=Severity.CRITICAL)
    await house.found(other, 1, 3, severity=Severity.LOW)
    scores = await house.risking.scores(tenant.id, [tenant.target.id, other.id, quiet.id])
    mine, theirs = scores[tenant.target.id], scores[other.id]
    assert mine > theirs > scores[quiet.id] == 0
    both = await house.risking.unit(tenant.id, retail.id)
    formula = together(Part("worst", mine, tenant.target.name), [Group("targets", "target", 1, theirs)])
    assert (both.risk, both.count) == (formula, 3)
    assert [each.id for each in both.worst] == [tenant.target.id, other.id]
    one = await house.risking.unit(tenant.id, cards.id)
    assert (one.risk.score, one.count) == (mine, 2)
    assert (await house.risking.unit(tenant.id, (await house.named("Staff")).id)).risk.score == 0
    with pytest.raises(NotFoundError):
        await house.risking.unit(tenant.id, uuid4())
    told = {each.unit.path: (each.targets, dict(each.present), each.risk) for each in await house.units.tree(tenant.id)}
    assert told == {
        "Retail": (3, {"critical": 2, "low": 1}, formula.score),
        "Retail/Payments": (1, {"critical": 2}, mine),
        "Retail/Payments/Cards": (1, {"critical": 2}, mine),
        "Staff": (0, {}, 0),
    }


async def test_the_rule_of_the_nearest_unit_decides_before_one_for_all(house) -> None:
    tenant = house.tenant
    ids: dict[str, UUID] = {path: (await house.named(path)).id for path in await house.paths()}
    await house.found(tenant.target, 1, 1, severity=Severity.HIGH)
    assert await house.days() == [30]
    rules = [
        Rule(Severity.HIGH, 50),
        Rule(Severity.HIGH, 5, Exposure.INTERNET),
        Rule(Severity.HIGH, 40, None, ids["Retail"]),
        Rule(Severity.HIGH, 4, Exposure.INTERNET, ids["Retail"]),
        Rule(Severity.HIGH, 20, None, ids["Retail/Payments"]),
    ]
    assert set(await house.deadlines.set_rules(rules, house.ann)) == set(rules)
    assert await house.days() == [50], "it is in no unit"
    for path, days in (("Retail", 40), ("Retail/Payments/Cards", 20), ("Retail/Payments", 20), ("Staff", 50)):
        await house.place(tenant.target, path)
        assert await house.days() == [days], path
    await house.place(tenant.target, "Retail/Payments/Cards")
    known = await house.targets.get(tenant.id, tenant.target.id)
    await house.targets.edit(tenant.id, known.id, known.version, exposure=Exposure.INTERNET)
    assert await house.days() == [20], "the unit decides before the exposure"
    await house.found(tenant.target, 2, 1, 2, severity=Severity.HIGH)
    assert await house.days() == [20, 20], "what a scan finds is dated so at once"
    await house.edit("Retail/Payments/Cards", parent_id=ids["Retail"])
    assert await house.days() == [4, 4], "a unit moves with its targets"
    await house.edit("Retail/Cards", parent_id=None)
    assert await house.days() == [5, 5]
    await house.edit("Cards", parent_id=ids["Retail"])
    await house.deadlines.set_rules([Rule(Severity.HIGH, 9, None, ids["Retail"])], house.ann)
    assert await house.days() == [9, 9]
    await house.place(tenant.target, "Staff")
    assert await house.days() == [None, None], "no rule is for it any more"
    for wrong in ([Rule(Severity.LOW, 1, None, uuid4())], [Rule(Severity.LOW, 1, None, ids["Staff"])] * 2):
        with pytest.raises(InvalidInputError) as told:
            await house.deadlines.set_rules(wrong, house.ann)
        assert told.value.field == "rules"


async def test_a_tenant_neither_sees_nor_uses_the_units_of_another(house, other, servers) -> None:
    theirs = await house.named("Retail")
    async with other.work(other.id) as uow:
        assert await uow.unit_tree.all() == ()
        with pytest.raises(NotFoundError):
            await uow.units.get(theirs.id)
    leaning = "UPDATE targets SET unit_id = %s WHERE id = %s"
    with psycopg.connect(libpq_url(servers.database_url)) as raw:
        raw.execute("SELECT set_config('purple.organisation', %s, false)", [str(other.id)])
        assert raw.execute("SELECT count(*) FROM business_units").fetchone() == (0,)
        assert raw.execute("UPDATE business_units SET name = 'x'").rowcount == 0
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            raw.execute(leaning, [theirs.id, other.target.id])
