"""Notices: who asked to be told hears how a campaign went."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from purple.contracts.campaigns import CampaignRef, Notified
from purple.contracts.undos import UndoAlarm
from purple.domain.campaigns import Phase, end_state
from purple.domain.clock import Clock
from purple.domain.errors import UnavailableError
from purple.domain.events import Event
from purple.domain.ports import Notifier, Work
from purple.domain.reports import Delivery, Notice
from purple.domain.undos import Undo
from purple.services.events import enter, event, nth
from purple.services.summaries import summarise


class Notifying:
    """Each receiver is told once, also when another is away and the step comes again.

    How each was served is an event, written when it was: the next attempt asks those alone that have none. A notice
    has the same id however often it is sent, so that a receiver can tell a repeat after a crash in between.
    """

    def __init__(self, work: Work, notifiers: Iterable[Notifier], clock: Clock, api_url: str = "") -> None:
        self._work = work
        self._notifiers = tuple(notifiers)
        self._clock = clock
        self._api_url = api_url

    async def notify(self, ref: CampaignRef) -> Notified:
        """Send the notice to everybody who has not had it.

        Raises:
            UnavailableError: a receiver is away; call again later.
        """
        now = self._clock.now()
        async with self._work(ref.organisation_id) as uow:
            campaign = await uow.campaigns.get(ref.campaign_id)
            await enter(uow, ref, Phase.NOTIFY, now)
            scans = await uow.scan_sets.counts(campaign.id)
            summary = await summarise(uow, campaign, scans)
            marks = {each.receiver: _served(ref, each.receiver, now) for each in self._notifiers}
            written = {each.id: each for each in await uow.events.written([mark.id for mark in marks.values()])}
        if not self._notifiers:
            return Notified(state="skipped", reason="no receiver is configured")
        data = {
            "campaign_id": str(campaign.id),
            "name": campaign.name,
            "profile": campaign.profile,
            "state": end_state(scans),
            **summary,
        }
        if self._api_url:
            data["url"] = f"{self._api_url}/api/v1/campaigns/{campaign.id}"
        notice = Notice(id=f"msg_{uuid5(campaign.id, nth(ref, 'ended')).hex}", type="campaign.ended", at=now, data=data)

        return await self._serve_all(notice, marks, written)

    async def alarm(self, request: UndoAlarm) -> Notified:
        """Tell everybody who has not been told of an undo that keeps failing, and what to do by hand.

        Raises:
            UnavailableError: a receiver is away; call again later.
        """
        now = self._clock.now()
        async with self._work(request.ref.organisation_id) as uow:
            undo = await uow.undos.get(request.undo_id)
            campaign = await uow.campaigns.get(undo.campaign_id)
            marks = {each.receiver: _alarmed(undo, each.receiver, now) for each in self._notifiers}
            written = {each.id: each for each in await uow.events.written([mark.id for mark in marks.values()])}
        data = {
            "campaign_id": str(campaign.id),
            "name": campaign.name,
            "undo_id": str(undo.id),
            "state": undo.state,
            "title": undo.title,
            "reason": undo.last_error,
            "instructions": undo.instructions,
        }
        if self._api_url:
            data["url"] = f"{self._api_url}/api/v1/undos/{undo.id}"
        notice_id = f"msg_{uuid5(undo.id, str(undo.round)).hex}"
        return await self._serve_all(Notice(id=notice_id, type="undo.failed", at=now, data=data), marks, written)

    async def _serve_all(self, notice: Notice, marks: Mapping[str, Event], written: Mapping[UUID, Event]) -> Notified:
        async def serve(notifier: Notifier) -> Delivery | UnavailableError:
            mark = marks[notifier.receiver]
            if done := written.get(mark.id):
                return Delivery(done.data["state"], done.data["reason"])
            return await self._serve(notifier, notice, mark)

        return _together(await asyncio.gather(*map(serve, self._notifiers)))

    async def _serve(self, notifier: Notifier, notice: Notice, mark: Event) -> Delivery | UnavailableError:
        try:
            delivery = await notifier.send(notice)
        except UnavailableError as away:
            return away
        told = {**mark.data, "state": delivery.state, "reason": delivery.reason}
        async with self._work(mark.organisation_id) as uow:
            await uow.events.add(replace(mark, data=told))
        return delivery


def _served(ref: CampaignRef, receiver: str, now: datetime) -> Event:
    return event(
        ref.organisation_id,
        "notice.sent",
        ref.campaign_id,
        now,
        campaign_id=ref.campaign_id,
        data={"receiver": receiver},
        occasion=nth(ref, receiver),
    )


def _alarmed(undo: Undo, receiver: str, now: datetime) -> Event:
    return event(
        undo.organisation_id,
        "alarm.sent",
        undo.id,
        now,
        campaign_id=undo.campaign_id,
        data={"receiver": receiver},
        occasion=f"{receiver}#{undo.round}",
    )


def _together(served: Iterable[Delivery | UnavailableError]) -> Notified:
    """How the notice fared with all: delivered where everybody has it.

    Raises:
        UnavailableError: somebody is away.
    """
    told = list(served)
    if away := [str(each) for each in told if isinstance(each, UnavailableError)]:
        raise UnavailableError("; ".join(away))
    failed = [each.reason for each in told if isinstance(each, Delivery) and each.state != "delivered"]
    return Notified(state="failed", reason="; ".join(failed)) if failed else Notified(state="delivered")
