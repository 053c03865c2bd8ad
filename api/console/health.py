"""How Purple itself is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api import health as facade
from api.console.deps import viewer
from api.console.pages import render
from purple.domain.identity import Permission, Principal

router = APIRouter()
Reader = Annotated[Principal, Depends(viewer(Permission.READ_CAMPAIGNS))]


@router.get("/health")
async def health(request: Request, _: Reader) -> Response:
    """The same as `/health` tells."""
    told = await facade.health(request, Response())
    ui = request.app.state.container.settings.temporal.ui_url
    return render(request, "health.html", health=told, temporal_url=ui)
