"""Pages of a list, asked for at a steady rate."""

import asyncio
import time
from collections.abc import Callable

import httpx

from purple.observability.runtime import set_apart

PAGE = 100
WARM = 50
"""Pages that are not counted."""


async def pages(url: str, token: str, rate: int, going: Callable[[], bool]) -> list[float]:
    """Milliseconds of each of the requests that come in time, however long those before them take.

    Args:
        url: of the API.
        token: of somebody who may read vulnerabilities.
        rate: requests a second.
        going: whether one more is asked for.

    Raises:
        RuntimeError: a page is not whole.
    """
    took: list[float] = []

    async def ask(client: httpx.AsyncClient) -> None:
        began = time.perf_counter()
        answer = await client.get("/api/v1/vulnerabilities", params={"limit": PAGE})
        took.append(1_000 * (time.perf_counter() - began))
        if len(answer.raise_for_status().json()["items"]) != PAGE:
            raise RuntimeError("a page is not whole")

    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
        for _ in range(WARM):
            await ask(client)
        took.clear()
        set_apart()  # or the client's own collections count as the API's time
        async with asyncio.TaskGroup() as asking:
            begin, number = time.monotonic(), 0
            while going():
                await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
                asking.create_task(ask(client))
                number += 1
    return took


def counted(number: int) -> Callable[[], bool]:
    """So many, then no more."""
    left = iter(range(number))
    return lambda: next(left, None) is not None
