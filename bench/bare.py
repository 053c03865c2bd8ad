"""What stands beside Purple: `bare.py worker ADDRESS` runs a workflow of one step, `bare.py api PORT` a bare app."""

import asyncio
import sys
import time
from datetime import timedelta

QUEUE = "bench-bare"


async def work(address: str) -> None:
    """One workflow with one activity, which says when it began; until a signal ends the process."""
    from temporalio.client import Client  # noqa: PLC0415 - the bare app must not pay for it
    from temporalio.worker import Worker  # noqa: PLC0415 - the same

    from bench.bare_workflow import BareWorkflow, begun  # noqa: PLC0415 - the same

    client = await Client.connect(address)
    async with Worker(client, task_queue=QUEUE, workflows=[BareWorkflow], activities=[begun]):
        await asyncio.Event().wait()


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
        asyncio.run(work(sys.argv[2]))
