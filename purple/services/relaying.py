"""The relay's work: place events, feed search, repair lost starts, keep schedules. One leader at a time does it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from purple.domain.campaigns import Campaign
from purple.domain.clock import Clock
from purple.domain.errors import PurpleError, UnavailableError
from purple.domain.outbox import Outbox
from purple.services.campaigns import Campaigns
from purple.services.feeding import Feeding
from purple.services.undos import Undos

BATCH = 500
IDLE_S = 1.0
REPAIR_S = 5.0
PAUSE_S = 1.0
"""Between two rounds of a feed: each costs Elasticsearch as much as a hundred documents do, whatever it feeds."""
LOST_AFTER = timedelta(seconds=5)
SILENT_FOR = timedelta(seconds=60)
"""After so long a campaign that tells nothing is asked after; it may only wait, for a window or a long tool."""
LOOKED_AT = 20
"""So many of them each time: one question each to the workflow server."""

log = structlog.get_logger()

_Job = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Chore:
    """What the leader does beside, again and again."""

    trouble: str
    """For the log, where a part that it needs is away."""
    job: _Job


async def _woken(placed: asyncio.Event) -> None:
    """Until something was placed, and no sooner than a moment later, for events come in bursts; or for a while."""
    await asyncio.sleep(PAUSE_S)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REPAIR_S):
            await placed.wait()
    placed.clear()


class Relay:
    """At least once: a feed's position moves after it has been fed, and everything fed can be rebuilt."""

    def __init__(
        self,
        outbox: Outbox,
        feeds: Sequence[Feeding],
        campaigns: Campaigns,
        undos: Undos,
        clock: Clock,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._outbox = outbox
        self._feeds = tuple((each, asyncio.Event()) for each in feeds)
        self._campaigns = campaigns
        self._undos = undos
        self._clock = clock
        self._chores = (Chore("campaigns wait", self._repair), *chores)

    async def run(self, stop: asyncio.Event) -> None:
        """Lead when nobody else does, until told to stop; a part that is away is waited for."""
        while not stop.is_set():
            try:
                async with self._outbox.lead() as leader:
                    if leader:
                        await self._lead(stop)
                if not leader:
                    await asyncio.sleep(IDLE_S)
            except PurpleError as error:
                log.warning("relay waits", reason=error.line())
                await asyncio.sleep(IDLE_S)

    async def _lead(self, stop: asyncio.Event) -> None:
        """Place events; search, Temporal and receivers are served beside it, for each may keep us waiting."""
        beside = [
            *(
                asyncio.create_task(
                    self._again(f"search of {each.index} is stale", each.feed_all, partial(_woken, placed))
                )
                for each, placed in self._feeds
            ),
            *(
                asyncio.create_task(self._again(each.trouble, each.job, lambda: asyncio.sleep(REPAIR_S)))
                for each in self._chores
            ),
        ]
        try:
            while not stop.is_set():
                while number := await self._outbox.place(BATCH):
                    for _, placed in self._feeds:
                        placed.set()
                    if number < BATCH:
                        break
                for task in beside:
                    if task.done():
                        task.result()
                await self._outbox.wait(IDLE_S)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _again(self, trouble: str, job: _Job, rest: _Job) -> None:
        """Do a job for ever; a part that is away is tried again."""
        while True:
            try:
                await job()
            except PurpleError as error:
                log.warning(trouble, reason=error.line())
                await asyncio.sleep(IDLE_S)
            await rest()

    async def _repair(self) -> None:
        """What was lost between commit and call: starts, revocations, undos and ends that nobody looks after.

        A workflow that ended before its campaign began is found with the lost starts.
        """
        lost = self._clock.now() - LOST_AFTER
        for campaign in await self._outbox.lost_revocations(lost):
            await self._mend(campaign, self._campaigns.stop_revoked)
        for campaign in await self._outbox.lost_starts(lost):
            await self._mend(campaign, self._campaigns.restart_lost)
        for campaign in await self._outbox.left_undone():
            await self._mend(campaign, self._undos.repair)
        for campaign in await self._outbox.silent(self._clock.now() - SILENT_FOR, LOOKED_AT):
            await self._mend(campaign, self._undos.repair)

    @staticmethod
    async def _mend(campaign: Campaign, mend: Callable[[Campaign], Awaitable[None]]) -> None:
        try:
            await mend(campaign)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - one campaign that cannot start must not stop the feeds of all
            log.error("a campaign cannot be mended", campaign=str(campaign.id), error=repr(error))  # noqa: TRY400 - each round again; one line is enough
