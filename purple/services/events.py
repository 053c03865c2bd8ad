"""Events whose ids come from what they tell, so that telling twice is telling once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from purple.contracts.campaigns import CampaignRef
from purple.domain.campaigns import Phase, Scan
from purple.domain.events import Event
from purple.domain.ports import UnitOfWork


def event(
    organisation_id: UUID,
    kind: str,
    subject_id: UUID,
    at: datetime,
    *,
    campaign_id: UUID | None = None,
    data: Mapping[str, Any] | None = None,
    occasion: str = "",
) -> Event:
    """The event of one thing happening to one subject.

    Args:
        organisation_id: the tenant.
        kind: `scan.ended` and the like.
        subject_id: what it happened to.
        at: when.
        campaign_id: the campaign it belongs to.
        data: small JSON.
        occasion: tells two happenings of one kind to one subject apart, such as an attempt.
    """
    key = f"{kind}|{campaign_id or ''}|{occasion}"
    return Event(
        id=uuid5(subject_id, key),
        organisation_id=organisation_id,
        type=kind,
        subject_id=subject_id,
        at=at,
        data=dict(data or {}),
        campaign_id=campaign_id,
    )


def nth(ref: CampaignRef, occasion: str = "") -> str:
    """An occasion that comes once a round; that of the first round is plain."""
    return occasion if ref.round == 1 else f"{occasion}#{ref.round}"


async def enter(uow: UnitOfWork, ref: CampaignRef, phase: Phase, now: datetime) -> None:
    """Note that a campaign has come to a phase."""
    campaign = await uow.scan_sets.campaign(ref.campaign_id)
    if not campaign.state.ended:
        await uow.campaigns.update(campaign.id, phase=phase)
        await uow.events.add(phase_event(ref, phase, now))


def phase_event(ref: CampaignRef, phase: Phase, now: datetime) -> Event:
    """A campaign has come to a phase."""
    return event(
        ref.organisation_id,
        "campaign.phase",
        ref.campaign_id,
        now,
        campaign_id=ref.campaign_id,
        data={"phase": phase},
        occasion=nth(ref, phase),
    )


def scan_event(scan: Scan, now: datetime, reason: str) -> Event:
    """A scan ended, or was stopped and waits again."""
    return event(
        scan.organisation_id,
        "scan.ended" if scan.state.ended else "scan.stopped",
        scan.id,
        now,
        campaign_id=scan.campaign_id,
        data={"tool": scan.tool, "endpoint": scan.endpoint, "state": scan.state, "reason": reason},
        occasion=str(scan.attempt),
    )


def postponed_event(scan: Scan, now: datetime) -> Event:
    """A scan waits for another test window."""
    return event(
        scan.organisation_id,
        "scan.postponed",
        scan.id,
        now,
        campaign_id=scan.campaign_id,
        data={"tool": scan.tool, "endpoint": scan.endpoint, "reason": scan.reason},
        occasion=f"{scan.attempt}|{now.isoformat()}",
    )
