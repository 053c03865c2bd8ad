"""Who owns a schedule hears when it has paused itself."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from purple.domain.clock import Clock
from purple.domain.errors import UnavailableError
from purple.domain.events import Event
from purple.domain.outbox import Outbox
from purple.domain.ports import Notifier, Work
from purple.domain.reports import Delivery, Notice
from purple.services.events import event

FEED = "notices/schedules"
TYPE = "schedule.stopped"
BATCH = 500
PATIENCE = timedelta(hours=1)
"""A receiver that is away is asked for so long."""


class ScheduleNotices:
    """A feed of the outbox: at least once, and each receiver that was served is not served again."""

    def __init__(
        self,
        outbox: Outbox,
        work: Work,
        notifiers: Iterable[Notifier],
        clock: Clock,
        api_url: str = "",
        feed: str = FEED,
    ) -> None:
        self._outbox = outbox
        self._work = work
        self._notifiers = tuple(notifiers)
        self._clock = clock
        self._api_url = api_url
        self._feed = feed

    async def tell(self) -> None:
        """Tell of what has happened since the last call.

        Raises:
            UnavailableError: a receiver or PostgreSQL is away; call again.
        """
        while True:
            at = await self._outbox.feed(self._feed)
            events = await self._outbox.after(at, BATCH)
            if not events:
                return
            for each in events:
                if each.type == TYPE:
                    await self._serve(each)
                    await self._outbox.advance(self._feed, each.position or at)
            await self._outbox.advance(self._feed, events[-1].position or at)

    async def _serve(self, told: Event) -> None:
        data = {"schedule_id": str(told.subject_id), "state": "paused", **told.data}
        if self._api_url:
            data["url"] = f"{self._api_url}/api/v1/schedules/{told.subject_id}"
        notice = Notice(id=f"msg_{told.id.hex}", type=TYPE, at=told.at, data=data)
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
            data={"receiver": receiver, "of": TYPE},
            occasion=f"{told.id}|{receiver}",
        )
