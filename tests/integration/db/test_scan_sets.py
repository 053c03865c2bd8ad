"""The scans of a campaign as sets, on PostgreSQL."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from purple.domain.campaigns import Campaign, Phase, Scan
from purple.domain.errors import NotFoundError
from purple.domain.scan_sets import BATCH, FRESH, HELD, INLINE, OWN
from purple.domain.steering import Approval, ApprovalState, Orders
from purple.domain.tools import ScanState
from tests.integration.db.conftest import START, Tenant


def scans(tenant: Tenant, campaign: Campaign, number: int, phase: Phase = Phase.RECON, **changes: object) -> list[Scan]:
    """Fresh ones, each of them awkward to write down."""
    made = [
        Scan(
            id=uuid4(),
            organisation_id=tenant.id,
            campaign_id=campaign.id,
            target_id=tenant.target.id,
            key=f"{phase}:{uuid4()}",
            phase=phase,
            tool="made",
            host="192.0.2.7",
            port=0,
            url="",
            options={"text": 'a "quoted" \\ line\n', "many": [1, 2], "none": None},
            state=ScanState.PENDING,
            created_at=START,
            batch=FRESH,
        )
        for _ in range(number)
    ]
    return [replace(each, **changes) for each in made]


async def test_what_is_added_in_bulk_reads_as_it_was_and_once(tenant) -> None:
    campaign = await tenant.campaign(0)
    wanted = scans(tenant, campaign, 3)
    async with tenant.work(tenant.id) as uow:
        assert await uow.scan_sets.add(wanted) == 3
        assert await uow.scan_sets.add([*wanted, *scans(tenant, campaign, 1)]) == 1
        assert await uow.scans.get(wanted[0].id) == wanted[0]
        assert await uow.scan_sets.add([]) == 0


async def test_few_stay_with_the_campaign_and_many_become_batches_of_one_phase(tenant) -> None:
    campaign = await tenant.campaign(0)
    async with tenant.work(tenant.id) as uow:
        sets = uow.scan_sets
        await sets.add(scans(tenant, campaign, INLINE))
        await sets.number(campaign.id)
        assert len(await sets.due(campaign.id, Phase.RECON, OWN, 10_000)) == INLINE
        assert await sets.batches(campaign.id, Phase.RECON) == {}
        await sets.add(scans(tenant, campaign, BATCH + 5))
        await sets.add(scans(tenant, campaign, BATCH + 7, Phase.TOOLS))
        await sets.number(campaign.id)
        first = await sets.batches(campaign.id, Phase.RECON)
        tools = await sets.batches(campaign.id, Phase.TOOLS)
        assert (list(first.values()), list(tools.values())) == ([BATCH, 5], [BATCH, 7])
        assert not set(first) & set(tools)
        assert len(await sets.due(campaign.id, Phase.RECON, OWN, 10_000)) == INLINE, "what is numbered stays"
        await sets.add(scans(tenant, campaign, 1, Phase.TOOLS))
        await sets.number(campaign.id)
        later = await sets.batches(campaign.id, Phase.TOOLS)
        assert max(later) > max(first | tools), "where there are batches, whatever comes later goes to one"


async def test_so_many_at_once_are_numbered_without_looking_at_all_for_each(quiet_tenant) -> None:
    """Comparing each with each would take over a minute; and a relay of other tests would end each."""
    campaign = await quiet_tenant.campaign(0)
    async with quiet_tenant.work(quiet_tenant.id) as uow:
        await uow.scan_sets.add(scans(quiet_tenant, campaign, 20_000))
        async with asyncio.timeout(20):
            await uow.scan_sets.number(campaign.id)
        assert sum((await uow.scan_sets.batches(campaign.id, Phase.RECON)).values()) == 20_000


async def test_a_long_history_gives_even_few_to_children(tenant) -> None:
    campaign = await tenant.campaign(0)
    async with tenant.work(tenant.id) as uow:
        await uow.scan_sets.add(scans(tenant, campaign, 2))
        await uow.scan_sets.number(campaign.id, apart=True)
        assert list((await uow.scan_sets.batches(campaign.id, Phase.RECON)).values()) == [2]


async def test_scans_end_a_part_at_a_time_and_are_counted(tenant) -> None:
    campaign = await tenant.campaign(0)
    async with tenant.work(tenant.id) as uow:
        sets = uow.scan_sets
        await sets.add([*scans(tenant, campaign, 3), *scans(tenant, campaign, 2, tool="other")])
        some = {"state": ScanState.SKIPPED, "reason": "enough", "at": START, "states": (ScanState.PENDING,)}
        assert len(await sets.end(campaign.id, limit=2, tool="made", **some)) == 2
        (last,) = await sets.end(campaign.id, limit=2, tool="made", **some)
        assert (last.state, last.reason, last.ended_at) == (ScanState.SKIPPED, "enough", START)
        assert await sets.counts(campaign.id) == {ScanState.SKIPPED: 3, ScanState.PENDING: 2}
        worst = await sets.worst_first(campaign.id, 4)
        assert Counter(each.state for each in worst) == {ScanState.SKIPPED: 3, ScanState.PENDING: 1}


async def test_what_failed_waits_again_but_for_what_people_left_out(tenant) -> None:
    campaign = await tenant.campaign(0)
    failed = scans(tenant, campaign, 2, state=ScanState.FAILED, batch=OWN)
    complete, refused = (
        scans(tenant, campaign, 1, state=state, tool=tool, batch=OWN)
        for state, tool in ((ScanState.COMPLETE, "made"), (ScanState.SKIPPED, "other"))
    )
    async with tenant.work(tenant.id) as uow:
        sets = uow.scan_sets
        await sets.add([*failed, *complete, *refused])
        left_out = [failed[1].id]
        assert await sets.failed(campaign.id, tools=["other"], ids=left_out) == 1
        for _ in range(2):  # twice is once
            await sets.reset(campaign.id, "request", tools=["other"], ids=left_out)
            await sets.number(campaign.id)
        (again,) = await sets.due(campaign.id, Phase.RECON, OWN, 10, "request")
        assert (again.id, again.retry_id, await sets.of_request(campaign.id, "request")) == (failed[0].id, "request", 1)
        assert await sets.counts(campaign.id) == Counter(
            {ScanState.PENDING: 1, ScanState.FAILED: 1, ScanState.COMPLETE: 1, ScanState.SKIPPED: 1}
        )


async def test_what_is_held_runs_once_it_is_released(tenant) -> None:
    campaign = await tenant.campaign(0)
    async with tenant.work(tenant.id) as uow:
        sets = uow.scan_sets
        await sets.add(scans(tenant, campaign, 2, batch=HELD))
        await sets.number(campaign.id)
        assert await sets.held(campaign.id, Phase.RECON) == {"made": 2}
        assert not await sets.due(campaign.id, Phase.RECON, OWN, 10)
        await sets.release(campaign.id, "made", "request")
        await sets.number(campaign.id)
        assert await sets.held(campaign.id, Phase.RECON) == {}
        assert len(await sets.due(campaign.id, Phase.RECON, OWN, 10, "request")) == 2


async def test_orders_read_as_they_were_written_and_targets_stay_where_they_are(tenant, other) -> None:
    campaign = await tenant.campaign(0)
    until = START + timedelta(days=1)
    orders = Orders(3, {"made": "why"}, (uuid4(),), {"made": Approval(ApprovalState.REJECTED, until, "who", "no")})
    assert set(orders.refused) == {"made"}
    async with tenant.work(tenant.id) as uow:
        await uow.campaigns.update(campaign.id, orders=orders)
        assert (await uow.campaigns.get(campaign.id)).orders == orders
        head = await uow.scan_sets.campaign(campaign.id, lock=True)
        assert head == replace(campaign, orders=orders, target_ids=())
    async with other.work(other.id) as uow:
        with pytest.raises(NotFoundError):
            await uow.scan_sets.campaign(campaign.id)
        assert await uow.scan_sets.counts(campaign.id) == {}
