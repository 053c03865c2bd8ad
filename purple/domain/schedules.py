"""Schedules: recurring campaigns, when they are due, and what became of each time that one was."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID, uuid5

from purple.domain.calendars import (
    FIRST_YEAR,
    LAST_YEAR,
    Calendar,
    instants,
    left_out,
    parse_calendar,
    parse_cron,
    zone_of,
)
from purple.domain.errors import InvalidInputError

MAX_RULES = 20
MAX_JITTER_S = 86_400
CATCH_UP_S = (10, 86_400)
"""Temporal takes no catch-up window that is shorter."""
SHOWN = 10
"""Runs that people see before they save."""
_WORKFLOW = re.compile(r"campaign/schedule/([0-9a-f-]{36})-(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\Z")


class ScheduleState(StrEnum):
    """Whether it starts campaigns."""

    ACTIVE = "active"
    PAUSED = "paused"
    DELETED = "deleted"
    """Its past runs stay."""


class Overlap(StrEnum):
    """What becomes of a run that is due while the one before still goes on."""

    SKIP = "skip"
    BUFFER_ONE = "buffer_one"
    """It begins when the one before has ended; of several that are due meanwhile only the first."""
    BUFFER_ALL = "buffer_all"
    """They begin one after the other."""
    CANCEL_OTHER = "cancel_other"
    """The one before is cancelled."""
    ALLOW_ALL = "allow_all"
    """They run beside each other."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a schedule is due, and what happens around it."""

    cron: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()
    time_zone: str = "UTC"
    jitter_s: int = 0
    """A run begins up to so many seconds late, at random."""
    overlap: Overlap = Overlap.SKIP
    catch_up_s: int = 300
    """What was due while the workflow server was away still begins within this time."""
    start_at: datetime | None = None
    end_at: datetime | None = None

    @property
    def calendars(self) -> tuple[Calendar, ...]:
        """Expressions and calendars, read.

        Raises:
            InvalidInputError: one cannot be read.
        """
        return (*map(parse_cron, self.cron), *map(parse_calendar, self.calendar))

    def due(self, after: datetime, until: datetime | None = None) -> Iterator[datetime]:
        """The instants at which it is due, after one and up to another; lazily, in order."""
        if self.start_at is not None:
            after = max(after, self.start_at - timedelta(seconds=1))
        ends = [each for each in (until, self.end_at) if each is not None]
        return instants(self.calendars, zone_of(self.time_zone), after, min(ends, default=None))

    def check(self, now: datetime) -> None:
        """Refuse what can never be due, or cannot be kept to.

        Raises:
            InvalidInputError: names the field, the value and the remedy.
        """
        rules = len(self.cron) + len(self.calendar)
        if not 1 <= rules <= MAX_RULES:
            raise InvalidInputError(
                f"a schedule has 1 to {MAX_RULES} cron expressions and calendars",
                field="timing.cron",
                value=rules,
                remedy="write one such as 30 3 * * mon-fri",
            )
        zone_of(self.time_zone)
        self._check_ends()
        _within("timing.catch_up_s", self.catch_up_s, *CATCH_UP_S)
        _within("timing.jitter_s", self.jitter_s, 0, MAX_JITTER_S)
        due = list(itertools.islice(self.due(now), SHOWN))
        if not due:
            raise InvalidInputError(
                "it is never due" + (" between its start and its end" if self.start_at or self.end_at else ""),
                field="timing.cron" if self.cron else "timing.calendar",
                value="; ".join((*self.cron, *self.calendar)),
                remedy="name a day and a time that come",
            )
        between = min((later - sooner for sooner, later in itertools.pairwise(due)), default=None)
        if between is not None and between <= timedelta(seconds=self.jitter_s):
            raise InvalidInputError(
                f"a jitter of {self.jitter_s} s is not shorter than the {between.total_seconds():.0f} s between runs",
                field="timing.jitter_s",
                value=self.jitter_s,
                remedy="choose less",
            )

    def _check_ends(self) -> None:
        for name, moment in (("start_at", self.start_at), ("end_at", self.end_at)):
            if moment is not None and (moment.tzinfo is None or not FIRST_YEAR < moment.year < LAST_YEAR):
                raise InvalidInputError(
                    f"{name} has no time zone or is not of this century",
                    field=f"timing.{name}",
                    value=moment,
                    remedy="write it as 2026-01-31T18:00:00Z",
                )
        if self.start_at is not None and self.end_at is not None and self.end_at <= self.start_at:
            raise InvalidInputError(
                "end_at is not after start_at", field="timing.end_at", value=self.end_at, remedy="choose a later"
            )


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidInputError(
            f"{name} is not {low} to {high} seconds", field=name, value=value, remedy="choose one in that range"
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """A campaign that recurs. Temporal is told of each version, and starts what is due."""

    id: UUID
    organisation_id: UUID
    name: str
    profile: str
    target_ids: tuple[UUID, ...]
    authorisation_id: UUID
    options: dict[str, dict[str, Any]]
    timing: Timing
    state: ScheduleState
    owner: str
    """Who hears of it when it pauses itself."""
    created_at: datetime
    settled_until: datetime
    """What became of each time up to here is written down."""
    created_by: UUID | None = None
    note: str = ""
    """Why it is paused, or what people should know."""
    paused_at: datetime | None = None
    version: int = 1
    told_version: int = 0
    """The last version that Temporal was told of."""


class Cause(StrEnum):
    """What asked for a run."""

    SCHEDULE = "schedule"
    TRIGGER = "trigger"
    BACKFILL = "backfill"


class RunOutcome(StrEnum):
    """What became of a time at which a schedule was due."""

    STARTED = "started"
    """There is a campaign; its state tells the rest."""
    WAITING = "waiting"
    """It was started or put in line, and no worker has begun it."""
    REFUSED = "refused"
    """The authorisation did not allow it; its campaign tells the rule."""
    FAILED = "failed"
    """It could not begin, for what it is made of is gone or wrong."""
    SKIPPED = "skipped"
    """The run before went on."""
    PAUSED = "paused"
    MISSED = "missed"
    """The workflow server did not start it in time."""

    @property
    def idle(self) -> bool:
        """Whether nothing ran, so that something may still."""
        return self in {RunOutcome.WAITING, RunOutcome.SKIPPED, RunOutcome.PAUSED, RunOutcome.MISSED}


@dataclass(frozen=True, slots=True)
class ScheduleRun:
    """One time at which a schedule was due, and what became of it; or why nothing did."""

    id: UUID
    organisation_id: UUID
    schedule_id: UUID
    due_at: datetime
    cause: Cause
    outcome: RunOutcome
    reason: str
    created_at: datetime
    campaign_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ScheduleSeen:
    """A schedule as the workflow server has it."""

    version: int
    paused: bool
    note: str
    started: frozenset[datetime] = frozenset()
    """Due times that it started lately."""
    next_at: tuple[datetime, ...] = ()


class Scheduler(Protocol):
    """The orchestrator's side of schedules. Every call raises UnavailableError where the server is away."""

    async def keep(self, schedule: Schedule, argument: Any) -> None:
        """Make the server's schedule what ours is, new or not; the argument starts its campaigns."""
        ...

    async def drop(self, schedule_id: UUID) -> None:
        """Delete it; one that is not there is left alone. Campaigns that run go on."""
        ...

    async def trigger(self, schedule_id: UUID) -> None:
        """Ask for a run now."""
        ...

    async def backfill(self, schedule: Schedule, times: Sequence[datetime]) -> None:
        """Ask for a run of each of these times, one after the other."""
        ...

    async def look(self, schedule_id: UUID) -> ScheduleSeen | None:
        """As the server has it, or None where it does not."""
        ...


@dataclass(frozen=True, slots=True)
class Busy:
    """A run that was under way."""

    due_at: datetime
    begun_at: datetime
    ended_at: datetime | None
    campaign_id: UUID | None = None
    """None where no worker has begun it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when a due time is judged."""

    started: frozenset[datetime] = frozenset()
    busy: tuple[Busy, ...] = ()
    waiting: int = 0
    """Runs in line."""


PATIENCE = timedelta(seconds=20)
"""A worker has so long to write down that it began."""
_CLOSING = timedelta(seconds=10)
"""Between a campaign's last word and the end of its workflow."""


def judge(schedule: Schedule, due: datetime, known: Known, now: datetime) -> tuple[RunOutcome, str] | None:
    """Why no campaign has begun for a due time, or None where it is too early to say."""
    timing = schedule.timing
    if schedule.state is ScheduleState.PAUSED and schedule.paused_at is not None and schedule.paused_at <= due:
        return RunOutcome.PAUSED, f"the schedule was paused{f': {schedule.note}' if schedule.note else ''}"
    latest = due + timedelta(seconds=timing.jitter_s)
    if now < latest + PATIENCE:
        return None
    if due in known.started:
        return RunOutcome.WAITING, "it was started, and no worker has begun it: see `purple status`"
    other = next((each for each in known.busy if _meets(each, due, latest)), None)
    if other is not None and timing.overlap not in {Overlap.CANCEL_OTHER, Overlap.ALLOW_ALL}:
        return _overlapped(timing.overlap, other, known)
    return _missed(timing) if now >= latest + timedelta(seconds=timing.catch_up_s) + PATIENCE else None


def _missed(timing: Timing) -> tuple[RunOutcome, str]:
    return RunOutcome.MISSED, (
        f"the workflow server was away or not told in time: it starts nothing more than {timing.catch_up_s} s late"
    )


def _overlapped(overlap: Overlap, other: Busy, known: Known) -> tuple[RunOutcome, str]:
    was = f"the run of {other.due_at:%Y-%m-%d %H:%M} UTC "
    was += "still went on" if other.campaign_id else "waited for a worker"
    if overlap is Overlap.BUFFER_ALL or (overlap is Overlap.BUFFER_ONE and not known.waiting):
        return RunOutcome.WAITING, f"{was}; this one begins after that"
    return RunOutcome.SKIPPED, was


def _meets(other: Busy, due: datetime, latest: datetime) -> bool:
    ended = other.ended_at + _CLOSING if other.ended_at else None
    return other.due_at < due and other.begun_at <= latest and (ended is None or ended > due)


def workflow_of(schedule_id: UUID) -> str:
    """What the ids of its campaigns' workflows begin with; the server adds `-` and the due time."""
    return f"campaign/schedule/{schedule_id}"


def occasion_of(workflow_id: str) -> tuple[UUID, datetime] | None:
    """Schedule and due time of a workflow that a schedule started; None for others."""
    match = _WORKFLOW.match(workflow_id)
    if match is None:
        return None
    try:
        return UUID(match[1]), datetime.fromisoformat(match[2]).astimezone(UTC)
    except ValueError:
        return None


def run_id_of(schedule_id: UUID, due: datetime) -> UUID:
    """The run's id; the same whoever writes it down."""
    return uuid5(schedule_id, due.astimezone(UTC).isoformat())


@dataclass(frozen=True, slots=True)
class Preview:
    """What a timing means, before it is saved."""

    runs: tuple[datetime, ...]
    """The next ones that come."""
    left_out: tuple[datetime, ...] = ()
    """Local times before the last of them that the clocks leave out."""


def preview_of(timing: Timing, now: datetime, count: int = SHOWN) -> Preview:
    """The next runs, and what the clocks leave out between them."""
    runs = tuple(itertools.islice(timing.due(now), count))
    if not runs:
        return Preview(())
    start = max(now, timing.start_at) if timing.start_at else now
    missing = left_out(timing.calendars, zone_of(timing.time_zone), start, runs[-1])
    return Preview(runs, tuple(itertools.islice(missing, count)))
