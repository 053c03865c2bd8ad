"""What stands beside Purple: bare workflows, bare activities, a bare app.

`bare.py worker ADDRESS` runs the workflows, `bare.py steps ADDRESS` their activities in a process of their own, as
Purple has it, and `bare.py api PORT` the app.
"""

import asyncio
import sys
import time
from datetime import timedelta

QUEUE = "bench-bare"


async def work(address: str) -> None:
    """Workflows, and the activities on their own queue; until a signal ends the process."""
    from temporalio.client import Client  # noqa: PLC0415 - the bare app must not pay for it
    from temporalio.worker import Worker  # noqa: PLC0415 - the same

    from bench.bare_workflow import (  # noqa: PLC0415 - the same
        BareCampaign,
        BareSteps,
        BareWorkflow,
        begun,
        nothing,
    )

    client = await Client.connect(address)
    workflows = [BareWorkflow, BareSteps, BareCampaign]
    async with Worker(client, task_queue=QUEUE, workflows=workflows, activities=[begun, nothing]):
        await asyncio.Event().wait()


async def steps(address: str) -> None:
    """The activities of `bare-steps`; until a signal ends the process."""
    from temporalio.client import Client  # noqa: PLC0415 - as above
    from temporalio.worker import Worker  # noqa: PLC0415 - as above

    from bench.bare_workflow import nothing  # noqa: PLC0415 - as above

    client = await Client.connect(address)
    async with Worker(client, task_queue="bench-bare-steps", activities=[nothing]):
        await asyncio.Event().wait()


async def campaigns(address: str, count: int, each: int, parallel: int) -> float:
    """Seconds that so many bare campaigns take, all at once."""
    from temporalio.client import Client  # noqa: PLC0415 - as above

    client = await Client.connect(address)
    before = time.time()
    await asyncio.gather(
        *(
            client.execute_workflow(
                "bare-campaign", args=[each, parallel], id=f"bare-campaign-{before}-{n}", task_queue=QUEUE
            )
            for n in range(count)
        )
    )
    return time.time() - before


async def start(address: str, runs: int) -> list[float]:
    """Seconds from starting a workflow to its activity, so many times."""
    from temporalio.client import Client  # noqa: PLC0415 - as above

    client = await Client.connect(address)
    found = []
    for number in range(runs):
        before = time.time()
        began = await client.execute_workflow(
            "bare", id=f"bare-{before}-{number}", task_queue=QUEUE, execution_timeout=timedelta(seconds=30)
        )
        found.append(float(began) - before)
    return found


def serve(port: int) -> None:
    """An app with nothing but /health."""
    import uvicorn  # noqa: PLC0415 - the worker must not pay for it
    from fastapi import FastAPI  # noqa: PLC0415 - the same

    app = FastAPI()

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None)


if __name__ == "__main__":
    if sys.argv[1] == "api":
        serve(int(sys.argv[2]))
    else:
        asyncio.run({"worker": work, "steps": steps}[sys.argv[1]](sys.argv[2]))
