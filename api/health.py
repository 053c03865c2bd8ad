"""/health: the version and each dependency."""

import asyncio
import time
from collections.abc import Awaitable
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field

from purple.domain.errors import PurpleError, UnavailableError
from purple.domain.search import VULNERABILITIES
from purple.services.identity import FIRST_ORGANISATION
from purple.services.indexing import Lag, lag_of

router = APIRouter(tags=["health"])
PATIENCE_S = 3.0


class Dependency(BaseModel):
    """One part."""

    ok: bool
    detail: str
    latency_ms: float = Field(description="Until it answered, or until we gave up")
    lag_events: int | None = Field(
        default=None, description="Of search: events not fed yet to the index that is furthest behind"
    )
    lag_s: float | None = Field(default=None, description="Of search: since it moved last, where it is behind")


class Health(BaseModel):
    """`ok` when everything serves; `degraded` when only search or Temporal is away; `down` without PostgreSQL.

    `data` is the age of what others publish.
    """

    status: str
    version: str
    dependencies: dict[str, Dependency]


async def _ask(question: Awaitable[str | tuple[str, Lag]]) -> Dependency:
    began = time.perf_counter()
    ok, lag, detail = True, None, ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            told = await question
        detail, lag = told if isinstance(told, tuple) else (told, None)
    except TimeoutError:
        ok, detail = False, "no answer in time"
    except PurpleError as error:
        ok, detail = False, error.detail
    known = Dependency(ok=ok, detail=detail, latency_ms=round((time.perf_counter() - began) * 1e3, 1))
    return known.model_copy(update={"lag_events": lag.events, "lag_s": round(lag.seconds, 1)}) if lag else known


async def _database(container: Any) -> str:
    async with container.work(FIRST_ORGANISATION) as uow:
        await uow.events.last()
    return "PostgreSQL answers"


async def _search(container: Any) -> str | tuple[str, Lag]:
    searches = container.searches
    detail = await searches[VULNERABILITIES].ping()
    if not container.settings.search.url:
        return str(detail)
    try:
        lags = [await lag_of(container.work, each, container.clock) for each in searches.values()]
    except UnavailableError:  # that the database is away is said beside this
        return str(detail)
    lag = max(lags, key=lambda each: (each.events, each.silent_s))
    if lag.events:
        detail += f", {lag.events} events behind"
    if lag.silent_s:
        detail += f"; the relay that feeds it was last heard of {lag.silent_s:.0f} s ago"
    return detail, lag


async def _data(container: Any) -> str:
    try:
        kept = await container.publications.kept(FIRST_ORGANISATION)
    except UnavailableError:  # as above
        return "not known while the database is away"
    return "; ".join(f"{each.dataset} {each.age}" for each in kept)


@router.get("/health")
async def health(request: Request, response: Response) -> Health:
    """No token needed; it tells nothing of any tenant."""
    container = request.app.state.container
    names = ("database", "temporal", "search", "data")
    asked = (_database(container), container.orchestrator.ping(), _search(container), _data(container))
    found = dict(zip(names, await asyncio.gather(*map(_ask, asked)), strict=True))
    if not found["database"].ok:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        word = "down"
    else:
        word = "ok" if all(each.ok for each in found.values()) else "degraded"
    return Health(status=word, version=version("purple"), dependencies=found)
