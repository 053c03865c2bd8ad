"""Notices: who asked to be told hears how a campaign went."""

from datetime import datetime
from uuid import uuid5

from purple.contracts.campaigns import CampaignRef, Notified
from purple.domain.campaigns import Phase, end_state
from purple.domain.clock import Clock
from purple.domain.events import Event
from purple.domain.ports import Notifier, Work
from purple.domain.reports import Delivery, Notice
from purple.services.events import enter, event, nth
from purple.services.summaries import summarise


class Notifying:
    """A notice has the same id however often it is sent, so that its receiver can tell a repeat."""

    def __init__(self, work: Work, notifier: Notifier | None, clock: Clock, api_url: str = "") -> None:
        self._work = work
        self._notifier = notifier
        self._clock = clock
        self._api_url = api_url

    async def notify(self, ref: CampaignRef) -> Notified:
        """Send the notice.

        Raises:
            UnavailableError: the receiver is away; call again later.
        """
        now = self._clock.now()
        async with self._work(ref.organisation_id) as uow:
            campaign = await uow.campaigns.get(ref.campaign_id)
            await enter(uow, ref, Phase.NOTIFY, now)
            known = await uow.events.find(_sent(ref, now).id)
            scans = await uow.scans.all(campaign_id=campaign.id)
            summary = await summarise(uow, campaign, scans)
        if known is not None:  # this step ran before, and nobody heard that it did
            return Notified(state=known.data["state"], reason=known.data["reason"])
        if self._notifier is None:
            return Notified(state="skipped", reason="no receiver is configured")
        data = {
            "campaign_id": str(campaign.id),
            "name": campaign.name,
            "profile": campaign.profile,
            "state": end_state([scan.state for scan in scans]),
            **summary,
        }
        if self._api_url:
            data["url"] = f"{self._api_url}/api/v1/campaigns/{campaign.id}"
        delivery: Delivery = await self._notifier.send(
            Notice(id=f"msg_{uuid5(campaign.id, nth(ref, 'ended')).hex}", type="campaign.ended", at=now, data=data)
        )
        async with self._work(ref.organisation_id) as uow:
            await uow.events.add(_sent(ref, now, state=delivery.state, reason=delivery.reason))
        return Notified(state=delivery.state, reason=delivery.reason)


def _sent(ref: CampaignRef, now: datetime, **how: str) -> Event:
    """The event that tells of a round's notice; its id is the same at each try."""
    campaign = ref.campaign_id
    return event(ref.organisation_id, "notice.sent", campaign, now, campaign_id=campaign, data=how, occasion=nth(ref))
