"""What people ask of a campaign, in its workflow: words that come while it sleeps, while tools end, or too late."""

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio import activity

from purple.contracts import names
from purple.contracts.campaigns import ENGINE, CarriedOut, CarryOut, Order, Ordered, SettleScan
from purple.domain.campaigns import CampaignState
from purple.domain.identity import Action
from purple.domain.tools import ScanState
from tests.workflows.test_windows import Running, Steps, begun, nightly, skipping, step  # noqa: F401 - a fixture


class Steered(Steps):
    """A campaign's steps that believe every order, and remember what became of scans that were ended."""

    def __init__(self, *of_campaign: Any) -> None:
        super().__init__(*of_campaign)
        self.settled: list[tuple[ScanState, str]] = []

    def all(self) -> list[Callable[..., Any]]:
        @activity.defn(name=names.CARRY_OUT)
        async def carry_out(request: CarryOut) -> CarriedOut:
            return await self.carry_out(request)

        @activity.defn(name=names.SETTLE_SCAN)
        async def settle(request: SettleScan) -> None:
            self.settled.append((request.state, request.reason))

        return [carry_out, settle, *super().all()]

    async def carry_out(self, request: CarryOut) -> CarriedOut:
        return CarriedOut(said=f"{request.order.action} by test")


async def order(campaign: Running, action: Action, **said: Any) -> Ordered:
    """Ask as the API does."""
    wanted = Order(action=action, token="believed", **said)
    name = names.UPDATE_APPROVE if action in {Action.APPROVE, Action.REJECT} else names.UPDATE_STEER
    return await campaign.handle.execute_update(name, wanted, result_type=Ordered)


async def test_a_campaign_that_sleeps_until_its_window_opens_is_stopped_and_goes_on(skipping) -> None:  # noqa: F811 - the fixture
    window, opens, _ = nightly(await skipping.get_current_time())
    steps = Steered(skipping, begun((window,), step(60), step(60)))
    async with Running(skipping, steps) as campaign, asyncio.timeout(60):
        await campaign.waiting()
        await order(campaign, Action.STOP)
        await campaign.until(lambda told: not told.waiting)
        await campaign.handle.signal(names.SIGNAL_RESUME)
        await campaign.waiting()
        ended = await campaign.end()
    assert ended.state is CampaignState.COMPLETED
    assert steps.settled == [(ScanState.PENDING, "stop by test")] * 2
    assert [(attempt, at >= opens) for _, attempt, at in steps.ran] == [(1, True)] * 2


async def test_a_skip_that_comes_while_a_stop_still_ends_the_tool_stands(skipping) -> None:  # noqa: F811 - the fixture
    plan = begun((), step(60)).model_copy(update={"engine": ENGINE})
    (only,) = plan.recon
    steps = Steered(skipping, plan)
    gate = steps.gates[only.scan_id] = asyncio.Event()
    async with Running(skipping, steps) as campaign, asyncio.timeout(60):
        await campaign.until(lambda _: bool(steps.ran))
        await order(campaign, Action.STOP)
        await order(campaign, Action.SKIP, scan_id=only.scan_id)
        gate.set()
        await campaign.until(lambda told: not told.running)
        await campaign.handle.signal(names.SIGNAL_RESUME)
        ended = await campaign.end()
    assert ended.state is CampaignState.COMPLETED
    assert steps.settled == [(ScanState.SKIPPED, "skip by test")]
    assert len(steps.ran) == 1, "it does not run again"
