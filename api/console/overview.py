"""What needs attention now."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import viewer
from api.console.pages import render
from api.deps import service
from purple.domain.identity import Permission, Principal
from purple.services.watching import Watching

router = APIRouter()
Reader = Annotated[Principal, Depends(viewer(Permission.READ_CAMPAIGNS))]
FindingsReader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
Service = Annotated[Watching, Depends(service("watching"))]


@router.get("/")
async def overview(request: Request, caller: Reader, _: FindingsReader, watching: Service) -> Response:
    """The page, or what is live of it."""
    attention = await watching.attention(caller.organisation_id)
    part = "overview_live.html" if "HX-Request" in request.headers else "overview.html"
    return render(request, part, attention=attention)
