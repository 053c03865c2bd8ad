"""What became of each time at which a schedule was due: a campaign, or why there is none."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from purple.contracts.campaigns import BeginRequest, Begun
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.clock import Clock
from purple.domain.errors import PurpleError, UnavailableError
from purple.domain.pages import MAX_LIMIT, Page, Query
from purple.domain.ports import UnitOfWork, Work
from purple.domain.schedules import (
    PATIENCE,
    Busy,
    Cause,
    Known,
    RunOutcome,
    Schedule,
    ScheduleRun,
    judge,
    occasion_of,
    run_id_of,
)
from purple.services.campaigns import Campaigns
from purple.services.events import event

BATCH = 500
"""Times that one transaction settles."""
_RECENT = 50


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run, with how far its campaign is."""

    run: ScheduleRun
    campaign_state: CampaignState | None


@dataclass(frozen=True, slots=True)
class _Ran:
    """What a run is to be."""

    outcome: RunOutcome
    reason: str = ""
    campaign_id: UUID | None = None


class ScheduleRuns:
    """Written when a campaign begins, or when it is certain that none will."""

    def __init__(self, work: Work, campaigns: Campaigns, clock: Clock) -> None:
        self._work = work
        self._campaigns = campaigns
        self._clock = clock

    async def begin(self, request: BeginRequest) -> Begun:
        """Begin a campaign; for one that a schedule started, write down that it did, or why it could not."""
        occasion = occasion_of(request.workflow_id)
        if occasion is None:
            return await self._campaigns.begin(request)
        organisation_id = request.campaign.organisation_id
        try:
            begun = await self._campaigns.begin(request)
        except UnavailableError:
            raise
        except PurpleError as error:
            await self._note(organisation_id, *occasion, _Ran(RunOutcome.FAILED, error.line()))
            raise
        outcome = RunOutcome.REFUSED if begun.refused else RunOutcome.STARTED
        await self._note(organisation_id, *occasion, _Ran(outcome, begun.refused, begun.ref.campaign_id))
        return begun

    async def _note(self, organisation_id: UUID, schedule_id: UUID, due: datetime, ran: _Ran) -> None:
        async with self._work(organisation_id) as uow:
            schedule = await uow.schedules.find(schedule_id)
            if schedule is None:  # somebody chose such a workflow id by hand
                return
            known = await uow.schedule_runs.find(run_id_of(schedule_id, due))
            if known is None:
                await self.write(uow, schedule, due, ran.outcome, ran.reason, ran.campaign_id)
            elif known.outcome.idle:
                cause = known.cause if known.outcome is RunOutcome.WAITING else Cause.BACKFILL
                now = self._clock.now()
                run = replace(
                    known,
                    outcome=ran.outcome,
                    reason=ran.reason,
                    campaign_id=ran.campaign_id,
                    cause=cause,
                    created_at=now,
                )
                await uow.schedule_runs.update(
                    run.id,
                    outcome=run.outcome,
                    reason=run.reason,
                    campaign_id=run.campaign_id,
                    cause=cause,
                    created_at=now,
                )
                await _tell(uow, run)

    async def write(
        self,
        uow: UnitOfWork,
        schedule: Schedule,
        due: datetime,
        outcome: RunOutcome,
        reason: str,
        campaign_id: UUID | None = None,
    ) -> None:
        """Write down what became of a due time, unless it is written."""
        now = self._clock.now()
        run = ScheduleRun(
            id=run_id_of(schedule.id, due),
            organisation_id=schedule.organisation_id,
            schedule_id=schedule.id,
            due_at=due,
            cause=_cause(schedule, due, now) if campaign_id else Cause.SCHEDULE,
            outcome=outcome,
            reason=reason,
            created_at=now,
            campaign_id=campaign_id,
        )
        if await uow.schedule_runs.upsert(run):
            await _tell(uow, run)

    async def put_in_line(self, uow: UnitOfWork, schedule: Schedule, times: Iterable[datetime]) -> None:
        """Write down that these times are to be back-filled; those that have begun since stay as they are."""
        now = self._clock.now()
        told: dict[str, Any] = {"cause": Cause.BACKFILL, "outcome": RunOutcome.WAITING, "created_at": now}
        told["reason"] = "it is to be back-filled, and begins when the run before has ended and a worker takes it"
        for due in times:
            run = ScheduleRun(
                id=run_id_of(schedule.id, due),
                organisation_id=schedule.organisation_id,
                schedule_id=schedule.id,
                due_at=due,
                **told,
            )
            if await uow.schedule_runs.upsert(run):
                continue
            for outcome in RunOutcome:
                if outcome.idle:
                    await uow.schedule_runs.compare_and_set(run.id, {"outcome": outcome}, **told)

    async def settle(self, uow: UnitOfWork, schedule: Schedule, started: frozenset[datetime] = frozenset()) -> Schedule:
        """Say of each time that is over why nothing began, as far as that is certain; the schedule as it is then."""
        now = self._clock.now()
        known = await self.known(uow, schedule, started)
        at = schedule.settled_until
        for due in itertools.islice(schedule.timing.due(at, now), BATCH):
            if await uow.schedule_runs.find(run_id_of(schedule.id, due)) is None:
                verdict = judge(schedule, due, known, now)
                if verdict is None:
                    break
                await self.write(uow, schedule, due, *verdict)
                if verdict[0] is RunOutcome.WAITING:
                    known = replace(known, waiting=known.waiting + 1)
            at = due
        if at > schedule.settled_until:
            await uow.schedules.compare_and_set(
                schedule.id, {"settled_until": schedule.settled_until}, settled_until=at
            )
        return replace(schedule, settled_until=at)

    async def known(self, uow: UnitOfWork, schedule: Schedule, started: frozenset[datetime] = frozenset()) -> Known:
        """The last runs that began or are in line."""
        recent = await uow.schedule_runs.page(Query({"schedule_id": schedule.id}, sort="-due_at", limit=_RECENT))
        campaigns = await _campaigns_of(uow, recent.items)
        busy = []
        waiting = [each for each in recent.items if each.outcome is RunOutcome.WAITING]
        for run in recent.items:
            campaign = campaigns.get(run.campaign_id) if run.campaign_id else None
            if campaign is not None:
                busy.append(Busy(run.due_at, campaign.created_at, campaign.ended_at, campaign.id))
            elif run.due_at in started and run.outcome is RunOutcome.WAITING:
                busy.append(Busy(run.due_at, run.due_at, None))
        return Known(started, tuple(busy), len(waiting))

    async def page(self, schedule: Schedule, query: Query) -> Page[PastRun]:
        """A schedule's runs, by default the last due first."""
        async with self._work(schedule.organisation_id) as uow:
            found = await uow.schedule_runs.page(replace(query, where={**query.where, "schedule_id": schedule.id}))
            campaigns = await _campaigns_of(uow, found.items)
        shown = [
            PastRun(run, campaigns[run.campaign_id].state if run.campaign_id in campaigns else None)
            for run in found.items
        ]
        return Page(tuple(shown), found.next_cursor, found.note)


async def _campaigns_of(uow: UnitOfWork, runs: Iterable[ScheduleRun]) -> dict[UUID | None, Campaign]:
    ids = [run.campaign_id for run in runs if run.campaign_id]
    if not ids:
        return {}
    return {each.id: each for each in (await uow.campaigns.page(Query({"id": ids}, limit=MAX_LIMIT))).items}


def _cause(schedule: Schedule, due: datetime, now: datetime) -> Cause:
    if due not in schedule.timing.due(due - timedelta(seconds=1), due):
        return Cause.TRIGGER
    late = timedelta(seconds=schedule.timing.jitter_s + schedule.timing.catch_up_s) + PATIENCE
    return Cause.BACKFILL if now > due + late else Cause.SCHEDULE


async def _tell(uow: UnitOfWork, run: ScheduleRun) -> None:
    data = {"due_at": run.due_at.isoformat(), "outcome": run.outcome, "reason": run.reason, "cause": run.cause}
    await uow.events.add(
        event(
            run.organisation_id,
            "schedule.ran",
            run.schedule_id,
            run.created_at,
            campaign_id=run.campaign_id,
            data=data,
            occasion=f"{run.due_at.isoformat()}|{run.outcome}",
        )
    )
