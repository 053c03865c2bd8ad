"""The relay's samples of the system's health, each an event of the first organisation: what runs, waits and lags."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from purple.domain.clock import Clock
from purple.domain.conditions import Fields
from purple.domain.errors import UnavailableError
from purple.domain.filters import parse_filter
from purple.domain.outbox import PLACED, Outbox
from purple.domain.ports import Orchestrator, Work
from purple.domain.search import SAMPLED, SCAN_RESULTS, Search, Wanted, feed_of
from purple.services.events import event
from purple.services.identity import FIRST_ORGANISATION

FEED = "system/samples"
"""Its position is the number of the last sample since 1970."""
EVERY = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATES = ("pending", "running")


class Sampling:
    """One sample in each five minutes, by the leader; a part that is away is part of the picture."""

    def __init__(
        self,
        outbox: Outbox,
        work: Work,
        orchestrator: Orchestrator,
        queues: Sequence[str],
        searches: Mapping[str, Search],
        scans: Fields,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._work = work
        self._orchestrator = orchestrator
        self._queues = tuple(queues)
        self._searches = searches
        self._scans = scans.conditions(parse_filter(f"state:{','.join(_STATES)}"))
        self._clock = clock

    async def keep(self) -> None:
        """Take one where it is time.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        now = self._clock.now()
        number = (now - _EPOCH) // EVERY
        if await self._outbox.feed(FEED) >= number:
            return
        data = await self._sample()
        async with self._work(FIRST_ORGANISATION) as uow:
            told = event(FIRST_ORGANISATION, SAMPLED, FIRST_ORGANISATION, now, data=data, occasion=str(number))
            await uow.events.add(told)
        await self._outbox.advance(FEED, number)

    async def _sample(self) -> dict[str, object]:
        began = time.perf_counter()
        placed = await self._outbox.feed(PLACED)
        took = time.perf_counter() - began
        scans = dict.fromkeys(_STATES, 0)
        for organisation_id in await self._outbox.organisations():
            async with self._work(organisation_id) as uow:
                found = await uow.documents.find(SCAN_RESULTS, Wanted(self._scans, facets={"state": len(_STATES)}))
            for state, number in found.counts["state"].items():
                scans[state] += number
        return {
            "database_ms": round(1_000 * took, 3),
            "scans_pending": scans["pending"],
            "scans_running": scans["running"],
            "queues_served": sum(await asyncio.gather(*map(self._served, self._queues))),
            "events": placed,
            "events_behind": max([await self._behind(each, placed) for each in self._searches.values()]),
        }

    async def _served(self, queue: str) -> bool:
        try:
            return await self._orchestrator.served(queue)
        except UnavailableError:
            return False

    async def _behind(self, search: Search, placed: int) -> int:
        """Events that an index was not fed; all of them where it is away."""
        try:
            return max(0, placed - await self._outbox.feed(feed_of(await search.generation())))
        except UnavailableError:
            return placed
