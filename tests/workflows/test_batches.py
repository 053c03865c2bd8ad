"""Batches that people end in the Temporal UI, or that fail: the campaign goes on, or ends as it should."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from purple.contracts import names
from purple.contracts.batches import BatchRef, BatchSteps, Hold, Look, Looked
from purple.contracts.campaigns import ENGINE, CampaignRef, Progress, Skip
from purple.contracts.undos import OpenUndos
from purple.domain.campaigns import CampaignState
from purple.domain.tools import ScanState
from tests.workflows.test_steering import Steered
from tests.workflows.test_windows import Running, begun, skipping, step  # noqa: F401 - a fixture
from workflows.lanes import ATTEMPTS

TOLD = EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED


class Batched(Steered):
    """A campaign of one batch, most often with one scan."""

    def __init__(self, env: Any) -> None:
        plan = {"engine": ENGINE, "batches": ((1, 1),), "changes": True}
        super().__init__(env, begun((), parallel=1).model_copy(update=plan))
        self.scans = (step(60),)
        self.gate = self.gates[self.scans[0].scan_id] = asyncio.Event()
        self.needed = 1
        """So often the scan runs until it has ended."""
        self.broken = ""
        self.looked = Looked(parallel=1)
        self.cleaned = 0

    def all(self) -> list[Callable[..., Any]]:
        @activity.defn(name=names.NEXT_SCANS)
        async def next_scans(batch: BatchRef) -> BatchSteps:
            if self.broken:
                raise ApplicationError(self.broken, non_retryable=True)
            return BatchSteps(scans=self.scans if len(self.ran) < self.needed else (), parallel=1)

        @activity.defn(name=names.OPEN_UNDOS)
        async def open_undos(ref: CampaignRef) -> OpenUndos:
            self.cleaned += 1
            return OpenUndos()

        @activity.defn(name=names.LOOK)
        async def look(request: Look) -> Looked:
            return self.looked

        return [look, next_scans, open_undos, *super().all()]


async def cancel_child(env: WorkflowEnvironment, campaign: Running, times: int) -> WorkflowHandle[Any, Any]:
    """As somebody does in the Temporal UI; each time it runs again."""
    (child,) = (await campaign.until(lambda told: bool(told.children and campaign.steps.ran))).children
    batch, before = env.client.get_workflow_handle(child), set[str]()
    for _ in range(times):
        while (run_id := (await batch.describe()).run_id) in before:
            await asyncio.sleep(0.05)
        await batch.cancel()
        before.add(run_id)
    return batch


async def test_a_batch_that_somebody_cancels_is_taken_up_again(skipping) -> None:  # noqa: F811 - the fixture
    steps = Batched(skipping)
    steps.needed = 2
    async with Running(skipping, steps) as campaign, asyncio.timeout(60):
        batch = await cancel_child(skipping, campaign, 1)
        while not any(event.event_type == TOLD for event in (await batch.fetch_history()).events):
            await asyncio.sleep(0.05)
        steps.gate.set()
        ended = await campaign.end()
    assert ended.state is CampaignState.COMPLETED
    assert len(steps.ran) == 2


async def test_a_batch_that_somebody_cancels_time_and_again_ends_its_campaign(skipping) -> None:  # noqa: F811 - the fixture
    steps = Batched(skipping)
    steps.needed = 2
    async with Running(skipping, steps) as campaign, asyncio.timeout(60):
        await campaign.until(lambda _: bool(steps.ran))
        await campaign.handle.signal(names.SIGNAL_PAUSE)
        steps.gate.set()
        await cancel_child(skipping, campaign, ATTEMPTS)
        ended = await campaign.end()
    assert (ended.state, ended.reason) == (CampaignState.FAILED, "recon batch 1: Cancelled")
    assert (len(steps.finished), steps.cleaned) == (1, 1)


async def test_a_batch_that_fails_ends_its_campaign_and_what_it_changed_is_undone(skipping) -> None:  # noqa: F811 - the fixture
    steps = Batched(skipping)
    steps.broken = "there is no such batch"
    async with Running(skipping, steps) as campaign, asyncio.timeout(60):
        ended = await campaign.end()
    assert (ended.state, ended.reason) == (CampaignState.FAILED, "recon batch 1: there is no such batch")
    assert (len(steps.finished), steps.cleaned, steps.ran) == (1, 1, [])


async def test_a_batch_skips_what_people_ordered_and_nothing_else(skipping) -> None:  # noqa: F811 - the fixture
    steps = Batched(skipping)
    steps.scans = (*steps.scans, step(60))
    async with Running(skipping, steps) as campaign, asyncio.timeout(60):
        (child,) = (await campaign.until(lambda told: bool(told.children and steps.ran))).children
        batch = skipping.client.get_workflow_handle(child)
        await batch.signal(names.SIGNAL_SKIP, Skip(reason="from the Temporal UI", tool="made"))
        await batch.signal(names.SIGNAL_HOLD, Hold(parallel=50))
        told = await looked(batch, 2)
        assert not any(event.event_type == TOLD for event in told), "the tool runs on"
        progress = await batch.query(names.QUERY_PROGRESS, result_type=Progress)
        assert (progress.running, progress.done) == (("made 127.22.8.1",), 0), "alone, as the profile wants it"
        steps.looked = Looked(parallel=1, reason="skipped by admin")
        await batch.signal(names.SIGNAL_SKIP, Skip(reason="from the Temporal UI", tool="made"))
        while not any(event.event_type == TOLD for event in await looked(batch, 3)):
            await asyncio.sleep(0.05)
        steps.gate.set()
        ended = await campaign.end()
    assert ended.state is CampaignState.COMPLETED
    assert steps.settled == [(ScanState.SKIPPED, "skipped by admin")]


async def looked(batch: WorkflowHandle[Any, Any], times: int) -> Sequence[HistoryEvent]:
    """Its history, once it has asked so often what people ordered."""
    while True:
        events = (await batch.fetch_history()).events
        asked = {
            event.event_id
            for event in events
            if event.activity_task_scheduled_event_attributes.activity_type.name == names.LOOK
        }
        done = {event.activity_task_completed_event_attributes.scheduled_event_id for event in events}
        if len(asked & done) >= times:
            return events
        await asyncio.sleep(0.05)
