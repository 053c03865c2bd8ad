"""What people ask of a campaign, in its workflow: words that come while it sleeps, while tools end, or too late."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity

from purple.contracts import names
from purple.contracts.campaigns import (
    ENGINE,
    CarriedOut,
    CarryOut,
    Expire,
    Expired,
    Held,
    Order,
    Ordered,
    Plan,
    SettleScan,
)
from purple.domain.campaigns import CampaignState
from purple.domain.identity import Action
from purple.domain.tools import ScanState
from tests.workflows.test_windows import Running, Steps, begun, nightly, skipping, step  # noqa: F401 - a fixture


class Steered(Steps):
    """A campaign's steps that believe every order, and remember what became of scans that were ended."""

    def __init__(self, *of_campaign: Any) -> None:
        super().__init__(*of_campaign)
        self.settled: list[tuple[ScanState, str]] = []
        self.plans: dict[Action, Plan] = {}
        """What an order releases."""
        self.expired: list[str] = []

    def all(self) -> list[Callable[..., Any]]:
        @activity.defn(name=names.CARRY_OUT)
        async def carry_out(request: CarryOut) -> CarriedOut:
            action = request.order.action
            return CarriedOut(said=f"{action} by test", plan=self.plans.get(action, Plan()))

        @activity.defn(name=names.SETTLE_SCAN)
        async def settle(request: SettleScan) -> None:
            self.settled.append((request.state, request.reason))

        @activity.defn(name=names.EXPIRE)
        async def expire(request: Expire) -> Expired:
            self.expired.append(request.tool)
            return Expired()

        return [carry_out, settle, expire, *super().all()]


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


@pytest.mark.parametrize("answer", [Action.APPROVE, Action.SKIP])
async def test_a_tool_that_has_its_answer_is_not_asked_for_again(skipping, answer) -> None:  # noqa: F811 - the fixture
    until = await skipping.get_current_time() + timedelta(hours=4)
    asked, added, approved = Held(tool="made", scans=1, until=until), step(60), step(60)
    steps = Steered(skipping, begun(()).model_copy(update={"held": (asked,)}))
    steps.plans = {
        Action.ADD_TARGETS: Plan(scans=(added,), held=(asked,)),
        Action.APPROVE: Plan(scans=(approved,)),
    }
    async with Running(skipping, steps) as campaign, asyncio.timeout(60):
        await campaign.until(lambda told: bool(told.held))
        await order(campaign, Action.ADD_TARGETS)
        await order(campaign, answer, tool="made")
        ended = await campaign.end()
    assert ended.state is CampaignState.COMPLETED
    ran = [scan_id for scan_id, _, _ in steps.ran]
    assert ran == [approved.scan_id, added.scan_id] if answer is Action.APPROVE else [added.scan_id]
    assert steps.expired == [], "nothing is waited for any more"


async def test_nobody_waits_for_an_answer_that_was_given_elsewhere(skipping) -> None:  # noqa: F811 - the fixture
    until = await skipping.get_current_time() + timedelta(hours=4)
    steps = Steered(skipping, begun(()).model_copy(update={"held": (Held(tool="made", scans=1, until=until),)}))
    async with Running(skipping, steps) as campaign, asyncio.timeout(60):
        ended = await campaign.end()
    assert (ended.state, steps.expired) == (CampaignState.COMPLETED, ["made"])


async def test_a_cancel_from_temporal_does_not_keep_an_end_from_being_written_down(skipping) -> None:  # noqa: F811 - the fixture
    plan = begun(())
    steps = Steered(skipping, plan)
    gate = steps.gates[plan.ref.campaign_id] = asyncio.Event()
    async with Running(skipping, steps) as campaign, asyncio.timeout(60):
        await campaign.until(lambda _: bool(steps.finished))
        await campaign.handle.cancel()
        await campaign.until(lambda _: True)  # that has come
        gate.set()
        assert (await campaign.end()).state is CampaignState.COMPLETED
