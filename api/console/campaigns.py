"""Campaigns: the list, one that is watched, and starting one."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Fields, Form, Paging, viewer
from api.console.pages import go, render
from api.console.starting import choices, read_form
from api.deps import service
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.errors import PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.steering import MAX_REASON
from purple.services.campaigns import Campaigns
from purple.services.reporting import Reporting
from purple.services.steering import Steering
from purple.services.undos import Undos
from purple.services.waiting import Waiting
from purple.services.watching import Watching

router = APIRouter(prefix="/campaigns")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_CAMPAIGNS))]
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_CAMPAIGNS))]
Service = Annotated[Campaigns, Depends(service("campaigns"))]
Watch = Annotated[Watching, Depends(service("watching"))]
Steer = Annotated[Steering, Depends(service("steering"))]
Wait = Annotated[Waiting, Depends(service("waiting"))]
Clean = Annotated[Undos, Depends(service("undos"))]
Reports = Annotated[Reporting, Depends(service("reporting"))]


@router.get("")
async def page(
    request: Request, caller: Reader, campaigns: Service, paging: Annotated[Paging, Depends()], state: str = ""
) -> Response:
    """Newest first."""
    chosen = CampaignState(state) if state in set(CampaignState) else None
    found = await campaigns.page(caller.organisation_id, paging.query("-created_at", {"state": chosen}))
    return render(request, "campaigns.html", page=found, state=chosen or "", states=list(CampaignState))


@router.get("/new")
async def new(request: Request, caller: Writer, target: str = "") -> Response:
    """The form."""
    form = Fields({"target_ids": [target]} if target else {})
    return render(request, "start.html", form=form, offered=await choices(request, caller))


@router.post("")
async def start(request: Request, caller: Writer, form: Form, campaigns: Service) -> Response:
    """Start it, or show the form again with what is wrong."""
    key = form.text("key")
    try:
        campaign = await campaigns.start(read_form(form, caller), f"console/{key}" if key else "")
    except PurpleError as error:
        return render(
            request,
            "start.html",
            status=error.status,
            form=form,
            offered=await choices(request, caller, key),
            problem=error.problem(),
        )
    return go(f"/campaigns/{campaign.id}")


class Sight:
    """What a campaign's page shows beside the campaign."""

    def __init__(self, campaigns: Service, watching: Watch, reporting: Reports, undos: Clean, waiting: Wait) -> None:
        self.campaigns = campaigns
        self.watching = watching
        self.reporting = reporting
        self.undos = undos
        self.waiting = waiting

    async def of(self, campaign: Campaign) -> dict[str, Any]:
        """For the template."""
        reports = await self.reporting.page(campaign.organisation_id, Query({"campaign_id": campaign.id}))
        return {
            "campaign": campaign,
            "timeline": await self.watching.timeline(campaign),
            "reports": sorted(reports.items, key=lambda report: report.format),
            "max_reason": MAX_REASON,
            "undos": await self.undos.of_campaign(campaign),
            "waits": await self.waiting.reasons(campaign),
            "temporal_url": self.campaigns.link(campaign),
            "key": uuid4(),
        }


@router.get("/{campaign_id}")
async def one(
    campaign_id: UUID, request: Request, caller: Reader, campaigns: Service, sight: Annotated[Sight, Depends()]
) -> Response:
    """One campaign, live; asked by htmx, the part of the page that changes."""
    campaign = await campaigns.get(caller.organisation_id, campaign_id)
    part = "campaign_live.html" if "HX-Request" in request.headers else "campaign.html"
    return render(request, part, **await sight.of(campaign))


@router.post("/{campaign_id}/cancel")
async def cancel(campaign_id: UUID, caller: Writer, steering: Steer) -> Response:
    """Stop it."""
    await steering.cancel(caller.organisation_id, campaign_id, caller.actor)
    return go(f"/campaigns/{campaign_id}")


@router.post("/{campaign_id}/pause")
async def pause(campaign_id: UUID, caller: Writer, steering: Steer) -> Response:
    """Start nothing new."""
    await steering.pause(caller.organisation_id, campaign_id, caller.actor)
    return go(f"/campaigns/{campaign_id}")


@router.post("/{campaign_id}/resume")
async def resume(campaign_id: UUID, caller: Writer, steering: Steer) -> Response:
    """Go on."""
    await steering.resume(caller.organisation_id, campaign_id, caller.actor)
    return go(f"/campaigns/{campaign_id}")


@router.post("/{campaign_id}/retry-failed")
async def retry_failed(campaign_id: UUID, caller: Writer, form: Form, steering: Steer) -> Response:
    """Run again what is not complete; the key makes a button that is pressed twice ask once."""
    key = form.text("key")
    await steering.retry_failed(caller.organisation_id, campaign_id, caller.actor, f"console/{key}" if key else "")
    return go(f"/campaigns/{campaign_id}")


@router.post("/{campaign_id}/approve")
async def approve(campaign_id: UUID, caller: Writer, form: Form, steering: Steer) -> Response:
    """Let a tool run that waits for a second person."""
    return await _answer(campaign_id, caller, form, steering, approve=True)


@router.post("/{campaign_id}/reject")
async def reject(campaign_id: UUID, caller: Writer, form: Form, steering: Steer) -> Response:
    """Skip it."""
    return await _answer(campaign_id, caller, form, steering, approve=False)


async def _answer(campaign_id: UUID, caller: Principal, form: Fields, steering: Steering, *, approve: bool) -> Response:
    tool, reason = form.text("tool"), form.text("reason")
    await steering.answer(caller.organisation_id, campaign_id, caller.actor, tool, approve=approve, reason=reason)
    return go(f"/campaigns/{campaign_id}")


@router.post("/{campaign_id}/undos/{undo_id}/retry")
async def retry_undo(campaign_id: UUID, undo_id: UUID, caller: Writer, undos: Clean) -> Response:
    """Try one again."""
    await undos.retry(caller.organisation_id, undo_id, caller.actor)
    return go(f"/campaigns/{campaign_id}")


@router.post("/{campaign_id}/undos/{undo_id}/done")
async def undo_done(campaign_id: UUID, undo_id: UUID, caller: Writer, form: Form, undos: Clean) -> Response:
    """Believe who did it by hand."""
    await undos.mark_done(caller.organisation_id, undo_id, caller.actor, form.text("why"))
    return go(f"/campaigns/{campaign_id}")
