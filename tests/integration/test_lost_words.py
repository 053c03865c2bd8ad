"""Words that come between two steps, as the steps of a campaign and its steering see them; no workflow runs."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from purple.bootstrap import Container
from purple.contracts.campaigns import (
    BatchRef,
    BeginRequest,
    Begun,
    CampaignInput,
    CarriedOut,
    CarryOut,
    Order,
    RetryPlan,
    RetryScans,
    RunScan,
    SettleScan,
)
from purple.domain.campaigns import Campaign, Phase, Scan
from purple.domain.identity import Action, Actor
from purple.domain.scan_sets import HELD, OWN
from purple.domain.steering import Approval, ApprovalState, Orders
from purple.domain.tools import ScanState
from purple.services.ordering import about
from tests.support.running import Purple


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


async def begin(purple: Purple, profile: str, *addresses: str) -> Asked:
    container, workflow_id = purple.container, f"campaign/{uuid4()}"
    targets = [(await container.targets.ensure(purple.organisation, each)).id for each in addresses]
    wanted = CampaignInput(
        organisation_id=purple.organisation,
        name="by hand",
        profile=profile,
        target_ids=tuple(targets),
        authorisation_id=await purple.authorisation("127.47.0.0/16"),
        options={"made-noop": {"artifact": await container.objects.put(b"")}},
    )
    begun = await container.campaigns.begin(BeginRequest(workflow_id=workflow_id, campaign=wanted, run_id="by hand"))
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


async def test_only_what_still_waits_is_asked_for_and_what_is_approved_runs_again(purple) -> None:
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
    await asked.changed(scan.id, batch=HELD)
    assert not (await purple.container.campaigns.plan(ref)).held, "it has its answer"
