"""A campaign beside an earlier one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from api.console.deps import viewer
from api.console.pages import render
from api.deps import MAX_FILTER, service
from purple.domain.comparisons import Became
from purple.domain.identity import Permission, Principal
from purple.domain.severity import Severity
from purple.services.campaigns import Campaigns
from purple.services.comparing import Comparing

router = APIRouter(prefix="/campaigns")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_CAMPAIGNS))]
FindingsReader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]


@router.get("/{campaign_id}/comparison")
async def compare(
    campaign_id: UUID,
    request: Request,
    caller: Reader,
    _: FindingsReader,
    campaigns: Annotated[Campaigns, Depends(service("campaigns"))],
    comparing: Annotated[Comparing, Depends(service("comparing"))],
    before: UUID | None = None,
    filter: Annotated[str, Query(max_length=MAX_FILTER)] = "",  # noqa: A002 - its name on the wire
) -> Response:
    """By default with the last one before it that looked at one of its targets, of its own profile if there is one."""
    campaign = await campaigns.get(caller.organisation_id, campaign_id)
    earlier = await comparing.earlier(campaign)
    chosen = before or (earlier[0].id if earlier else None)
    if filter:
        caller.require(Permission.READ_TARGETS)
    found = None
    if chosen:
        found = await comparing.compare(caller.organisation_id, chosen, campaign.id, filter_=filter.strip())
    return render(
        request,
        "comparison.html",
        campaign=campaign,
        earlier=earlier,
        chosen=chosen,
        filter=filter,
        found=found,
        kinds=list(Became),
        severities=list(reversed(Severity)),
    )
