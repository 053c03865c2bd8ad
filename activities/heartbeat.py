"""Heartbeats: a step that lives says so every second, whatever it waits for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from temporalio import activity

INTERVAL_S = 1.0


@asynccontextmanager
async def beating(details: Callable[[], Any] = lambda: None) -> AsyncIterator[None]:
    """Heartbeat in the background for as long as the block runs; the server then tells of cancellation too.

    A step that ends sooner than the first beat spares the server a call.
    """

    async def beat() -> None:
        while True:
            await asyncio.sleep(INTERVAL_S)
            activity.heartbeat(details())

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
