"""Schedules: written down, told to the workflow server, steered."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from purple.contracts.campaigns import CampaignInput
from purple.domain.calendars import FIRST_YEAR
from purple.domain.clock import Clock, Ids
from purple.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    OutOfScopeError,
    UnavailableError,
)
from purple.domain.pages import Page, Query
from purple.domain.ports import UnitOfWork, Work
from purple.domain.schedules import Overlap, Schedule, Scheduler, ScheduleState, Timing
from purple.services.campaigns import Campaigns
from purple.services.events import event
from purple.services.schedule_preview import Coming, coming_of
from purple.services.schedule_runs import PastRun, ScheduleRuns

MAX_BACKFILL = 50
_TRIES = 3
_KEPT = (ScheduleState.ACTIVE, ScheduleState.PAUSED)
_RUNS = {"profile", "target_ids", "authorisation_id", "options"}
"""What its campaigns do, for which a second person may have to answer."""
_TITLES = {"name": "a schedule has a name", "owner": "a schedule has an owner"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A schedule to write down."""

    name: str
    profile: str
    target_ids: tuple[UUID, ...]
    authorisation_id: UUID
    timing: Timing
    owner: str
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    note: str = ""
    paused: bool = False
    created_by: UUID | None = None


class Telling:
    """Tells the workflow server what a schedule is now."""

    def __init__(self, work: Work, scheduler: Scheduler) -> None:
        self._work = work
        self.scheduler = scheduler

    async def tell(self, organisation_id: UUID, schedule_id: UUID) -> None:
        """Tell of the present version; who changes it meanwhile makes us tell again.

        Raises:
            UnavailableError: the server is away; the relay tells it later.
        """
        for _ in range(_TRIES):
            async with self._work(organisation_id) as uow:
                schedule = await uow.schedules.get(schedule_id)
            if schedule.state is ScheduleState.DELETED:
                await self.scheduler.drop(schedule.id)
            else:
                await self.scheduler.keep(schedule, argument_of(schedule))
            async with self._work(organisation_id) as uow:
                same = {"version": schedule.version}
                if await uow.schedules.compare_and_set(schedule_id, same, told_version=schedule.version):
                    return


