"""A workflow of one step."""

import time
from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def begun() -> float:
    """When it began."""
    return time.time()


@workflow.defn(name="bare")
class BareWorkflow:
    """One activity."""

    @workflow.run
    async def run(self) -> float:
        """Do it."""
        return await workflow.execute_activity(begun, start_to_close_timeout=timedelta(seconds=10))
