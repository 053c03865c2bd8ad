"""The gate's workflow on a real Temporal server: it wakes, it stays short, it ends when nobody waits."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import (
    Interceptor,
    StartActivityInput,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)

from purple.contracts import names
from purple.contracts.gates import GateRef, GateTurn
from workflows.gate import GateWorkflow

Turn = Callable[[int], GateTurn]


class Here(Interceptor):
    """Has a workflow's steps done by this test, and by no worker of another."""

    def workflow_interceptor_class(self, _: object) -> type[WorkflowInboundInterceptor]:
        return Inbound


class Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(Outbound(outbound))


class Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> Any:  # noqa: A002 - the interceptor's signature
        input.task_queue = None
        return super().start_activity(input)


@asynccontextmanager
async def gate(address: str, answer: Turn) -> AsyncIterator[tuple[WorkflowHandle[Any, Any], list[int]]]:
    """A gate whose turns are answered by the test; beside it the number of each."""
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    turns: list[int] = []

    @activity.defn(name=names.GATE_TURN)
    async def turn(_: GateRef) -> GateTurn:
        turns.append(len(turns) + 1)
        return answer(turns[-1])

    queue = f"gates-{uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[GateWorkflow],
        activities=[turn],
        interceptors=[Here()],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield (
            await client.start_workflow(
                names.GATE_WORKFLOW,
                GateRef(organisation_id=uuid4(), host="192.0.2.1"),
                id=queue,
                task_queue=queue,
                start_signal=names.SIGNAL_GATE_WAKE,
                execution_timeout=timedelta(minutes=1),
            ),
            turns,
        )


async def test_it_continues_as_new_and_ends_when_nobody_waits(servers, monkeypatch) -> None:
    monkeypatch.setattr("workflows.gate.EVENTS", 60)

    def answer(number: int) -> GateTurn:
        return GateTurn(waiting=number < 30, look_again_s=0.01)

    async with gate(servers.temporal_address, answer) as (handle, turns):
        await handle.result()
        assert turns[-1] == 30
        first = await handle.fetch_history()
        length = len(first.events)
        described = await handle.describe()
    assert described.run_id != handle.first_execution_run_id
    assert length < 90


async def test_it_stays_while_the_host_is_gone_and_looks_when_it_is_woken(servers) -> None:
    def answer(number: int) -> GateTurn:
        return GateTurn(away=number < 3, look_again_s=3600)

    async with gate(servers.temporal_address, answer) as (handle, turns):
        for known in (1, 2):
            while len(turns) < known:
                await handle.describe()
            await handle.signal(names.SIGNAL_GATE_WAKE)
        await handle.result()
    assert len(turns) == 3


async def test_it_ends_at_once_where_nobody_waits(servers) -> None:
    async with gate(servers.temporal_address, lambda _: GateTurn()) as (handle, turns):
        await handle.result()
    assert len(turns) == 1
