"""The relay's care for alerts: what changes is held against each saved search that is one."""

from collections.abc import Sequence
from uuid import UUID

from purple.domain.clock import Clock
from purple.domain.events import Event
from purple.domain.outbox import Outbox
from purple.domain.ports import Work
from purple.domain.search import VULNERABILITIES, Index
from purple.services.events import event
from purple.services.feeding import Where, rows_of, touched, vulnerabilities_of
from purple.services.saved_searches import wanted_of

FEED = "alerts"
EVENTS = 2_000
"""Of one round: what they brought up is told at once."""
NAMED = 20
"""Vulnerabilities that an event names."""


class Alerting:
    """Each vulnerability is told once for each search: a match is noted in the transaction that tells of it."""

    def __init__(self, outbox: Outbox, work: Work, index: Index, clock: Clock) -> None:
        self._outbox = outbox
        self._work = work
        self._index = index
        self._clock = clock

    async def keep(self) -> None:
        """Until nothing waits.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        while await self.feed():
            pass

    async def feed(self) -> bool:
        """Hold what the next events speak of against all alerts; whether there were any events."""
        at = await self._outbox.feed(FEED)
        events = await self._outbox.after(at, EVENTS)
        if not events:
            return False
        for organisation_id, where in touched(events, vulnerabilities_of).items():
            await self._look(organisation_id, where, events[-1])
        await self._outbox.advance(FEED, events[-1].position or at)
        return True

    async def _look(self, organisation_id: UUID, where: Where, last: Event) -> None:
        async with self._work(organisation_id) as uow:
            if not await uow.saved_searches.all(alert=True):
                return
        parts = [ids async for ids in rows_of(self._work, organisation_id, VULNERABILITIES, where)]
        now = self._clock.now()
        async with self._work(organisation_id) as uow:
            for search in await uow.saved_searches.all(alert=True):
                wanted = wanted_of(self._index, search.query)
                found: list[UUID] = []
                for ids in parts:
                    found += await uow.alerts.news(search.id, wanted, ids, now)
                if found:
                    data = {"name": search.name, "query": search.query, "owner": search.owner, **_told(found)}
                    told = event(organisation_id, "search.matched", search.id, now, data=data, occasion=str(last.id))
                    await uow.events.add(told)


def _told(found: Sequence[UUID]) -> dict[str, object]:
    return {"count": len(found), "vulnerability_ids": [str(each) for each in found[:NAMED]]}
