"""The gate of one host: it runs only while somebody waits there, or while the host is gone."""

import asyncio
import contextlib
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from purple.contracts import names
    from purple.contracts.gates import GateRef, GateTurn
    from workflows import options
    from workflows.steps import do

EVENTS = 1_500
"""Of one run; then it continues as new."""


@workflow.defn(name=names.GATE_WORKFLOW)
class GateWorkflow:
    """Gives turns when something was freed, a lease expired, or it is time to see whether the host is back."""

    @workflow.init
    def __init__(self, gate: GateRef) -> None:  # noqa: ARG002 - both take what starts the workflow
        self._woken = False

    @workflow.run
    async def run(self, gate: GateRef) -> None:
        """Until nobody waits."""
        while True:
            self._woken = False
            turn = await do(names.GATE_TURN, gate, GateTurn, f"who is next at {gate.host}", options.CONTROL)
            workflow.set_current_details(turn.words)
            if not (turn.waiting or turn.away or self._woken):
                return
            with contextlib.suppress(asyncio.TimeoutError):
                await workflow.wait_condition(
                    lambda: self._woken, timeout=timedelta(seconds=turn.look_again_s), timeout_summary="look again"
                )
            if workflow.info().get_current_history_length() > EVENTS:
                workflow.continue_as_new(gate)

    @workflow.signal(name=names.SIGNAL_GATE_WAKE)
    def wake(self) -> None:
        """Somebody waits, or a place was freed."""
        self._woken = True
