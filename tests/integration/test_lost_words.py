"""Words that come between two steps, as the steps of a campaign and its steering see them; no workflow runs."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from purple.bootstrap import Container
from purple.contracts import names
from purple.contracts.batches import BatchRef, Look
from purple.contracts.campaigns import (
    ENGINE,
    BeginRequest,
    Begun,
    CampaignInput,
    CarriedOut,
    CarryOut,
    Finish,
    Order,
    RetryPlan,
    RetryScans,
    RunScan,
    SettleScan,
    Skip,
)
from purple.domain.campaigns import Campaign, CampaignState, Phase, Scan
from purple.domain.errors import ConflictError
from purple.domain.identity import Action, Actor
from purple.domain.scan_sets import HELD, OWN
from purple.domain.steering import Approval, ApprovalState, Orders
from purple.domain.tools import ScanState
from purple.orchestrator.temporal import TemporalOrchestrator
from purple.services.campaigns import Campaigns
from purple.services.ordering import about
from purple.services.steering import Steering, input_of
from purple.settings.app import TemporalSettings
from tests.support.running import Purple, free_port
from workers.runner import sandbox
from workflows.campaign import CampaignWorkflow


@dataclass
class Asked:
    """A campaign whose steps are taken by hand."""

    container: Container
    begun: Begun
    workflow_id: str

    @property
    def id(self) -> UUID:
        return self.begun.ref.campaign_id

    async def row(self) -> Campaign:
        return await self.container.campaigns.get(self.begun.ref.organisation_id, self.id)

    async def scan(self, scan_id: UUID) -> Scan:
        return await self.container.campaigns.scan(self.begun.ref.organisation_id, scan_id)

    async def changed(self, scan_id: UUID, **changes: Any) -> None:
        async with self.container.work(self.begun.ref.organisation_id) as uow:
            await uow.scans.update(scan_id, **changes)

    async def order(self, action: Action, **said: Any) -> CarriedOut:
        """What the workflow does with an order."""
        actor = Actor(uuid4(), self.begun.ref.organisation_id, "second")
        order = Order(action=action, **said)
        token = self.container.actors.sign(actor, action, self.workflow_id, about(order))
        signed = order.model_copy(update={"token": token})
        return await self.container.ordering.carry_out(
            CarryOut(ref=self.begun.ref, order=signed, order_id=str(uuid4()))
        )

    async def retry(self) -> RetryPlan:
        """What the workflow does when it is asked to run again what failed."""
        actor = Actor(uuid4(), self.begun.ref.organisation_id, "second")
        token = self.container.actors.sign(actor, Action.RETRY_FAILED, self.workflow_id)
        return await self.container.retrying.retry_scans(
            RetryScans(ref=self.begun.ref, retry_id=str(uuid4()), token=token)
        )


@pytest.fixture
def purple(container) -> Purple:
    return Purple(container)


async def wanted(purple: Purple, profile: str, *addresses: str) -> CampaignInput:
    targets = [(await purple.container.targets.ensure(purple.organisation, each)).id for each in addresses]
    return CampaignInput(
        organisation_id=purple.organisation,
        name="by hand",
        profile=profile,
        target_ids=tuple(targets),
        authorisation_id=await purple.authorisation("127.47.0.0/16"),
        options={"made-noop": {"artifact": await purple.container.objects.put(b"")}},
    )


async def begin(purple: Purple, profile: str, *addresses: str) -> Asked:
    container, workflow_id = purple.container, f"campaign/{uuid4()}"
    asked = await wanted(purple, profile, *addresses)
    begun = await container.campaigns.begin(BeginRequest(workflow_id=workflow_id, campaign=asked, run_id="by hand"))
    return Asked(container, begun, workflow_id)


async def test_what_people_skipped_does_not_run_whichever_way_it_comes(purple) -> None:
    asked = await begin(purple, "made-recon", *(f"127.47.0.{n}" for n in range(1, 5)))
    campaigns, ref = purple.container.campaigns, asked.begun.ref
    single, batched, told, failed = (each.scan_id for each in asked.begun.recon)
    for each in (single, batched, told):  # a stop ends their tools just now
        await asked.changed(each, state=ScanState.RUNNING, attempt=1, batch=1 if each == batched else 0)
    assert (await asked.order(Action.SKIP, scan_id=single)).scans == 0, "it runs still"
    await campaigns.settle(SettleScan(ref=ref, scan_id=single, state=ScanState.PENDING, reason="stopped"))
    back = await asked.scan(single)
    assert (back.state, back.reason) == (ScanState.SKIPPED, "a person skipped it")
    await asked.changed(failed, state=ScanState.FAILED, attempt=1)
    await asked.order(Action.SKIP, tool="made-noop", reason="enough")
    assert not (await campaigns.next_scans(BatchRef(ref=ref, phase=Phase.RECON, number=1))).scans
    outcomes = {}
    for each in (batched, told, failed):
        request = RunScan(ref=ref, scan_id=each, attempt=2)
        outcomes[each] = await purple.container.scanning.run(request, lambda _: None)
    assert [outcomes[each].state for each in (batched, told, failed)] == ["skipped", "skipped", "failed"]
    assert outcomes[told].reason == (await asked.scan(batched)).reason == "skipped by second: enough"
    assert (await asked.scan(failed)).attempt == 1, "what failed before stays so"


async def test_a_child_hears_what_people_ordered(purple) -> None:
    asked = await begin(purple, "made-recon", "127.47.5.1", "127.47.5.2")
    ordering, ref = purple.container.ordering, asked.begun.ref
    first, second = (Skip(reason="", scan_id=each.scan_id) for each in asked.begun.recon)
    tool = Skip(reason="", tool="made-noop")

    async def reasons() -> list[str]:
        return [(await ordering.look(Look(ref=ref, word=word))).reason for word in (first, second, tool)]

    assert await reasons() == ["", "", ""]
    await asked.order(Action.SKIP, scan_id=first.scan_id)
    assert await reasons() == ["a person skipped it", "", ""]
    await asked.order(Action.SKIP, tool="made-noop")
    assert (await reasons())[2] == "skipped by second"
    assert (await ordering.look(Look(ref=ref))).parallel == 8
    await asked.order(Action.PARALLEL, parallel=3)
    assert (await ordering.look(Look(ref=ref))).parallel == 3


async def test_what_is_approved_runs_again_and_what_comes_later_is_asked_for_anew(purple) -> None:
    asked = await begin(purple, "made-approved", "127.47.1.1")
    ref = asked.begun.ref
    (held,) = (await purple.container.campaigns.plan(ref)).held
    assert (held.tool, held.scans) == ("made", 1)
    async with purple.container.work(purple.organisation) as uow:
        (scan,) = await uow.scans.all(campaign_id=asked.id, tool="made")
        await uow.scans.update(scan.id, state=ScanState.SKIPPED)  # nobody had approved it in time
        approval = Approval(ApprovalState.APPROVED, held.until, "second")
        await uow.campaigns.update(asked.id, orders=Orders(approvals={"made": approval}))
    assert (await asked.retry()).held == ()
    again = await asked.scan(scan.id)
    assert (again.state, again.batch) == (ScanState.PENDING, OWN)
    await asked.changed(scan.id, batch=HELD)  # as one that was planned since
    (anew,) = (await purple.container.campaigns.plan(ref)).held
    assert (anew.tool, anew.until > held.until) == ("made", True)


@pytest.fixture
def away() -> TemporalOrchestrator:
    """A workflow server that nobody can reach."""
    return TemporalOrchestrator(TemporalSettings(address=f"127.0.0.1:{free_port()}"))


async def pending(purple: Purple, away: TemporalOrchestrator, address: str) -> Campaign:
    """A campaign whose workflow was not started."""
    c = purple.container
    campaigns = Campaigns(c.work, away, c.clearance, c.tools, c.profiles, c.retrying, c.clock, c.ids)
    campaign = await campaigns.start(await wanted(purple, "made-recon", address))
    assert campaign.state is CampaignState.PENDING
    return campaign


async def test_a_campaign_whose_workflow_ended_before_it_began_has_failed(purple, away) -> None:
    client = await purple.container.orchestrator.connected_client()

    @activity.defn(name=names.BEGIN)
    async def begin(request: BeginRequest) -> Begun:
        raise ApplicationError("no tool is called 'plugin'", type=names.ERROR_REFUSED, non_retryable=True)

    queue = f"nobody-{uuid4()}"
    ended, failed = await pending(purple, away, "127.47.2.1"), await pending(purple, away, "127.47.2.2")
    for each in (ended, failed):
        argument = input_of(each).model_copy(update={"engine": ENGINE})
        await client.start_workflow(names.WORKFLOW, argument, id=each.workflow_id, task_queue=queue)
    await client.get_workflow_handle(ended.workflow_id).terminate(reason="by hand")
    async with Worker(
        client, task_queue=queue, workflows=[CampaignWorkflow], activities=[begin], workflow_runner=sandbox()
    ):
        with pytest.raises(WorkflowFailureError):
            await client.get_workflow_handle(failed.workflow_id).result()
    for each, why in ((ended, "by hand"), (failed, "no tool is called 'plugin'")):
        await purple.container.campaigns.restart_lost(each)
        row = await purple.container.campaigns.get(purple.organisation, each.id)
        assert (row.state, row.reason) == (CampaignState.FAILED, f"its workflow ended before it began: {why}")
        assert row.ended_at is not None


async def test_one_that_has_not_started_is_cancelled_for_good_and_cannot_be_paused(purple, away) -> None:
    c, organisation = purple.container, purple.organisation
    campaign = await pending(purple, away, "127.47.3.1")
    for word in (c.steering.pause, c.steering.resume):
        with pytest.raises(ConflictError, match="has not started yet") as refusal:
            await word(organisation, campaign.id)
        assert "cancel it" in refusal.value.remedy
    steering = Steering(c.work, away, c.actors, c.clock, c.ids)
    told = await steering.cancel(organisation, campaign.id)
    assert (told.state, told.reason) == (CampaignState.CANCELLED, "cancelled before it began")
    request = BeginRequest(workflow_id=campaign.workflow_id, campaign=input_of(campaign), run_id="late")
    begun = await c.campaigns.begin(request)
    assert (begun.refused, begun.recon) == ("cancelled before it began", ()), "a start that was under way"
    finished = await c.campaigns.finish(Finish(ref=begun.ref, state=CampaignState.NOT_ALLOWED, reason=begun.refused))
    assert finished.state is CampaignState.CANCELLED
    assert (await c.campaigns.get(organisation, campaign.id)) == told
    assert await c.steering.cancel(organisation, campaign.id) == told


async def test_one_whose_workflow_was_ended_is_not_told_of_as_paused(purple) -> None:
    asked = await begin(purple, "made-recon", "127.47.4.1")  # no workflow runs it
    steering = purple.container.steering
    for word in (steering.pause, steering.resume, steering.cancel):
        with pytest.raises(ConflictError, match="ended from outside"):
            await word(purple.organisation, asked.id)
