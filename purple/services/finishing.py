"""How a campaign ends: what has not ended of it ends with it, the summary is written, everybody is told."""

from datetime import datetime

from purple.contracts.campaigns import CampaignRef, Finish, Finished
from purple.domain.campaigns import Campaign, CampaignState, end_state
from purple.domain.imports import left_out_of
from purple.domain.ports import UnitOfWork
from purple.domain.tools import ScanState
from purple.services import cleanup
from purple.services.batching import end_all
from purple.services.events import event, nth
from purple.services.summaries import summarise


async def write_down(uow: UnitOfWork, campaign: Campaign, request: Finish, now: datetime) -> Finished:
    """End a campaign that has not ended; where the request does not say how, its scans decide."""
    ref, word, reason = request.ref, request.state, request.reason
    await uow.gates.withdraw(campaign.id)
    left = "the campaign ended before it ran" + (f": {reason}" if reason else "")
    waiting = ScanState.CANCELLED if word is CampaignState.CANCELLED else ScanState.SKIPPED
    stopped = ScanState.CANCELLED if word is CampaignState.NOT_ALLOWED else waiting
    await end_all(uow, campaign.id, stopped, reason or left, now, states=(ScanState.RUNNING,))
    await end_all(uow, campaign.id, waiting, left, now, states=(ScanState.PENDING,))
    counts = await uow.scan_sets.counts(campaign.id)
    judged = await uow.scan_sets.judged(campaign.id)
    state = word or end_state(judged, left_out_of(campaign.summary))
    await uow.metrics.fill(campaign.id, again=ref.round > 1)
    ending = await cleanup.settle(uow, campaign, state, reason, now)
    found = await summarise(uow, campaign, counts)
    summary = campaign.summary | found | {"notes": request.notes} | ending.summary
    await uow.campaigns.update(
        campaign.id,
        state=ending.state,
        reason=ending.reason,
        phase=None,
        ended_at=now,
        summary=summary,
        round=ref.round,
    )
    await uow.events.add(
        event(
            campaign.organisation_id,
            "campaign.ended",
            campaign.id,
            now,
            campaign_id=campaign.id,
            data={"state": ending.state, "reason": ending.reason, "counts": summary["counts"]},
            occasion=nth(ref),
        )
    )
    return Finished(campaign_id=campaign.id, state=ending.state, reason=ending.reason, worst=summary["worst"])


async def end_unbegun(uow: UnitOfWork, campaign: Campaign, state: CampaignState, reason: str, now: datetime) -> bool:
    """End a campaign that never began, so that it never will; false where it has begun or ended meanwhile."""
    if (await uow.scan_sets.campaign(campaign.id, lock=True)).state is not CampaignState.PENDING:
        return False
    ref = CampaignRef(organisation_id=campaign.organisation_id, campaign_id=campaign.id, round=campaign.round)
    await write_down(uow, campaign, Finish(ref=ref, state=state, reason=reason), now)
    return True
