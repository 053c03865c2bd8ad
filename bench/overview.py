"""The console's first page, as a browser asks for it."""

import time

import httpx

from bench.house import House
from bench.measures import median
from purple.bootstrap import Container

ASKED = 30
WARM = 10


async def first_page(place: House, container: Container) -> float:
    """Milliseconds until it is there; the median.

    Raises:
        httpx.HTTPStatusError: nobody could sign in, or it is no page.
    """
    took = []
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=f"{place.url}/console", headers=headers, trust_env=False) as browser:
        answer = await browser.post("/sign-in", data={"token": await container.sessions.invite()})
        if not answer.is_redirect:
            answer.raise_for_status()
        for _ in range(WARM + ASKED):
            began = time.perf_counter()
            (await browser.get("/")).raise_for_status()
            took.append(1_000 * (time.perf_counter() - began))
    return median(took[WARM:])
