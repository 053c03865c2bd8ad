"""What became of vulnerabilities from one campaign to a later one, on a real PostgreSQL."""

from dataclasses import replace
from uuid import uuid4

import pytest

from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.comparisons import Became, Comparison
from purple.domain.errors import ConflictError, InvalidInputError, NotFoundError
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.services.comparing import Comparing
from tests.integration.db.test_findings import merge


async def saw(tenant, day: int, *ports: int, tools: tuple[str, ...] = ("nmap",), **scan) -> Campaign:
    """An ended campaign in which each of these tools saw flaws at these ports."""
    campaign = await tenant.campaign(day)
    for tool in tools:
        known = await tenant.scan(campaign, key=tool, tool=tool, **scan)
        if ports:
            await tenant.record(*(tenant.sight(known, port) for port in ports))
    await merge(tenant, campaign)
    async with tenant.work(tenant.id) as uow:
        await uow.campaigns.update(campaign.id, state=CampaignState.COMPLETED)
    return replace(campaign, state=CampaignState.COMPLETED)


async def compared(tenant, before: Campaign, after: Campaign, **more) -> Comparison:
    return await Comparing(tenant.work).compare(tenant.id, before.id, after.id, **more)


def became(found: Comparison) -> dict[int, str]:
    return {each.port: str(each.became) for each in found.items}


async def test_each_is_new_still_there_fixed_or_reopened(tenant) -> None:
    first = await saw(tenant, 1, 1, 2)
    second = await saw(tenant, 2, 2, 3)
    third = await saw(tenant, 3, 1, 2, 3)
    found = await compared(tenant, first, second, kinds=tuple(Became))
    assert became(found) == {1: "fixed", 2: "still_there", 3: "new"}
    assert [each.looked_before for each in found.items if each.port == 3] == [True]
    assert {kind: found.number(kind) for kind in Became} == {
        "new": 1,
        "reopened": 0,
        "still_there": 1,
        "fixed": 1,
        "not_tested": 0,
    }
    assert became(await compared(tenant, second, third)) == {1: "reopened"}
    assert became(await compared(tenant, first, third)) == {1: "reopened", 3: "new"}


@pytest.mark.parametrize(
    ("again", "looked_before"),
    [
        ({"tools": ("sslyze",)}, False),
        ({"state": ScanState.PARTIAL}, True),
        ({"options": {"ports": "80"}}, False),
    ],
    ids=["another tool", "not to its end", "other options"],
)
async def test_what_was_not_looked_at_in_the_same_way_is_not_called_fixed(tenant, again, looked_before) -> None:
    first = await saw(tenant, 1, 1)
    second = await saw(tenant, 2, 2, **again)
    found = await compared(tenant, first, second)
    assert became(found) == {1: "not_tested", 2: "new"}
    assert [each.looked_before for each in found.items if each.port == 2] == [looked_before]


async def test_all_tools_that_saw_it_must_look_again(tenant) -> None:
    first = await saw(tenant, 1, 1, tools=("nmap", "sslyze"))
    assert became(await compared(tenant, first, await saw(tenant, 2))) == {1: "not_tested"}
    assert became(await compared(tenant, first, await saw(tenant, 3, tools=("nmap", "sslyze")))) == {1: "fixed"}


async def test_numbers_are_of_all_however_few_are_listed(tenant) -> None:
    first = await saw(tenant, 1, 1)
    found = await compared(tenant, first, await saw(tenant, 2, *range(1, 8)), limit=2)
    assert (len(found.items), found.number(Became.NEW), found.counts[Became.NEW][Severity.MEDIUM]) == (2, 6, 6)


async def test_only_two_that_ended_are_compared_the_earlier_first(tenant, other) -> None:
    first, second = await saw(tenant, 1, 1), await saw(tenant, 2, 1)
    for before, after in ((second, first), (first, first)):
        with pytest.raises(InvalidInputError, match="with an earlier one"):
            await compared(tenant, before, after)
    with pytest.raises(ConflictError, match="is running"):
        await compared(tenant, first, await tenant.campaign(3))
    with pytest.raises(NotFoundError):
        await compared(other, first, second)
    with pytest.raises(NotFoundError):
        await Comparing(tenant.work).compare(tenant.id, first.id, uuid4())
