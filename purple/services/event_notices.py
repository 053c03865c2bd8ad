"""Receivers hear of what nobody waits for: a schedule that has paused itself, a new match of an alert."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from purple.domain.clock import Clock
from purple.domain.errors import UnavailableError
from purple.domain.events import Event
from purple.domain.outbox import PLACED, Outbox
from purple.domain.ports import Notifier, Work
from purple.domain.reports import Delivery, Notice
from purple.services.events import event

BATCH = 500
PATIENCE = timedelta(hours=1)
"""A receiver that is away is asked for so long."""


@dataclass(frozen=True, slots=True)
class Worth:
    """A kind of event of which receivers are told."""

    type: str
    feed: str
    told: Callable[[Event, str], dict[str, Any]]
    """What they are told, given the URL of this Purple, or empty."""


def _stopped(told: Event, url: str) -> dict[str, Any]:
    data = {"schedule_id": str(told.subject_id), "state": "paused", **told.data}
    return data | {"url": f"{url}/api/v1/schedules/{told.subject_id}"} if url else data


def _matched(told: Event, url: str) -> dict[str, Any]:
    data = {"search_id": str(told.subject_id), "state": "matched", **told.data}
    query = quote(str(told.data.get("query", "")), safe="")
    return data | {"url": f"{url}/console/vulnerabilities?state=all&q={query}"} if url else data


SCHEDULES = Worth("schedule.stopped", "notices/schedules", _stopped)
SEARCHES = Worth("search.matched", "notices/searches", _matched)


class EventNotices:
    """A feed of the outbox: at least once, and each receiver that was served is not served again."""

    def __init__(
        self,
        outbox: Outbox,
        work: Work,
        notifiers: Iterable[Notifier],
        clock: Clock,
        worth: Worth,
        api_url: str = "",
    ) -> None:
        self._outbox = outbox
        self._work = work
        self._notifiers = tuple(notifiers)
        self._clock = clock
        self._api_url = api_url
        self._worth = worth

    async def tell(self) -> None:
        """Tell of what has happened since the last call.

        Raises:
            UnavailableError: a receiver or PostgreSQL is away; call again.
        """
        while True:
            at, placed = await self._outbox.feed(self._worth.feed), await self._outbox.feed(PLACED)
            events = await self._outbox.after(at, BATCH, self._worth.type)
            for each in events:
                await self._serve(each)
                at = each.position or at
                await self._outbox.advance(self._worth.feed, at)
            if len(events) < BATCH:
                if placed > at:
                    await self._outbox.advance(self._worth.feed, placed)
                return

    async def _serve(self, told: Event) -> None:
        data = self._worth.told(told, self._api_url)
        notice = Notice(id=f"msg_{told.id.hex}", type=told.type, at=told.at, data=data)
        away: list[UnavailableError] = []
        for notifier in self._notifiers:
            mark = self._mark(told, notifier.receiver)
            async with self._work(told.organisation_id) as uow:
                if await uow.events.written([mark.id]):
                    continue
            try:
                delivery = await notifier.send(notice)
            except UnavailableError as error:
                if self._clock.now() - told.at < PATIENCE:
                    away.append(error)
                    continue
                delivery = Delivery("failed", error.line())
            async with self._work(told.organisation_id) as uow:
                served = {**mark.data, "state": delivery.state, "reason": delivery.reason}
                await uow.events.add(replace(mark, data=served))
        if away:
            raise UnavailableError("; ".join(each.detail for each in away))

    def _mark(self, told: Event, receiver: str) -> Event:
        return event(
            told.organisation_id,
            "notice.sent",
            told.subject_id,
            self._clock.now(),
            data={"receiver": receiver, "of": told.type},
            occasion=f"{told.id}|{receiver}",
        )
