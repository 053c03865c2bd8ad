"""The relay's care for false positives: verdicts are learned from, and what is scored otherwise is scored anew."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError
from purple.domain.events import Event
from purple.domain.false_positives import SHIPPED_VERSION, Abilities
from purple.domain.outbox import PLACED, Outbox
from purple.domain.ports import Work
from purple.domain.vulnerabilities import ChangeCause
from purple.services.doubting import Origin, act, doubt
from purple.services.false_positives import FalsePositives
from purple.services.sweeping import sweep

FEED = "false-positives"
CHANGED = "vulnerability.changed"
"""All that it hears."""
EVENTS = 5_000
BATCH = 1_000
"""Findings in one transaction, so that it holds the locks of their targets only shortly."""
QUIET = timedelta(minutes=1)
"""People triage one after another: what they said is learned when they pause for so long,"""
PATIENCE = timedelta(minutes=10)
"""or when the first of it is so old."""
_SAID = {str(ChangeCause.PERSON), str(ChangeCause.UNDO)}


class Relearning:
    """Each transaction scores some. One that is done twice finds nothing left to change."""

    def __init__(
        self,
        outbox: Outbox,
        work: Work,
        false_positives: FalsePositives,
        abilities: Abilities,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._outbox = outbox
        self._work = work
        self._false_positives = false_positives
        self._abilities = abilities
        self._clock = clock
        self._ids = ids

    async def keep(self) -> None:
        """One round: learn from what was said, then score every organisation that is behind.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        await self._hear()
        for organisation_id in await self._outbox.unscored(SHIPPED_VERSION):
            await self.catch_up(organisation_id)

    async def _hear(self) -> None:
        at = await self._outbox.feed(FEED)
        if not at:  # a new Purple, or one that comes from before there were models
            for organisation_id in await self._outbox.organisations():
                await self._learn(organisation_id)
            await self._outbox.advance(FEED, await self._outbox.feed(PLACED))
            return
        placed = await self._outbox.feed(PLACED)
        while events := await self._outbox.after(at, EVENTS, CHANGED):
            said = [each for each in events if is_verdict(each)]
            if self._goes_on(said):
                return
            for organisation_id in sorted({each.organisation_id for each in said}):
                await self._learn(organisation_id)
            at = events[-1].position or at
            await self._outbox.advance(FEED, at)
        if placed > at:
            await self._outbox.advance(FEED, placed)

    def _goes_on(self, said: Sequence[Event]) -> bool:
        """Whether somebody may be about to say more."""
        if not said:
            return False
        now = self._clock.now()
        return timedelta() <= now - said[-1].at < QUIET and now - said[0].at < PATIENCE

    async def _learn(self, organisation_id: UUID) -> None:
        try:
            await self._false_positives.learn(organisation_id)
        except ConflictError:
            return  # a person asked for it at the same moment, and has it

    async def catch_up(self, organisation_id: UUID) -> None:
        """Score all that is a present problem by the newest model, and act by the policy.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        async with self._work(organisation_id) as uow:
            standing, latest = await uow.verdicts.standing(), await uow.verdicts.latest()
        async for ids in sweep(self._work, organisation_id, lambda uow, after: uow.verdicts.present(after, BATCH)):
            async with self._work(organisation_id) as uow:
                origin = Origin(organisation_id, self._clock.now(), str(self._ids.new()))
                await doubt(uow, self._abilities, ids, origin, lock=True)
        acted = True
        while acted:
            async with self._work(organisation_id) as uow:
                now = self._clock.now()
                acted = bool(await act(uow, organisation_id, standing.policy, now, self._ids.new()))
        async with self._work(organisation_id) as uow:
            await uow.verdicts.set_scored(standing.version, latest.version if latest else 0, SHIPPED_VERSION)


def is_verdict(event: Event) -> bool:
    """Whether a person said, or took back, what a finding is."""
    return event.type == CHANGED and event.data.get("cause") in _SAID and "state" in event.data
