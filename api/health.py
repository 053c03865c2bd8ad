"""/health: the version and each dependency."""

import asyncio
from collections.abc import Awaitable
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel

from purple.domain.errors import PurpleError
from purple.services.identity import FIRST_ORGANISATION

router = APIRouter(tags=["health"])
PATIENCE_S = 3.0


class Dependency(BaseModel):
    """One part."""

    ok: bool
    detail: str


class Health(BaseModel):
    """`ok` when everything serves; `degraded` when only search or Temporal is away; `down` without PostgreSQL.

    `data` is the age of what others publish.
    """

    status: str
    version: str
    dependencies: dict[str, Dependency]


async def _ask(question: Awaitable[str]) -> Dependency:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return Dependency(ok=True, detail=await question)
    except TimeoutError:
        return Dependency(ok=False, detail="no answer in time")
    except PurpleError as error:
        return Dependency(ok=False, detail=error.detail)


async def _database(container: Any) -> str:
    async with container.work(FIRST_ORGANISATION) as uow:
        await uow.events.last()
    return "PostgreSQL answers"


async def _data(container: Any) -> str:
    kept = await container.publications.kept(FIRST_ORGANISATION)
    return "; ".join(f"{each.dataset} {each.age}" for each in kept)


@router.get("/health")
async def health(request: Request, response: Response) -> Health:
    """No token needed; it tells nothing of any tenant."""
    container = request.app.state.container
    names = ("database", "temporal", "search", "data")
    asked = (_database(container), container.orchestrator.ping(), container.search.ping(), _data(container))
    found = dict(zip(names, await asyncio.gather(*map(_ask, asked)), strict=True))
    if not found["database"].ok:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        word = "down"
    else:
        word = "ok" if all(each.ok for each in found.values()) else "degraded"
    return Health(status=word, version=version("purple"), dependencies=found)
