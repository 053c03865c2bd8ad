"""A campaign beside an earlier one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import viewer
from api.console.pages import render
from api.deps import service
from purple.domain.campaigns import Campaign
from purple.domain.comparisons import Became
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.services.campaigns import Campaigns
from purple.services.comparing import Comparing

router = APIRouter(prefix="/campaigns")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_CAMPAIGNS))]
FindingsReader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
_OFFERED = 50
"""Earlier campaigns to choose from."""


@router.get("/{campaign_id}/comparison")
async def compare(
    campaign_id: UUID,
    request: Request,
    caller: Reader,
    _: FindingsReader,
    campaigns: Annotated[Campaigns, Depends(service("campaigns"))],
    comparing: Annotated[Comparing, Depends(service("comparing"))],
    before: UUID | None = None,
) -> Response:
    """By default with the last one before it that looked at one of its targets, of its own profile if there is one."""
    campaign = await campaigns.get(caller.organisation_id, campaign_id)
    earlier = await _earlier(campaigns, campaign)
    chosen = before or (earlier[0].id if earlier else None)
    found = await comparing.compare(caller.organisation_id, chosen, campaign.id) if chosen else None
    return render(
        request,
        "comparison.html",
        campaign=campaign,
        earlier=earlier,
        chosen=chosen,
        found=found,
        kinds=list(Became),
        severities=list(reversed(Severity)),
    )


async def _earlier(campaigns: Campaigns, campaign: Campaign) -> list[Campaign]:
    """What it may be compared with, what it is most alike to first."""
    terms = f"created_at:<{campaign.created_at.isoformat()}"
    page = await campaigns.page(campaign.organisation_id, Query(filter=terms, sort="-created_at", limit=_OFFERED))
    mine = set(campaign.target_ids)
    known = [each for each in page.items if each.state.ended and mine.intersection(each.target_ids)]
    return sorted(known, key=lambda each: each.profile != campaign.profile)
