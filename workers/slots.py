"""Slots of the workers that run tools: more work is asked for only while there is room for some.

Temporal reserves a slot before it is known which tool comes, so the weight of a tool can only be taken when it is
there: see `Capacity`. What came and does not fit in time goes back to the queue.
"""

from temporalio.worker import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    WorkerTuner,
)

from purple.domain.capacity import Capacity
from purple.domain.tools import ToolCatalogue

_OTHER_SLOTS = 10


class ToolSlots(CustomSlotSupplier):
    """See `temporalio.worker.CustomSlotSupplier`; releases need no counting, since `Capacity` counts tools."""

    def __init__(self, capacity: Capacity, cpu: float, memory_mb: int) -> None:
        self._capacity = capacity
        self._cpu = cpu
        self._memory_mb = memory_mb

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:  # noqa: ARG002 - Temporal's signature, as below
        """Wait until the lightest tool would fit."""
        await self._capacity.some_room(self._cpu, self._memory_mb)
        return SlotPermit()

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:  # noqa: ARG002
        """No eager work: the workflows are at home in other processes."""
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """Nothing: the tool's weight is taken by its activity."""

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """Nothing, likewise."""


def tool_tuner(capacity: Capacity, tools: ToolCatalogue) -> WorkerTuner:
    """The tuner of a worker that runs tools."""
    specs = [tools.spec(name) for name in tools.names()]
    lightest = min((spec.cpu for spec in specs), default=0.1)
    smallest = min((spec.memory_mb for spec in specs), default=1)
    other = FixedSizeSlotSupplier(_OTHER_SLOTS)
    return WorkerTuner.create_composite(
        workflow_supplier=other,
        activity_supplier=ToolSlots(capacity, lightest, smallest),
        local_activity_supplier=other,
        nexus_supplier=other,
    )
