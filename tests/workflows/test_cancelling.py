"""Cancelling in the workflow: what comes in one turn with the end of a step is not lost."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.worker import Worker

from purple.contracts import names
from purple.contracts.campaigns import CampaignRef, Finished, Plan, RunScan, ScanOutcome
from purple.domain.campaigns import CampaignState
from purple.domain.tools import ScanState
from tests.workflows.test_windows import QUEUES, WANTED, Steps, begun, skipping, step  # noqa: F401 - a fixture
from workers.runner import sandbox
from workflows.campaign import CampaignWorkflow


class Held(Steps):
    """One step is begun, and ends when it is let go."""

    def __init__(self, *of_campaign: Any, name: str) -> None:
        super().__init__(*of_campaign)
        self._name = name
        self.begun, self.let_go = asyncio.Event(), asyncio.Event()

    def all(self) -> list[Callable[..., Any]]:
        @activity.defn(name=names.PLAN)
        async def plan(ref: CampaignRef) -> Plan:
            await self._hold()
            return Plan()

        @activity.defn(name=names.RUN_SCAN)
        async def run_scan(request: RunScan) -> ScanOutcome:
            await self._hold()
            return ScanOutcome(scan_id=request.scan_id, state=ScanState.PENDING, attempt=1, waiting=True)

        mine: dict[str, Callable[..., Any]] = {names.PLAN: plan, names.RUN_SCAN: run_scan}
        own = mine[self._name]
        return [own, *(each for each in super().all() if _named(each) != self._name)]

    async def _hold(self) -> None:
        self.begun.set()
        await self.let_go.wait()


def _named(step: Callable[..., Any]) -> str:
    return str(getattr(step, "__temporal_activity_definition").name)


@pytest.mark.parametrize("name", [names.PLAN, names.RUN_SCAN])
async def test_a_cancel_that_comes_with_the_end_of_a_step_stands(skipping, name) -> None:  # noqa: F811 - the fixture
    steps = Held(skipping, begun((), *([step(60)] if name == names.RUN_SCAN else [])), name=name)

    def deciding() -> Worker:
        """Of the workflow alone; each turn begins with the whole history."""
        return Worker(
            skipping.client,
            task_queue=names.QUEUE_CONTROL,
            workflows=[CampaignWorkflow],
            activities=steps.all(),
            no_remote_activities=True,
            max_cached_workflows=0,
            workflow_runner=sandbox(),
        )

    async with contextlib.AsyncExitStack() as acting, asyncio.timeout(60):
        for queue in QUEUES:
            await acting.enter_async_context(Worker(skipping.client, task_queue=queue, activities=steps.all()))
        async with deciding():
            handle = await skipping.client.start_workflow(
                names.WORKFLOW, WANTED, id=f"campaign/{uuid4()}", task_queue=names.QUEUE_CONTROL, result_type=Finished
            )
            await steps.begun.wait()
        await handle.signal(names.SIGNAL_CANCEL)
        steps.let_go.set()
        while (await handle.describe()).raw_description.pending_activities:
            await asyncio.sleep(0.02)
        async with deciding():
            finished = await handle.result()
    assert finished.state is CampaignState.CANCELLED
