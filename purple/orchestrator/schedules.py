"""Schedules in Temporal: each is kept as PostgreSQL has it, and starts campaigns by name and contract."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from purple.contracts import names
from purple.contracts.campaigns import CampaignInput
from purple.domain import schedules as domain
from purple.domain.calendars import Calendar
from purple.orchestrator.reaching import reached
from purple.orchestrator.temporal import RPC_TIMEOUT, TemporalOrchestrator

_VERSION = "schedule_version"
"""Memo of each campaign that a schedule starts, and by that of the schedule itself."""
_OVERLAP = {
    domain.Overlap.SKIP: ScheduleOverlapPolicy.SKIP,
    domain.Overlap.BUFFER_ONE: ScheduleOverlapPolicy.BUFFER_ONE,
    domain.Overlap.BUFFER_ALL: ScheduleOverlapPolicy.BUFFER_ALL,
    domain.Overlap.CANCEL_OTHER: ScheduleOverlapPolicy.CANCEL_OTHER,
    domain.Overlap.ALLOW_ALL: ScheduleOverlapPolicy.ALLOW_ALL,
}


class TemporalSchedules:
    """See `domain.schedules.Scheduler`."""

    def __init__(self, temporal: TemporalOrchestrator) -> None:
        self._temporal = temporal

    async def keep(self, schedule: domain.Schedule, argument: Any) -> None:
        """Create it, or update the one that is there unless it is a later version."""
        if not isinstance(argument, CampaignInput):
            raise TypeError(f"a campaign starts from a CampaignInput, not {type(argument).__name__}")
        wanted = _schedule(schedule, argument)
        async with reached():
            client = await self._temporal.client()
            try:
                await client.create_schedule(_id(schedule.id), wanted, rpc_timeout=RPC_TIMEOUT)
            except ScheduleAlreadyRunningError:

                async def newer(known: ScheduleUpdateInput) -> ScheduleUpdate | None:
                    later = await _version(client, known.description) > schedule.version
                    return None if later else ScheduleUpdate(wanted)

                await client.get_schedule_handle(_id(schedule.id)).update(newer, rpc_timeout=RPC_TIMEOUT)

    async def drop(self, schedule_id: UUID) -> None:
        """Delete it."""
        async with reached():
            try:
                await (await self._handle(schedule_id)).delete(rpc_timeout=RPC_TIMEOUT)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

    async def trigger(self, schedule_id: UUID) -> None:
        """By its own overlap policy."""
        async with reached():
            await (await self._handle(schedule_id)).trigger(rpc_timeout=RPC_TIMEOUT)

    async def backfill(self, schedule: domain.Schedule, times: Sequence[datetime]) -> None:
        """A period for each: Temporal leaves its start out, and what its jitter moves behind its end."""
        second, jitter = timedelta(seconds=1), timedelta(seconds=schedule.timing.jitter_s)
        periods = [ScheduleBackfill(each - second, each + jitter, ScheduleOverlapPolicy.BUFFER_ALL) for each in times]
        async with reached():
            await (await self._handle(schedule.id)).backfill(*periods, rpc_timeout=RPC_TIMEOUT)

    async def look(self, schedule_id: UUID) -> domain.ScheduleSeen | None:
        """Describe it."""
        async with reached():
            try:
                told = await (await self._handle(schedule_id)).describe(rpc_timeout=RPC_TIMEOUT)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise
            return domain.ScheduleSeen(
                version=await _version(await self._temporal.client(), told),
                paused=told.schedule.state.paused,
                note=told.schedule.state.note or "",
                started=frozenset(_started(told)),
                next_at=tuple(told.info.next_action_times),
            )

    async def _handle(self, schedule_id: UUID) -> ScheduleHandle:
        return (await self._temporal.client()).get_schedule_handle(_id(schedule_id))


def _id(schedule_id: UUID) -> str:
    return f"schedule/{schedule_id}"


def _started(told: ScheduleDescription) -> Iterator[datetime]:
    actions = [*told.info.running_actions, *(each.action for each in told.info.recent_actions)]
    for each in actions:
        occasion = domain.occasion_of(getattr(each, "workflow_id", ""))
        if occasion is not None:
            yield occasion[1]


async def _version(client: Client, told: ScheduleDescription) -> int:
    action = told.schedule.action
    memo = action.memo if isinstance(action, ScheduleActionStartWorkflow) else None
    value = (memo or {}).get(_VERSION)
    if isinstance(value, Payload):
        (value,) = await client.data_converter.decode([value])
    return value if isinstance(value, int) else 0


def _schedule(schedule: domain.Schedule, argument: CampaignInput) -> Schedule:
    timing = schedule.timing
    return Schedule(
        action=ScheduleActionStartWorkflow(
            names.WORKFLOW,
            argument,
            id=domain.workflow_of(schedule.id),
            task_queue=names.QUEUE_CONTROL,
            static_summary=argument.name[:200],
            static_details=f"Profile {argument.profile}, {len(argument.target_ids)} target(s), by a schedule",
            memo={_VERSION: schedule.version},
        ),
        spec=ScheduleSpec(
            calendars=[_calendar(each) for each in timing.calendars],
            start_at=timing.start_at,
            end_at=timing.end_at,
            jitter=timedelta(seconds=timing.jitter_s) if timing.jitter_s else None,
            time_zone_name=timing.time_zone,
        ),
        policy=SchedulePolicy(overlap=_OVERLAP[timing.overlap], catchup_window=timedelta(seconds=timing.catch_up_s)),
        state=ScheduleState(note=schedule.note or None, paused=schedule.state is domain.ScheduleState.PAUSED),
    )


def _calendar(calendar: Calendar) -> ScheduleCalendarSpec:
    return ScheduleCalendarSpec(
        minute=_ranges(calendar.minute),
        hour=_ranges(calendar.hour),
        day_of_month=_ranges(calendar.day_of_month),
        month=_ranges(calendar.month),
        day_of_week=_ranges(calendar.day_of_week),
        year=_ranges(calendar.year),
    )


def _ranges(numbers: tuple[int, ...]) -> list[ScheduleRange]:
    """Numbers that follow each other become one range."""
    found: list[ScheduleRange] = []
    for each in numbers:
        if found and found[-1].end == each - 1:
            found[-1] = ScheduleRange(found[-1].start, each)
        else:
            found.append(ScheduleRange(each, each))
    return found
