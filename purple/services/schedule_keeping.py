"""The relay's care for schedules: tell what was not told, stop what is no longer allowed, say why nothing happened."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from purple.domain.clock import Clock
from purple.domain.errors import UnavailableError
from purple.domain.outbox import Outbox
from purple.domain.ports import UnitOfWork, Work
from purple.domain.schedules import Schedule, ScheduleState
from purple.services.events import event
from purple.services.schedule_preview import end_of
from purple.services.schedule_runs import ScheduleRuns
from purple.services.schedules import Telling

LOOK = timedelta(minutes=1)
"""So often it is looked whether the workflow server still has a schedule as we do."""

log = structlog.get_logger()


class ScheduleKeeping:
    """One round looks at every schedule of every organisation. PostgreSQL is right; only a pause is taken over."""

    def __init__(self, outbox: Outbox, work: Work, telling: Telling, runs: ScheduleRuns, clock: Clock) -> None:
        self._outbox = outbox
        self._work = work
        self._telling = telling
        self._runs = runs
        self._clock = clock
        self._looked: dict[UUID, datetime] = {}

    async def keep(self) -> None:
        """One round.

        Raises:
            UnavailableError: PostgreSQL or the workflow server is away.
        """
        for schedule in await self._outbox.schedules():
            try:
                await self.keep_one(schedule)
            except UnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - one schedule that cannot be kept must not stop all others
                log.error("a schedule cannot be kept", schedule=str(schedule.id), error=repr(error))  # noqa: TRY400 - each round again; one line is enough

    async def keep_one(self, schedule: Schedule) -> None:
        """Everything that one needs now."""
        now = self._clock.now()
        if schedule.state is ScheduleState.ACTIVE and (why := await self._ended(schedule, now)):
            schedule = await self._stop(schedule, f"paused by itself: {why}", now)
        if schedule.told_version < schedule.version:
            await self._telling.tell(schedule.organisation_id, schedule.id)
        if schedule.state is ScheduleState.DELETED:
            return
        due = next(schedule.timing.due(schedule.settled_until, now), None)
        started: frozenset[datetime] = frozenset()
        long_ago = now - self._looked.get(schedule.id, schedule.created_at) >= LOOK
        if long_ago or (due is not None and schedule.state is ScheduleState.ACTIVE):
            started = await self._look(schedule, now)
        if due is not None:
            async with self._work(schedule.organisation_id) as uow:
                await self._runs.settle(uow, schedule, started)

    async def _ended(self, schedule: Schedule, now: datetime) -> str:
        async with self._work(schedule.organisation_id) as uow:
            return end_of(await uow.authorisations.get(schedule.authorisation_id), now)

    async def _stop(self, schedule: Schedule, why: str, now: datetime) -> Schedule:
        """Pause it; the event is what its owner is told by."""
        async with self._work(schedule.organisation_id) as uow:
            known = await uow.schedules.get(schedule.id)
            if known.version != schedule.version:  # somebody was faster: the next round looks again
                return known
            return await _pause(uow, known, why, now)

    async def _look(self, schedule: Schedule, now: datetime) -> frozenset[datetime]:
        """Compare with what the workflow server has; what it started lately."""
        seen = await self._telling.scheduler.look(schedule.id)
        self._looked[schedule.id] = now
        if seen is not None and seen.version == schedule.version:
            if seen.paused and schedule.state is ScheduleState.ACTIVE:
                why = f"paused in the workflow server{f': {seen.note}' if seen.note else ''}"
                schedule = await self._stop(schedule, why, now)
            elif seen.paused == (schedule.state is ScheduleState.PAUSED):
                return seen.started
        await self._telling.tell(schedule.organisation_id, schedule.id)
        return seen.started if seen else frozenset()


async def _pause(uow: UnitOfWork, schedule: Schedule, why: str, now: datetime) -> Schedule:
    stopped = await uow.schedules.edit(
        schedule.id, schedule.version, state=ScheduleState.PAUSED, paused_at=now, note=why
    )
    data = {"name": schedule.name, "owner": schedule.owner, "profile": schedule.profile, "reason": why}
    await uow.events.add(
        event(schedule.organisation_id, "schedule.stopped", schedule.id, now, data=data, occasion=str(stopped.version))
    )
    return stopped
