"""Present vulnerabilities are counted from a book of changes, which is what a count of all would say."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from purple.domain.identity import Actor
from purple.domain.life import Wanted
from purple.domain.pages import Query
from purple.domain.vulnerabilities import PRESENT_STATES, Vulnerability, VulnerabilityState
from purple.services.counting import Counting
from purple.services.life import Life
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import Clock
from tests.integration.db.test_findings import merge


async def lines(tenant, admin) -> int:
    (number,) = admin.execute(
        "SELECT count(*) FROM vulnerability_counts WHERE organisation_id = %s", [tenant.id]
    ).fetchone()
    return number


async def counted(tenant) -> dict[str, int]:
    """From the book, and by looking at each."""
    async with tenant.work(tenant.id) as uow:
        told = dict(await uow.findings.present())
        all_of_them = (await uow.findings.vulnerabilities(Query({"state": PRESENT_STATES}, limit=200))).items
    assert told == Counter(str(each.severity) for each in all_of_them)
    return told


async def test_the_book_says_what_a_count_of_all_would(tenant, admin) -> None:
    campaign = await tenant.campaign(1)
    scan = await tenant.scan(campaign)
    await tenant.record(*(tenant.sight(scan, port) for port in range(1, 21)))
    await merge(tenant, campaign)
    assert sum((await counted(tenant)).values()) == 20
    async with tenant.work(tenant.id) as uow:
        ids = [each.id for each in (await uow.findings.vulnerabilities(Query(limit=200))).items]
    changes = [
        ("state = 'triaged'", ids[:5]),  # present before and after
        ("state = 'fixed'", ids[3:9]),
        ("severity = 'critical'", ids[7:12]),  # some of them are fixed
        ("state = 'reopened', severity = 'low'", ids[8:10]),
        ("risk = risk", ids),
    ]
    for change, some in changes:
        admin.execute(f"UPDATE vulnerabilities SET {change} WHERE id = ANY(%s)", [some])  # noqa: S608 - our own words
        await counted(tenant)
    admin.execute("DELETE FROM sightings WHERE vulnerability_id = ANY(%s)", [ids[:2]])
    admin.execute("DELETE FROM vulnerabilities WHERE id = ANY(%s)", [ids[:2]])
    assert (await counted(tenant))["critical"] == 2
    before = await counted(tenant)
    assert await lines(tenant, admin) < 50
    async with tenant.work(tenant.id) as uow:
        await uow.findings.sum_up()
    assert await lines(tenant, admin) > len(before), "few lines are left as they are"


async def test_lines_are_summed_up_while_others_write(tenant, admin, monkeypatch) -> None:
    monkeypatch.setattr("purple.db.repositories.findings._LINES", 0)
    campaign = await tenant.campaign(1)
    scan = await tenant.scan(campaign)
    await tenant.record(*(tenant.sight(scan, port) for port in range(1, 41)))
    await merge(tenant, campaign)
    async with tenant.work(tenant.id) as uow:
        rows = (await uow.findings.vulnerabilities(Query(limit=200))).items
    life = Life(tenant.work, Clock(), TimeOrderedIds())
    ann = Actor(tenant.id, tenant.id, "ann")

    async def dismiss(some: Sequence[Vulnerability]) -> None:
        for one in some:
            await life.edit(one.id, one.version, Wanted(state=VulnerabilityState.FALSE_POSITIVE, why="made"), ann)

    async def sum_up() -> None:
        for _ in range(15):
            await Counting(tenant.work).sum_up(tenant.id)

    await asyncio.gather(*(dismiss(rows[at:40:4]) for at in range(3)), sum_up(), sum_up())
    assert sum((await counted(tenant)).values()) == 10
    await sum_up()
    assert sum((await counted(tenant)).values()) == 10
    assert await lines(tenant, admin) == 1
