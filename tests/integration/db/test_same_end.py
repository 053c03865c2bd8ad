"""The same reports in any order, twice, and at once: one end state."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import permutations
from typing import Any

import pytest

from purple.contracts.campaigns import CampaignRef
from purple.domain.observations import FlawClass, Observation, ObservationKind, RecordedObservation
from purple.domain.pages import MAX_LIMIT, Query
from purple.domain.severity import Severity
from purple.services.analysis import Analysis
from purple.services.recording import recorder
from purple.toolkit.tools.plugins import load_plugins
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
    await analysed(tenant, [tenant.sight(scan, port, **told) for port, told in flaws.items()], day)


async def analysed(tenant: Tenant, rows: list[RecordedObservation], day: int) -> None:
    """Record what one scan saw, and analyse its campaign."""
    random.Random(day).shuffle(rows)  # noqa: S311 - a file's own order says nothing
    await tenant.record(*rows)
    ref = CampaignRef(organisation_id=tenant.id, campaign_id=rows[0].campaign_id, round=1)
    await Analysis(tenant.work, Clock()).analyse(ref)


async def end_state(tenant: Tenant) -> list[tuple[Any, ...]]:
    """All that people see of the vulnerabilities, without ids and times."""
    found = []
    async with tenant.work(tenant.id) as uow:
        for one in (await uow.findings.vulnerabilities(Query({}, limit=MAX_LIMIT))).items:
            shown = [await uow.findings.observation(each) for each in one.observation_ids]
            evidence = dict.fromkeys((each.tool, each.seen.rule, each.seen.evidence) for each in shown)
            words = (one.title, one.description, one.remediation, one.references, one.weakness, one.cve, one.cwe)
            words = (*words, one.host, one.url, one.parameter, one.risk, one.risk_parts, one.tools, tuple(evidence))
            found.append((one.port, one.severity, one.state, *words))
    return sorted(found, key=repr)


Bring = Callable[[Tenant, int, Any, int], Awaitable[None]]


async def brought(engine, order: Iterable[int], chosen: Sequence[Any], how: Bring = bring) -> list[tuple[Any, ...]]:
    tenant = await make_tenant(engine)
    for day, number in enumerate(order, 1):
        await how(tenant, number, chosen[number], day)
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


FILES = (
    ("bandit", "bandit-1.9.4-planted-repository.json"),
    ("semgrep", "semgrep-1.185.0-planted-repository.sarif"),
    ("sarif", "../../semgrep/samples/semgrep-1.185.0-planted-repository.sarif"),
    ("sarif", "made-codeql.sarif"),
    ("gitleaks", "gitleaks-8.30.1-planted-repository.json"),
    ("trivy", "trivy-0.59.1-planted-repository.json"),
    ("wapiti", "wapiti-3.2.3-lab-webapp.json"),
    ("sqlmap", "sqlmap-1.10.10-lab-webapp.txt"),
    ("whatweb", "whatweb-0.5.5-lab-webapp.json"),
    ("zap", "zap-2.17.0-juice-shop.json"),
)
"""What real tools wrote of one repository and one web application: code, secrets, packages, pages and services."""


def flaws_of(tool: str, sample: str) -> list[Observation]:
    plugin = load_plugins()[tool]
    with (plugin.folder / "samples" / sample).open("rb") as stream:
        return [each for each in plugin.parser.parse(stream) if each.kind is ObservationKind.FLAW]


async def bring_file(tenant: Tenant, number: int, seen: list[Observation], day: int) -> None:
    """Likewise a file of a tool, as its scan records it."""
    tool = FILES[number][0]
    scan = await tenant.scan(await tenant.campaign(day), tool=tool, key=tool, options={"artifact": f"sha-{number}"})
    record = recorder(scan, tenant.target.kind, load_plugins()[tool].spec, scan.created_at)
    await analysed(tenant, [*map(record, seen)], day)


async def test_real_files_in_any_order_twice_and_at_once(engine) -> None:
    files = [flaws_of(*each) for each in FILES]
    assert {each.flaw_class for seen in files for each in seen} == {*FlawClass}
    drawn, all_of = random.Random(7), range(len(FILES))  # noqa: S311 - the same each time
    once = await brought(engine, all_of, files, bring_file)
    assert any({"bandit", "sarif", "semgrep"} <= {*end[-2]} for end in once), "tools meet"
    assert any({"sqlmap", "wapiti"} <= {*end[-2]} for end in once)
    orders = [drawn.sample(all_of, len(FILES)) + drawn.sample(all_of, len(FILES)) for _ in range(2)]
    assert [await brought(engine, order, files, bring_file) for order in orders] == [once, once]
    tenant = await make_tenant(engine)
    at_once = (bring_file(tenant, number, files[number], day) for day, number in enumerate(orders[0], 1))
    await asyncio.gather(*at_once)
    assert await end_state(tenant) == once
