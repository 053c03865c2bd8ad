"""The same reports in any order, twice, and at once: one end state."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Any

import pytest

from purple.contracts.campaigns import CampaignRef
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.services.analysis import Analysis
from tests.integration.db.conftest import Clock, Tenant, make_tenant

Flaws = dict[int, dict[str, Any]]


def reports() -> list[Flaws]:
    """Ten that overlap: some tell the same flaw worse, surer, or only in other words."""
    drawn = random.Random(6)  # noqa: S311 - the same each time
    made = []
    for n in range(10):
        ports = drawn.sample(range(1, 13), 7)
        made.append(
            {
                port: {
                    "rule": f"rule-{drawn.randint(1, 2)}",
                    "title": f"Title {drawn.randint(1, 3)}",
                    "severity": drawn.choice([Severity.MEDIUM, Severity.MEDIUM, Severity.HIGH]),
                    "confidence": drawn.choice([0.4, 0.9, 0.9]),
                    "description": f"as report {n} says",
                    "remediation": drawn.choice(["", "mend it"]),
                    "references": (f"https://example.org/{n}",),
                    "cwe": (drawn.choice([79, 89]),),
                    "evidence": f"evidence {drawn.randint(1, 3)}",
                }
                for port in ports
            }
        )
    return made


TEN = reports()


async def bring(tenant: Tenant, number: int, flaws: Flaws, day: int) -> None:
    """Import one report: a campaign of one scan, recorded and analysed."""
    campaign = await tenant.campaign(day)
    tool = f"tool-{number % 3}"
    scan = await tenant.scan(campaign, tool=tool, key=tool, options={"artifact": f"sha-{number}"})
    rows = [tenant.sight(scan, port, **told) for port, told in flaws.items()]
    random.Random(day).shuffle(rows)  # noqa: S311 - a file's own order says nothing
    await tenant.record(*rows)
    ref = CampaignRef(organisation_id=tenant.id, campaign_id=campaign.id, round=1)
    await Analysis(tenant.work, Clock()).analyse(ref)


async def end_state(tenant: Tenant) -> list[tuple[Any, ...]]:
    """All that people see of the vulnerabilities, without ids and times."""
    found = []
    async with tenant.work(tenant.id) as uow:
        for one in (await uow.findings.vulnerabilities(Query({}, sort="port"))).items:
            shown = [await uow.findings.observation(each) for each in one.observation_ids]
            evidence = dict.fromkeys((each.tool, each.seen.rule, each.seen.evidence) for each in shown)
            words = (one.title, one.description, one.remediation, one.references, one.weakness, one.cve, one.cwe)
            found.append(
                (one.port, one.severity, one.state, *words, one.risk, one.risk_parts, one.tools, tuple(evidence))
            )
    return found


async def brought(engine, order: Iterable[int], chosen: Sequence[Flaws]) -> list[tuple[Any, ...]]:
    tenant = await make_tenant(engine)
    for day, number in enumerate(order, 1):
        await bring(tenant, number, chosen[number], day)
    return await end_state(tenant)


async def test_every_order_of_four_twice(engine) -> None:
    ends = [await brought(engine, [*order, *order], TEN) for order in permutations(range(4))]
    assert len(ends[0]) > 6
    assert all(end == ends[0] for end in ends)


async def test_orders_of_ten_twice_in_another_order(engine) -> None:
    drawn = random.Random(1)  # noqa: S311 - the same each time
    orders = [drawn.sample(range(10), 10) + drawn.sample(range(10), 10) for _ in range(8)]
    ends = [await brought(engine, order, TEN) for order in orders]
    once = await brought(engine, range(10), TEN)
    assert len(once) == 12
    assert all(end == once for end in ends)


@pytest.mark.parametrize("turn", range(3))
async def test_ten_twice_at_once(engine, turn) -> None:
    tenant = await make_tenant(engine)
    numbers = random.Random(turn).sample([*range(10), *range(10)], 20)  # noqa: S311 - the same each time
    await asyncio.gather(*(bring(tenant, number, TEN[number], day) for day, number in enumerate(numbers, 1)))
    assert await end_state(tenant) == await brought(engine, range(10), TEN)
