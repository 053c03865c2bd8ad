"""The facade."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI

from api import health, live
from api.authorisations import endpoints as authorisations
from api.campaigns import endpoints as campaigns
from api.deps import known_parameters
from api.errors import add_handlers
from api.findings import endpoints as findings
from api.limits import BodyLimit
from api.reports import endpoints as reports
from api.schemas import Problem
from api.targets import endpoints as targets
from purple.bootstrap import Container
from purple.settings import Settings

PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}, "description": title}
    for status, title in (
        (401, "Not signed in"),
        (403, "Not permitted, or not covered by an authorisation"),
        (404, "Not found"),
        (409, "Conflict"),
        (412, "Changed meanwhile"),
        (413, "Too large"),
        (422, "Invalid input"),
        (428, "If-Match is missing"),
        (503, "Temporarily unavailable"),
    )
}


def create_app(settings: Settings) -> FastAPI:
    """The application; it starts while Temporal or search is away."""
    container = Container(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        listening = asyncio.create_task(container.placed.run())
        yield
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        await container.close()

    app = FastAPI(
        title="Purple",
        version=version("purple"),
        description="Security campaigns as durable workflows.",
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    app.state.container = container
    add_handlers(app)
    app.add_middleware(BodyLimit)
    v1 = APIRouter(prefix="/api/v1", responses=PROBLEMS, dependencies=[Depends(known_parameters)])
    for room in (targets, authorisations, campaigns, findings, reports):
        v1.include_router(room.router)
    app.include_router(v1)
    app.include_router(live.router, prefix="/api/v1")
    app.include_router(health.router)
    return app
