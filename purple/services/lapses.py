"""The relay's care for vulnerabilities whose time is over: accepted risks, and due dates."""

from datetime import datetime
from uuid import UUID

from purple.domain.clock import Clock
from purple.domain.life import Told
from purple.domain.outbox import Outbox
from purple.domain.ports import Work
from purple.domain.vulnerabilities import ChangeCause
from purple.services.events import event
from purple.services.life import events_of

BATCH = 1_000


class Lapses:
    """Each round finds what is over and not yet told; so much in one transaction that it stays short."""

    def __init__(self, outbox: Outbox, work: Work, clock: Clock) -> None:
        self._outbox = outbox
        self._work = work
        self._clock = clock

    async def keep(self) -> None:
        """One round over every organisation.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        now = self._clock.now()
        for organisation_id in await self._outbox.lapsed(now):
            await self.end(organisation_id, now)

    async def end(self, organisation_id: UUID, now: datetime) -> None:
        """All of one organisation."""
        while await self._end_acceptances(organisation_id, now) == BATCH:
            pass
        while await self._tell_overdue(organisation_id, now) == BATCH:
            pass

    async def _end_acceptances(self, organisation_id: UUID, now: datetime) -> int:
        async with self._work(organisation_id) as uow:
            ended = await uow.lives.end_acceptances(now, BATCH)
            await uow.events.add(*events_of(organisation_id, ended, Told(ChangeCause.CLOCK, now)))
            return len(ended)

    async def _tell_overdue(self, organisation_id: UUID, now: datetime) -> int:
        """One event for each due date that passed."""
        async with self._work(organisation_id) as uow:
            over = await uow.due_dates.overdue(now, BATCH)
            await uow.events.add(
                *(
                    event(
                        organisation_id,
                        "vulnerability.overdue",
                        one,
                        now,
                        data={"due_at": due.isoformat()},
                        occasion=due.isoformat(),
                    )
                    for one, due in over
                )
            )
            return len(over)
