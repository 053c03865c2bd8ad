"""Targets from files on a real PostgreSQL: all or nothing, once, many in few statements, and what follows from them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from purple.db.outbox import libpq_url
from purple.domain.deadlines import Rule
from purple.domain.errors import InvalidInputError
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.domain.target_imports import Becomes, Plan
from purple.domain.targets import Exposure, Target
from purple.services.compliance.frameworks import Frameworks
from purple.services.target_import import TargetImport
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.test_units import House, make_house


class Office:
    """Who imports into the house."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tenant = house.tenant
        self.service = TargetImport(self.tenant.work, Frameworks(), house.clock, TimeOrderedIds())

    async def look(self, text: str) -> Plan:
        return await self.service.look(self.tenant.id, text.encode())

    async def take(self, text: str) -> Plan:
        return await self.service.take(self.tenant.id, text.encode())

    async def all(self) -> dict[str, Target]:
        async with self.tenant.work(self.tenant.id) as uow:
            return {each.value: each for each in await uow.targets.all()}


@pytest.fixture
async def office(tenant) -> Office:
    return Office(await make_house(tenant))


def counts(plan: Plan) -> list[int]:
    return [len(plan.of(each)) for each in Becomes]


@contextmanager
def counted(engine: AsyncEngine) -> Iterator[list[str]]:
    """The statements that are run meanwhile."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, _parameters, _context, executemany) -> None:
        seen.append("many: " * executemany + statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_a_preview_writes_nothing_and_an_import_what_it_said(office) -> None:
    before = await office.all()
    text = 'value,criticality,tags,unit\n192.0.2.7,low,,Retail/Payments\n192.0.2.8,,"a,b",staff\n'
    seen = await office.look(text)
    assert (counts(seen), await office.all()) == ([1, 1, 0], before)
    done = await office.take(text)
    assert [(line.row, line.becomes, line.changes) for line in done.lines] == [
        (line.row, line.becomes, line.changes) for line in seen.lines
    ]
    after = await office.all()
    units = {each.path: each.id for each in await office.house.units.all(office.tenant.id)}
    old, new = after["192.0.2.7"], after["192.0.2.8"]
    assert (old.name, old.tags, old.criticality, old.unit_id) == ("web", ("dmz",), "low", units["Retail/Payments"])
    assert (old.version, new.version, new.tags, new.unit_id) == (2, 1, ("a", "b"), units["Staff"])
    assert counts(await office.take(text)) == [0, 0, 2]
    assert await office.all() == after, "importing again changes nothing"


async def test_a_file_with_a_mistake_changes_nothing(office) -> None:
    before = await office.all()
    text = "value,criticality\n192.0.2.7,low\n192.0.2.8,huge\n192.0.2.9,low\nnot a host,low\n"
    with pytest.raises(InvalidInputError, match=r"row 3: .* 1 more row is refused") as told:
        await office.take(text)
    assert (told.value.field, told.value.value) == ("rows.3.criticality", "huge")
    assert "low, medium, high, critical" in told.value.remedy
    assert await office.all() == before
    assert [(each.row, each.field) for each in (await office.look(text)).refused] == [(3, "criticality"), (5, "value")]


async def test_two_imports_at_once_register_a_target_once(office) -> None:
    text = "value\n" + "".join(f"198.51.100.{n}\n" for n in range(50))
    done = await asyncio.gather(*(office.take(text) for _ in range(3)))
    assert sorted(counts(each) for each in done) == [[0, 0, 50], [0, 0, 50], [50, 0, 0]]
    assert len(await office.all()) == 51


async def test_due_dates_and_risk_follow_as_after_an_edit(office) -> None:
    house, tenant = office.house, office.tenant
    payments = await house.named("Retail/Payments")
    rules = [
        Rule(Severity.HIGH, 50),
        Rule(Severity.HIGH, 8, None, payments.id),
        Rule(Severity.HIGH, 6, Exposure.PARTNER),
    ]
    await house.deadlines.set_rules(rules, house.ann)
    second = await house.targets.create(tenant.id, "192.0.2.8")
    await house.found(tenant.target, 1, 1, severity=Severity.HIGH)
    await house.found(second, 1, 2, severity=Severity.HIGH)

    async def risks() -> list[int]:
        async with tenant.work(tenant.id) as uow:
            return [each.risk for each in (await uow.findings.vulnerabilities(Query(sort="port"))).items]

    assert (await house.days(), await risks()) == ([50, 50], [52 + 8, 52])
    await office.take(
        "value,unit,exposure,criticality\n192.0.2.7,Retail/Payments,internet,critical\n192.0.2.8,,partner,\n"
    )
    assert await house.days() == [8, 6]
    first, other = await risks()
    assert first == 52 + 15 + 10
    assert other > 52, "from where it is reached counts too"


async def test_imports_moves_and_analyses_of_the_same_targets_never_stop_each_other(office) -> None:
    house, tenant = office.house, office.tenant
    staff, retail = (await house.named("Staff")).id, (await house.named("Retail")).id
    several = [await house.targets.create(tenant.id, f"192.0.2.{n}", unit_id=staff) for n in range(20, 27)]
    for day, exposure in enumerate(("internet", "partner", "internal", "internet"), 1):
        text = "value,exposure\n" + "".join(f"{each.value},{exposure}\n" for each in several)
        await asyncio.gather(
            *(house.found(each, day, day, day + 10, severity=Severity.HIGH) for each in several),
            office.take(text),
            office.take(text),
            house.units.edit(tenant.id, staff, day, parent_id=retail if day % 2 else None),
            house.deadlines.set_rules([Rule(Severity.HIGH, day, None, staff)], house.ann),
        )
    async with tenant.work(tenant.id) as uow:
        found = (await uow.findings.vulnerabilities(Query(filter="state:open"))).items
    assert {each.target_id for each in found} == {each.id for each in several}
    assert {(each.due_at - each.first_seen).days for each in found if each.due_at} == {4}
    assert {each.exposure for each in (await office.all()).values() if each.unit_id} == {"internet"}


async def test_ten_thousand_targets_come_in_by_few_statements(office, engine, servers) -> None:
    hosts = [f"10.{n // 250}.{n % 250}.1" for n in range(10_000)]
    text = "value,name,criticality,tags,unit\n" + "".join(
        f'{host},"=HYPERLINK(""{host}"")",high,"bulk,n{n % 7}",Retail/Payments/Cards\n' for n, host in enumerate(hosts)
    )
    with counted(engine) as statements:
        async with asyncio.timeout(60):
            assert counts(await office.take(text)) == [10_000, 0, 0]
    assert len(statements) < 12, statements
    assert not [each for each in statements if each.startswith("many: ")]
    assert (await office.all())[hosts[0]].name == f'=HYPERLINK("{hosts[0]}")'
    with counted(engine) as statements:
        assert counts(await office.take(text)) == [0, 0, 10_000]
    assert len(statements) < 8, statements
    with counted(engine) as statements:
        assert counts(await office.take(text.replace("Retail/Payments/Cards", "Staff"))) == [0, 10_000, 0]
    assert len(statements) < 15, statements
    async with office.tenant.work(office.tenant.id) as uow:
        held = await uow.unit_tree.counts()
    assert held == {(await office.house.named("Staff")).id: 10_000}
    with psycopg.connect(libpq_url(servers.admin_url)) as admin:  # a relay of other tests would tell of each
        admin.execute("DELETE FROM events WHERE organisation_id = %s AND position IS NULL", (office.tenant.id,))
