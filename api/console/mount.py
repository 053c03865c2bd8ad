"""Puts the console into the application: its pages, its assets, and errors as pages."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from api.console import (
    analytics,
    attack_paths,
    authorisations,
    campaigns,
    comparing,
    compliance,
    correlating,
    false_positives,
    health,
    imports,
    life,
    machines,
    overview,
    reports,
    risk,
    schedules,
    searches,
    signing,
    sla,
    stream,
    target_import,
    targets,
    trends,
    units,
    vulnerabilities,
)
from api.console.deps import same_origin
from api.console.pages import HOME, render

ASSETS = Path(__file__).parent / "assets"
_Handler = Callable[[Request, Any], Response | Awaitable[Response]]


class Assets(StaticFiles):
    """Stylesheet and scripts; their addresses change with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """As a file that may be kept and must not be sniffed."""
        response = await super().get_response(path, scope)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def mount(app: FastAPI) -> None:
    """Add the console to an application whose error handlers are in place."""
    router = APIRouter(prefix=HOME, dependencies=[Depends(same_origin)], include_in_schema=False)
    for room in (
        signing,
        overview,
        imports,  # before campaigns, whose ids stand where its name does
        campaigns,
        comparing,
        schedules,
        analytics,  # before targets, whose ids stand where its name does; so do the next three
        units,
        target_import,
        machines,
        targets,
        authorisations,
        life,
        correlating,
        false_positives,  # before vulnerabilities, whose ids stand where its name does; so does the next
        searches,
        vulnerabilities,
        attack_paths,
        risk,
        sla,
        trends,
        compliance,
        reports,
        health,
        stream,
    ):
        router.include_router(room.router)
    app.mount(f"{HOME}/assets", Assets(directory=ASSETS), name="assets")
    app.include_router(router)
    for kind, handler in list(app.exception_handlers.items()):
        app.exception_handlers[kind] = _as_page(handler)


def _as_page(handler: _Handler) -> Callable[[Request, Any], Awaitable[Response]]:
    """The same problem, as a page where a browser asked the console."""

    async def told(request: Request, error: Any) -> Response:
        answer = handler(request, error)
        response = answer if isinstance(answer, Response) else await answer
        if not (request.url.path == HOME or request.url.path.startswith(f"{HOME}/")):
            return response
        problem = orjson.loads(bytes(response.body))
        return render(request, "problem.html", status=response.status_code, problem=problem)

    return told