class Schedules:
    """Create, list, edit, delete, pause, resume, trigger, back-fill, preview."""

    def __init__(
        self, work: Work, telling: Telling, runs: ScheduleRuns, campaigns: Campaigns, clock: Clock, ids: Ids
    ) -> None:
        self._work = work
        self._telling = telling
        self._runs = runs
        self._campaigns = campaigns
        self._clock = clock
        self._ids = ids

    async def create(self, organisation_id: UUID, wanted: Wanted) -> Schedule:
        """Check and write down, then tell the workflow server; where that is away, the relay tells it later.

        Raises:
            InvalidInputError: the timing, profile, options or targets cannot be used.
            NotFoundError: a target or the authorisation is not there.
            OutOfScopeError: the authorisation has ended, or does not cover it.
            ConflictError: there is a schedule of that name.
        """
        now = self._clock.now()
        schedule = Schedule(
            id=self._ids.new(),
            organisation_id=organisation_id,
            name=wanted.name.strip(),
            profile=wanted.profile,
            target_ids=tuple(dict.fromkeys(wanted.target_ids)),
            authorisation_id=wanted.authorisation_id,
            options=wanted.options,
            timing=wanted.timing,
            state=ScheduleState.PAUSED if wanted.paused else ScheduleState.ACTIVE,
            owner=wanted.owner.strip(),
            created_at=now,
            settled_until=now,
            created_by=wanted.created_by,
            note=wanted.note.strip(),
            paused_at=now if wanted.paused else None,
        )
        await self._check(schedule)
        async with self._work(organisation_id) as uow:
            await _free_name(uow, schedule)
            await uow.schedules.add(schedule)
            await uow.events.add(_event(schedule, "schedule.created", now, profile=schedule.profile))
        return await self._told(schedule)

    async def edit(
        self, organisation_id: UUID, schedule_id: UUID, version: int, by: UUID | None, **changes: Any
    ) -> Schedule:
        """Change what is given of the version that was read; who changes what runs asks for it from then on.

        Raises:
            InvalidInputError: as `create`.
            NotFoundError: as `create`, or there is no such schedule.
            OutOfScopeError: as `create`.
            PreconditionFailedError: somebody changed it since.
        """
        now = self._clock.now()
        known = await self.get(organisation_id, schedule_id)
        if not _RUNS.isdisjoint(changes):
            changes["created_by"] = by
        wanted = replace(known, **changes)
        await self._check(wanted)
        async with self._work(organisation_id) as uow:
            await _free_name(uow, wanted)
            settled = await self._runs.settle(uow, known)  # by the times that it had until now
            if "timing" in changes:
                changes["settled_until"] = max(now, settled.settled_until)
            schedule = await uow.schedules.edit(schedule_id, version, **changes)
            fields = sorted(each for each in changes if each not in {"settled_until", "created_by"})
            await uow.events.add(_event(schedule, "schedule.changed", now, fields=fields))
        return await self._told(schedule)

    async def delete(self, organisation_id: UUID, schedule_id: UUID, version: int | None = None) -> None:
        """End it; campaigns that run go on, and its past runs stay.

        Raises:
            NotFoundError: there is none.
            PreconditionFailedError: somebody changed it since that version.
        """
        known = await self.get(organisation_id, schedule_id)
        now = self._clock.now()
        async with self._work(organisation_id) as uow:
            schedule = await uow.schedules.edit(schedule_id, version or known.version, state=ScheduleState.DELETED)
            await uow.events.add(_event(schedule, "schedule.deleted", now))
        await self._told(schedule)

    async def pause(self, organisation_id: UUID, schedule_id: UUID, note: str = "") -> Schedule:
        """Start nothing until it is resumed; the note says why.

        Raises:
            NotFoundError: there is none.
        """
        known = await self.get(organisation_id, schedule_id)
        now = self._clock.now()
        async with self._work(organisation_id) as uow:
            schedule = await uow.schedules.edit(
                schedule_id,
                known.version,
                state=ScheduleState.PAUSED,
                paused_at=known.paused_at or now,
                note=note.strip() or known.note,
            )
            await uow.events.add(_event(schedule, "schedule.paused", now, note=schedule.note))
        return await self._told(schedule)

    async def resume(self, organisation_id: UUID, schedule_id: UUID, note: str = "") -> Schedule:
        """Go on; what was due meanwhile is not made up for, and is written down as paused.

        Raises:
            NotFoundError: there is none.
            OutOfScopeError: its authorisation has ended.
        """
        known = await self.get(organisation_id, schedule_id)
        if known.state is ScheduleState.ACTIVE:
            return known
        await self._check(known)
        now = self._clock.now()
        async with self._work(organisation_id) as uow:
            await self._runs.settle(uow, known)
            schedule = await uow.schedules.edit(
                schedule_id,
                known.version,
                state=ScheduleState.ACTIVE,
                paused_at=None,
                note=note.strip(),
                settled_until=now,
            )
            await uow.events.add(_event(schedule, "schedule.resumed", now))
        return await self._told(schedule)

    async def trigger(self, organisation_id: UUID, schedule_id: UUID) -> Schedule:
        """Run it now, also where it is paused.

        Raises:
            NotFoundError: there is none.
            OutOfScopeError: its authorisation does not allow it now.
            ConflictError: its last run goes on, and it skips what overlaps.
            UnavailableError: the workflow server is away.
        """
        schedule = await self.get(organisation_id, schedule_id)
        await self._campaigns.check(argument_of(schedule))
        async with self._work(organisation_id) as uow:
            known = await self._runs.known(uow, schedule)
        running = next((each for each in known.busy if each.ended_at is None), None)
        if running is not None and schedule.timing.overlap is Overlap.SKIP:
            raise ConflictError(
                f"its run of {running.due_at:%Y-%m-%d %H:%M} UTC goes on, and this schedule skips what overlaps",
                field="schedule_id",
                value=schedule_id,
                remedy=f"wait for its end, or cancel campaign {running.campaign_id}",
            )
        await self._telling.tell(organisation_id, schedule_id)
        await self._telling.scheduler.trigger(schedule_id)
        async with self._work(organisation_id) as uow:
            now = self._clock.now()
            await uow.events.add(_event(schedule, "schedule.triggered", now, occasion=now.isoformat()))
        return schedule

    async def backfill(
        self, organisation_id: UUID, schedule_id: UUID, start: datetime, end: datetime
    ) -> tuple[datetime, ...]:
        """Run what was due in a period and did not begin, one after the other; the times that are run.

        Raises:
            InvalidInputError: it was not due in that period, or too often, or the period is not over.
            NotFoundError: there is none.
            OutOfScopeError: its authorisation does not allow it now.
            UnavailableError: the workflow server is away.
        """
        schedule = await self.get(organisation_id, schedule_id)
        times = _period(schedule, start, end, self._clock.now())
        await self._campaigns.check(argument_of(schedule))
        async with self._work(organisation_id) as uow:
            query = Query({"schedule_id": schedule.id, "due_at": times}, limit=MAX_BACKFILL)
            begun = {each.due_at for each in (await uow.schedule_runs.page(query)).items if not each.outcome.idle}
        left = tuple(each for each in times if each not in begun)
        if not left:
            raise ConflictError(
                "all that was due in that period has run",
                field="start",
                value=start,
                remedy="see the runs of the schedule, or trigger it",
            )
        await self._telling.tell(organisation_id, schedule_id)
        await self._telling.scheduler.backfill(schedule, left)
        async with self._work(organisation_id) as uow:
            now = self._clock.now()
            await self._runs.put_in_line(uow, schedule, left)
            told = [each.isoformat() for each in left]
            await uow.events.add(_event(schedule, "schedule.backfilled", now, occasion=now.isoformat(), times=told))
        return left

    async def preview(self, organisation_id: UUID, timing: Timing, authorisation_id: UUID | None = None) -> Coming:
        """The next ten runs of a timing that is not saved yet.

        Raises:
            InvalidInputError: it cannot be kept to.
            NotFoundError: the authorisation is not there.
        """
        timing.check(self._clock.now())
        authorisation = None
        if authorisation_id is not None:
            async with self._work(organisation_id) as uow:
                authorisation = await uow.authorisations.get(authorisation_id)
        return coming_of(timing, authorisation, self._clock.now())

    async def coming(self, schedule: Schedule) -> Coming:
        """The next ten runs of one, as if it were not paused."""
        async with self._work(schedule.organisation_id) as uow:
            authorisation = await uow.authorisations.get(schedule.authorisation_id)
        return coming_of(schedule.timing, authorisation, self._clock.now())

    async def get(self, organisation_id: UUID, schedule_id: UUID) -> Schedule:
        """One schedule.

        Raises:
            NotFoundError: there is none, or it was deleted.
        """
        async with self._work(organisation_id) as uow:
            found = await uow.schedules.get(schedule_id)
        if found.state is ScheduleState.DELETED:
            raise NotFoundError(
                f"schedule {schedule_id} was deleted", value=schedule_id, remedy="list those that exist"
            )
        return found

    async def page(self, organisation_id: UUID, query: Query) -> Page[Schedule]:
        """By default newest first."""
        async with self._work(organisation_id) as uow:
            return await uow.schedules.page(replace(query, where={"state": _KEPT, **query.where}))

    async def runs(self, organisation_id: UUID, schedule_id: UUID, query: Query) -> Page[PastRun]:
        """What became of each time at which it was due, by default the last first.

        Raises:
            NotFoundError: there is no such schedule.
        """
        return await self._runs.page(await self.get(organisation_id, schedule_id), query)

    async def _told(self, schedule: Schedule) -> Schedule:
        """Tell the workflow server after the commit; where it is away the relay does it later."""
        try:
            await self._telling.tell(schedule.organisation_id, schedule.id)
        except UnavailableError:
            return schedule
        return replace(schedule, told_version=schedule.version)

    async def _check(self, schedule: Schedule) -> None:
        for name, rule in _TITLES.items():
            if not getattr(schedule, name):
                raise InvalidInputError(rule, field=name, remedy="give one")
        schedule.timing.check(self._clock.now())
        try:
            await self._campaigns.check(argument_of(schedule))
        except OutOfScopeError as refused:
            if refused.rule != "not-yet-valid":  # its first runs may be refused: the preview says so
                raise


