"""Workflows of steps that do nothing, in the shape of Purple's: what the server and the SDK cost alone."""

import asyncio
import time
from datetime import timedelta

from temporalio import activity, workflow

PAGE = 200
AT_ONCE = 4


@activity.defn
async def begun() -> float:
    """When it began."""
    return time.time()


@activity.defn
async def nothing(step: str) -> str:
    """Do nothing with it."""
    return step


@workflow.defn(name="bare")
class BareWorkflow:
    """One activity."""

    @workflow.run
    async def run(self) -> float:
        """Do it."""
        return await workflow.execute_activity(begun, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn(name="bare-steps")
class BareSteps:
    """So many activities that do nothing, so many at once."""

    @workflow.run
    async def run(self, steps: int, parallel: int) -> int:
        """Do them."""
        waiting = iter(range(steps))

        async def lane() -> None:
            for step in waiting:
                await workflow.execute_activity(
                    nothing, str(step), task_queue="bench-bare-steps", start_to_close_timeout=timedelta(seconds=60)
                )

        await asyncio.gather(*(lane() for _ in range(parallel)))
        return steps


@workflow.defn(name="bare-campaign")
class BareCampaign:
    """A step, then so many of them, in children where they are many, then a step."""

    @workflow.run
    async def run(self, steps: int, parallel: int) -> int:
        """Do them."""
        await self._step()
        if steps <= PAGE:
            await BareSteps().run(steps, parallel)
        else:
            batches = iter([min(PAGE, steps - start) for start in range(0, steps, PAGE)])

            async def lane(number: int) -> None:
                for batch in batches:
                    await workflow.execute_child_workflow(
                        "bare-steps",
                        args=[batch, parallel // AT_ONCE],
                        id=f"{workflow.info().workflow_id}/{number}/{batch}",
                    )

            await asyncio.gather(*map(lane, range(AT_ONCE)))
        await self._step()
        return steps

    @staticmethod
    async def _step() -> None:
        await workflow.execute_activity(nothing, "step", start_to_close_timeout=timedelta(seconds=60))
