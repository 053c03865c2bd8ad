"""Filters, orders and cursors on a real PostgreSQL."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from purple.domain.campaigns import Campaign, CampaignState, Phase
from purple.domain.errors import InvalidInputError
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.domain.targets import Criticality, Target, TargetKind


@pytest.fixture
async def register(tenant):
    """Targets one of each criticality, by name; the youngest is an hour old, each next a day older."""
    now = datetime.now(UTC)
    made = []
    for n, level in enumerate(Criticality):
        tags = ("dmz", f"t{n}") if n % 2 else ()
        created = now - timedelta(hours=1, days=n)
        made.append(
            Target(uuid4(), tenant.id, TargetKind.DOMAIN, f"{level}.example.org", f'N "{n}"', level, tags, created)
        )
    async with tenant.work(tenant.id) as uow:
        for target in made:
            await uow.targets.add(target)
    return tenant


async def named(tenant, text: str, **query: str) -> list[str]:
    async with tenant.work(tenant.id) as uow:
        page = await uow.targets.page(Query(filter=f"kind:domain {text}", **query))
    return [target.criticality for target in page.items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("criticality:high", {"high"}),
        ("criticality:low,high", {"low", "high"}),
        ("-criticality:low,high", {"medium", "critical"}),
        ("criticality:>=high", {"high", "critical"}),
        ("criticality:<medium", {"low"}),
        ("value:low.example.org", {"low"}),
        ("value:~M.EXAMPLE", {"medium"}),
        ("value:~%", set()),
        (r'name:"N \"2\""', {"high"}),
        ("tags:dmz", {"medium", "critical"}),
        ("tags:none", {"low", "high"}),
        ("tags:~T3", {"critical"}),
        ("-tags:dmz", {"low", "high"}),
        ("created_at:<26h", {"low", "medium"}),
        ("created_at:>=2d", {"high", "critical"}),
        ("created_at:>2020-01-01 criticality:high", {"high"}),
        ("created_at:2020-01-01", set()),
    ],
)
async def test_a_filter_finds_what_it_says(register, text, expected) -> None:
    assert set(await named(register, text)) == expected


async def test_a_day_is_matched_whole(register) -> None:
    yesterday = datetime.now(UTC) - timedelta(hours=1, days=1)
    assert "medium" in await named(register, f"created_at:{yesterday:%Y-%m-%d}")


async def test_choices_sort_as_they_are_declared(register) -> None:
    assert await named(register, "", sort="criticality") == ["low", "medium", "high", "critical"]
    assert await named(register, "", sort="-criticality") == ["critical", "high", "medium", "low"]
    assert await named(register, "", sort="created_at") == ["critical", "high", "medium", "low"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (Query(filter="colour:red"), "filter"),
        (Query(filter="organisation_id:00000000-0000-0000-0000-000000000000"), "filter"),
        (Query(filter="criticality:huge"), "filter"),
        (Query(filter="criticality:~low"), "filter"),
        (Query(filter="id:1"), "filter"),
        (Query(filter="value:>a"), "filter"),
        (Query(filter="tags:>a"), "filter"),
        (Query(filter="created_at:7d"), "filter"),
        (Query(filter="created_at:<soon"), "filter"),
        (Query(filter="created_at:>9999-12-31"), ""),
        (Query(sort="colour"), "sort"),
        (Query(sort="tags"), "sort"),
    ],
)
async def test_what_makes_no_sense_is_refused(register, query, field) -> None:
    async with register.work(register.id) as uow:
        if not field:
            assert await uow.targets.page(query) is not None
            return
        with pytest.raises(InvalidInputError) as refused:
            await uow.targets.page(query)
    assert refused.value.field == field
    assert refused.value.remedy


ENDED = [state for state in CampaignState if state.ended]
"""What is pending the relay would start."""


@pytest.fixture
async def campaigns(tenant) -> list[Campaign]:
    """Forty, half of them without a phase, many with the same name."""
    chance = random.Random(7)  # noqa: S311 - an order to test with, not a secret
    first = await tenant.campaign(1)
    made = [first]
    async with tenant.work(tenant.id) as uow:
        for _ in range(39):
            one = replace(
                first,
                id=uuid4(),
                workflow_id=f"campaign/{uuid4()}",
                name=chance.choice("abc"),
                state=chance.choice(ENDED),
                phase=chance.choice([None, None, *Phase]),
                ended_at=chance.choice([None, first.created_at + timedelta(microseconds=chance.randrange(1, 9**9))]),
            )
            await uow.campaigns.add(one)
            made.append(one)
    return made


def missing_first(value: object) -> tuple[bool, object]:
    return (value is not None, value or "")


@pytest.mark.parametrize("sort", ["", "name", "-name,state", "phase,-name", "-ended_at,name", "state,-ended_at,-id"])
async def test_pages_of_any_order_hold_every_row_once(tenant, campaigns, sort) -> None:
    found: list[Campaign] = []
    cursor = ""
    async with tenant.work(tenant.id) as uow:
        while True:
            page = await uow.campaigns.page(Query(cursor=cursor, limit=7, sort=sort))
            found += page.items
            cursor = page.next_cursor
            if not cursor:
                break
    assert len(found) == 40
    assert {each.id for each in found} == {each.id for each in campaigns}
    if sort == "-ended_at,name":
        ended = [missing_first(each.ended_at) for each in found]
        assert ended == sorted(ended, reverse=True)
    if sort == "phase,-name":
        order = [list(Phase).index(each.phase) if each.phase else -1 for each in found]
        assert order == sorted(order)


async def test_a_cursor_of_another_sort_or_made_by_hand_is_refused(tenant, campaigns) -> None:
    import base64
    import json

    def by_hand(*parts: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()

    async with tenant.work(tenant.id) as uow:
        given = (await uow.campaigns.page(Query(limit=2, sort="name"))).next_cursor
        for cursor, sort in (
            (given, "-name"),
            (by_hand("ended_at", "soon", str(uuid4())), "ended_at"),
            (by_hand("name", "a\x00", str(uuid4())), "name"),
            (by_hand("name", 1, str(uuid4())), "name"),
            (by_hand("name", "a"), "name"),
            (by_hand(), "name"),
            (by_hand("phase", "nan", str(uuid4())), "phase"),
        ):
            with pytest.raises(InvalidInputError) as refused:
                await uow.campaigns.page(Query(cursor=cursor, sort=sort))
            assert refused.value.field == "cursor"


async def test_vulnerabilities_are_found_by_who_saw_them_and_when(tenant) -> None:
    campaign = await tenant.campaign(1)
    nmap, tls = await tenant.scan(campaign, key="a"), await tenant.scan(campaign, key="b", tool="sslyze")
    await tenant.record(
        tenant.sight(nmap, 443), tenant.sight(tls, 443), tenant.sight(tls, 8443, severity=Severity.HIGH, cve=("CVE-1",))
    )
    async with tenant.work(tenant.id) as uow:
        await uow.findings.merge(campaign.id, campaign.created_at)

    async def ports(text: str, sort: str = "port") -> list[int]:
        async with tenant.work(tenant.id) as uow:
            page = await uow.findings.vulnerabilities(Query(filter=text, sort=sort))
        return [each.port for each in page.items]

    assert await ports("tool:nmap") == [443]
    assert await ports("tool:nmap,sslyze") == [443, 8443]
    assert await ports("-tool:nmap") == [8443]
    assert await ports(f"campaign_id:{campaign.id} severity:>medium") == [8443]
    assert await ports(f"campaign_id:{uuid4()}") == []
    assert await ports("cve:CVE-1") == [8443]
    assert await ports("last_seen:<2000-01-01") == []
    assert await ports(f"first_seen:>={campaign.created_at.isoformat()}", sort="-last_seen,-port") == [8443, 443]
    assert await ports("port:>=443 port:<1000") == [443]
    with pytest.raises(InvalidInputError):
        await ports("port:99999999999")


async def test_observations_are_filtered_and_sorted_too(tenant) -> None:
    scan = await tenant.scan(await tenant.campaign(1))
    await tenant.record(tenant.sight(scan, 2), tenant.sight(scan, 1), tenant.sight(scan, 3, severity=Severity.LOW))

    async def ports(**query: str) -> list[int]:
        async with tenant.work(tenant.id) as uow:
            page = await uow.findings.observations(Query({"scan_id": scan.id}, **query))
        return [each.seen.location.port for each in page.items]

    assert await ports() == [2, 1, 3]
    assert await ports(sort="port") == [1, 2, 3]
    assert await ports(filter="severity:medium", sort="-port") == [2, 1]
    assert await ports(filter="confidence:<0.5") == []
