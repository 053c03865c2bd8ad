"""/campaigns and /scans."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status

from api.campaigns.schemas import (
    AnswerBody,
    CampaignAnswer,
    CampaignBody,
    CampaignDetail,
    ConcurrencyBody,
    PauseBody,
    ScanAnswer,
    ScanBody,
    SkipBody,
    TargetsBody,
)
from api.deps import IdempotencyKey, allowed, paging, service
from api.schemas import PageAnswer
from purple.contracts.campaigns import CampaignInput
from purple.domain.campaigns import Campaign, Scan
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.services.campaigns import Campaigns
from purple.services.single import SingleScan
from purple.services.steering import Steering
from purple.services.waiting import Waiting

router = APIRouter(tags=["campaigns"])
CAMPAIGN_FIELDS = "id, name, profile, state, phase, reason, authorisation_id, created_at, started_at, ended_at"
SCAN_FIELDS = (
    "id, campaign_id, target_id, phase, tool, host, port, url, state, reason, attempt, observations, exit_code, zone, "
    "created_at, started_at, ended_at, seconds"
)
Reader = Annotated[Principal, Depends(allowed(Permission.READ_CAMPAIGNS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_CAMPAIGNS))]
ScanReader = Annotated[Principal, Depends(allowed(Permission.READ_SCANS))]
ScanWriter = Annotated[Principal, Depends(allowed(Permission.WRITE_SCANS))]
Service = Annotated[Campaigns, Depends(service("campaigns"))]
Steer = Annotated[Steering, Depends(service("steering"))]


@router.post("/campaigns", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer)
async def start_campaign(
    body: CampaignBody, caller: Writer, campaigns: Service, response: Response, key: IdempotencyKey = ""
) -> Campaign:
    """Start a campaign."""
    wanted = CampaignInput(
        organisation_id=caller.organisation_id,
        name=body.name,
        profile=body.profile,
        target_ids=tuple(body.target_ids),
        authorisation_id=body.authorisation_id,
        options=body.options,
        created_by=caller.user_id,
    )
    campaign = await campaigns.start(wanted, key)
    response.headers["Location"] = f"/api/v1/campaigns/{campaign.id}"
    return campaign


@router.get("/campaigns", response_model=PageAnswer[CampaignAnswer])
async def list_campaigns(
    caller: Reader, campaigns: Service, query: Annotated[Query, Depends(paging(CAMPAIGN_FIELDS))]
) -> object:
    """List, newest first by default."""
    return await campaigns.page(caller.organisation_id, query)


@router.get("/campaigns/{campaign_id}")
async def get_campaign(
    campaign_id: UUID,
    caller: Reader,
    campaigns: Service,
    waiting: Annotated[Waiting, Depends(service("waiting"))],
) -> CampaignDetail:
    """One campaign, with steps done of steps known while it runs."""
    campaign = await campaigns.get(caller.organisation_id, campaign_id)
    progress = await campaigns.progress(campaign)
    known = CampaignAnswer.model_validate(campaign).model_dump() | {"orders": asdict(campaign.orders)}
    return CampaignDetail(
        **known,
        progress=dict(progress) if progress else None,
        temporal_url=campaigns.link(campaign),
        waits=list(await waiting.reasons(campaign)),
    )


@router.post("/campaigns/{campaign_id}/cancel", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer)
async def cancel_campaign(campaign_id: UUID, caller: Writer, steering: Steer) -> Campaign:
    """Stop a campaign: running tools are killed, what was found stays. One that ended is left as it is."""
    return await steering.cancel(caller.organisation_id, campaign_id, caller.actor)


@router.post("/campaigns/{campaign_id}/pause", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer)
async def pause_campaign(
    campaign_id: UUID, caller: Writer, steering: Steer, body: PauseBody | None = None, key: IdempotencyKey = ""
) -> Campaign:
    """Start nothing new until it is resumed. Tools that run end by themselves, or are stopped and run again then."""
    if body is not None and body.stop_running:
        return await steering.stop(caller.organisation_id, campaign_id, caller.actor, key)
    return await steering.pause(caller.organisation_id, campaign_id, caller.actor)


@router.post("/campaigns/{campaign_id}/resume", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer)
async def resume_campaign(campaign_id: UUID, caller: Writer, steering: Steer) -> Campaign:
    """Go on after a pause."""
    return await steering.resume(caller.organisation_id, campaign_id, caller.actor)


@router.post("/campaigns/{campaign_id}/skip", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer)
async def skip(
    campaign_id: UUID, body: SkipBody, caller: Writer, steering: Steer, key: IdempotencyKey = ""
) -> Campaign:
    """Run one scan, or every scan of a tool, no more; one that runs is stopped."""
    return await steering.skip(
        caller.organisation_id, campaign_id, caller.actor, body.tool, body.scan_id, body.reason, key
    )


@router.post(
    "/campaigns/{campaign_id}/concurrency", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer
)
async def set_concurrency(
    campaign_id: UUID, body: ConcurrencyBody, caller: Writer, steering: Steer, key: IdempotencyKey = ""
) -> Campaign:
    """Let so many tools run at once from now on; those that run stay."""
    return await steering.set_parallel(caller.organisation_id, campaign_id, caller.actor, body.parallel, key)


@router.post("/campaigns/{campaign_id}/targets", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer)
async def add_targets(
    campaign_id: UUID, body: TargetsBody, caller: Writer, steering: Steer, key: IdempotencyKey = ""
) -> Campaign:
    """Add targets to a running campaign; its authorisation must cover them."""
    return await steering.add_targets(caller.organisation_id, campaign_id, caller.actor, body.target_ids, key)


@router.post("/campaigns/{campaign_id}/approve", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer)
async def approve(
    campaign_id: UUID, body: AnswerBody, caller: Writer, steering: Steer, key: IdempotencyKey = ""
) -> Campaign:
    """Let a tool run that waits for a second person: not for who started the campaign."""
    return await steering.answer(
        caller.organisation_id, campaign_id, caller.actor, body.tool, approve=True, reason=body.reason, key=key
    )


@router.post("/campaigns/{campaign_id}/reject", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer)
async def reject(
    campaign_id: UUID, body: AnswerBody, caller: Writer, steering: Steer, key: IdempotencyKey = ""
) -> Campaign:
    """Skip a tool that waits for a second person, with the reason."""
    return await steering.answer(
        caller.organisation_id, campaign_id, caller.actor, body.tool, approve=False, reason=body.reason, key=key
    )


@router.post(
    "/campaigns/{campaign_id}/retry-failed", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer
)
async def retry_failed(campaign_id: UUID, caller: Writer, steering: Steer, key: IdempotencyKey = "") -> Campaign:
    """Run again every scan that is not complete, and only those, also after the end; results join this campaign."""
    return await steering.retry_failed(caller.organisation_id, campaign_id, caller.actor, key)


@router.post("/scans", status_code=status.HTTP_202_ACCEPTED, response_model=CampaignAnswer, tags=["scans"])
async def start_scan(
    body: ScanBody,
    caller: ScanWriter,
    single: Annotated[SingleScan, Depends(service("single"))],
    response: Response,
    key: IdempotencyKey = "",
) -> Campaign:
    """Scan one target: a campaign of one."""
    campaign = await single.start(
        caller.organisation_id,
        body.target,
        body.scan_type,
        authorisation_id=body.authorisation_id,
        options=body.options,
        created_by=caller.user_id,
        key=key,
    )
    response.headers["Location"] = f"/api/v1/campaigns/{campaign.id}"
    return campaign


@router.get("/scans", response_model=PageAnswer[ScanAnswer], tags=["scans"])
async def list_scans(
    caller: ScanReader,
    campaigns: Service,
    query: Annotated[Query, Depends(paging(SCAN_FIELDS))],
) -> object:
    """List tool runs, newest first by default."""
    return await campaigns.scans(caller.organisation_id, query)


@router.get("/scans/{scan_id}", response_model=ScanAnswer, tags=["scans"])
async def get_scan(scan_id: UUID, caller: ScanReader, campaigns: Service) -> Scan:
    """One tool run."""
    return await campaigns.scan(caller.organisation_id, scan_id)
