"""/imports."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi import Query as QueryParameter

from api.campaigns.schemas import CampaignAnswer
from api.deps import FILE, IdempotencyKey, allowed, chunks, service
from api.imports.schemas import FormatAnswer, wanted
from purple.domain.campaigns import Campaign
from purple.domain.identity import Permission, Principal
from purple.domain.imports import ImportFormat
from purple.services.importing import Imports, Wanted

router = APIRouter(prefix="/imports", tags=["imports"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_CAMPAIGNS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_CAMPAIGNS))]
Service = Annotated[Imports, Depends(service("imports"))]
Format = Annotated[str, QueryParameter(max_length=64, description="By default recognised from the content")]


@router.post("", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer, openapi_extra=FILE)
async def start_import(
    request: Request,
    caller: Writer,
    imports: Service,
    asked: Annotated[Wanted, Depends(wanted)],
    response: Response,
    format: Format = "",  # noqa: A002 - its name on the wire
    key: IdempotencyKey = "",
) -> Campaign:
    """Take in the body, a file of results of a tool that ran elsewhere, up to 2 GB: a campaign reads it."""
    if asked.target or asked.create_targets:
        caller.require(Permission.WRITE_TARGETS)
    stored = await imports.receive(chunks(request), format)
    campaign = await imports.start(caller.organisation_id, stored, replace(asked, created_by=caller.user_id), key)
    response.headers["Location"] = f"/api/v1/campaigns/{campaign.id}"
    return campaign


@router.get("/formats", response_model=list[FormatAnswer])
async def list_import_formats(caller: Reader, imports: Service) -> tuple[ImportFormat, ...]:  # noqa: ARG001 - who may ask
    """What can be taken in, and how each is recognised."""
    return imports.formats()
