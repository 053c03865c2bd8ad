"""The facade."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI

from api import console, health, live
from api.attack_paths import endpoints as attack_paths
from api.authorisations import endpoints as authorisations
from api.campaigns import endpoints as campaigns
from api.comparisons import endpoints as comparisons
from api.compliance import endpoints as compliance
from api.correlation import endpoints as correlation
from api.data import endpoints as data
from api.deps import known_parameters
from api.errors import add_handlers
from api.false_positives import endpoints as false_positives
from api.findings import endpoints as findings
from api.imports import endpoints as imports
from api.life import endpoints as life
from api.life import sla
from api.limits import BodyLimit
from api.machines import endpoints as machines
from api.openapi import PROBLEMS, document
from api.profiles import endpoints as profiles
from api.records import endpoints as records
from api.reports import endpoints as reports
from api.risk import endpoints as risk
from api.schedules import endpoints as schedules
from api.searches import endpoints as searches
from api.succession import succession
from api.targets import endpoints as targets
from api.trends import endpoints as trends
from api.undos import endpoints as undos
from api.units import endpoints as units
from api.v2 import targets as targets_v2
from api.v2 import vulnerabilities
from purple.bootstrap import Container
from purple.settings import Settings


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
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.container = container
    add_handlers(app)
    app.add_middleware(BodyLimit)
    told = Depends(succession(settings.api.v1_sunset))
    v1 = APIRouter(prefix="/api/v1", responses=PROBLEMS, dependencies=[Depends(known_parameters), told])
    for room in (
        targets, units, authorisations, campaigns, comparisons, schedules, profiles, imports, life, findings,
        searches, records, correlation, attack_paths, false_positives, sla, risk, data, trends, compliance, reports,
        undos, machines,
    ):  # fmt: skip
        v1.include_router(room.router)
    v1.include_router(authorisations.refusals)
    app.include_router(v1)
    v2 = APIRouter(prefix="/api/v2", responses=PROBLEMS, dependencies=[Depends(known_parameters)])
    for room in (vulnerabilities, targets_v2):
        v2.include_router(room.router)
    app.include_router(v2)
    app.include_router(live.router, prefix="/api/v1")
    app.include_router(health.router)
    console.mount(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI documents this way
    return app