async def _free_name(uow: UnitOfWork, schedule: Schedule) -> None:
    same = await uow.schedules.page(Query({"state": _KEPT, "name": schedule.name}, limit=2))
    if any(each.id != schedule.id for each in same.items):
        raise ConflictError(
            f"there is a schedule {schedule.name!r}", field="name", value=schedule.name, remedy="choose another name"
        )


def argument_of(schedule: Schedule) -> CampaignInput:
    """What starts its campaigns."""
    return CampaignInput(
        organisation_id=schedule.organisation_id,
        name=schedule.name,
        profile=schedule.profile,
        target_ids=schedule.target_ids,
        authorisation_id=schedule.authorisation_id,
        options=schedule.options,
        created_by=schedule.created_by,
    )


def _period(schedule: Schedule, start: datetime, end: datetime, now: datetime) -> list[datetime]:
    for name, moment in (("start", start), ("end", end)):
        if moment.tzinfo is None or moment.year <= FIRST_YEAR or moment > now:
            raise InvalidInputError(
                f"{name} has no time zone, or is not over, or not of this century",
                field=name,
                value=moment,
                remedy="name a moment of the past, such as 2026-01-31T18:00:00Z",
            )
    before = start - timedelta(seconds=1)
    times = list(itertools.islice(schedule.timing.due(before, end), MAX_BACKFILL + 1)) if start <= end else []
    if not 1 <= len(times) <= MAX_BACKFILL:
        often = f"more than {MAX_BACKFILL} times" if times else "never"
        raise InvalidInputError(
            f"from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} it was due {often}",
            field="start",
            value=start,
            remedy="choose a shorter period" if times else "see when it is due in its preview",
        )
    return times


def _event(schedule: Schedule, kind: str, now: datetime, occasion: str = "", **data: Any) -> Any:
    told: Mapping[str, Any] = {"name": schedule.name, "owner": schedule.owner, **data}
    occasion = occasion or str(schedule.version)
    return event(schedule.organisation_id, kind, schedule.id, now, data=told, occasion=occasion)
