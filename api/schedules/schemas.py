"""Schedules on the wire."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.schemas import Answer, Body
from purple.domain.campaigns import CampaignState
from purple.domain.schedules import (
    CATCH_UP_S,
    MAX_JITTER_S,
    MAX_RULES,
    Cause,
    Overlap,
    RunOutcome,
    ScheduleState,
    Timing,
)
from purple.services.schedule_preview import Coming
from purple.services.schedule_runs import PastRun

Options = dict[str, dict[str, Any]]


class TimingBody(Body):
    """When it is due: the union of its cron expressions and calendars."""

    cron: list[str] = Field(default_factory=list, max_length=MAX_RULES, examples=[["30 3 * * mon-fri"]])
    calendar: list[str] = Field(
        default_factory=list, max_length=MAX_RULES, examples=[["hour=3 minute=30 day_of_month=1-7 day_of_week=sun"]]
    )
    time_zone: str = Field(default="UTC", max_length=64, examples=["Europe/Berlin"])
    jitter_s: int = Field(default=0, ge=0, le=MAX_JITTER_S, description="Begins up to so many seconds late, at random")
    overlap: Overlap = Field(default=Overlap.SKIP, description="What becomes of a run while the one before goes on")
    catch_up_s: int = Field(
        default=300, ge=CATCH_UP_S[0], le=CATCH_UP_S[1], description="How late it may begin after an outage"
    )
    start_at: datetime | None = None
    end_at: datetime | None = None

    def timing(self) -> Timing:
        """As the domain has it."""
        return Timing(**dict(self) | {"cron": tuple(self.cron), "calendar": tuple(self.calendar)})


class ScheduleBody(Body):
    """A schedule to write down."""

    name: str = Field(min_length=1, max_length=200)
    profile: str = Field(default="standard", max_length=64)
    target_ids: list[UUID] = Field(min_length=1, max_length=1000)
    authorisation_id: UUID
    timing: TimingBody
    options: Options = Field(default_factory=dict, description="By tool: options over the profile's")
    owner: str = Field(default="", max_length=200, description="Who hears when it pauses itself; by default you")
    note: str = Field(default="", max_length=1000)
    paused: bool = False


class ScheduleEdit(Body):
    """What may change of a schedule; what is left out stays. A timing is given whole."""

    name: str = Field(default="", min_length=1, max_length=200)
    profile: str = Field(default="", min_length=1, max_length=64)
    target_ids: list[UUID] = Field(default_factory=list, min_length=1, max_length=1000)
    authorisation_id: UUID = UUID(int=0)
    timing: TimingBody = TimingBody()
    options: Options = Field(default_factory=dict)
    owner: str = Field(default="", min_length=1, max_length=200)
    note: str = Field(default="", max_length=1000)

    def changes(self) -> dict[str, Any]:
        """What was given, as the domain has it."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if "timing" in given:
            given["timing"] = self.timing.timing()
        if "target_ids" in given:
            given["target_ids"] = tuple(dict.fromkeys(self.target_ids))
        return given


class NoteBody(Body):
    """Why."""

    note: str = Field(default="", max_length=1000)


class PeriodBody(Body):
    """A period of the past."""

    start: datetime
    end: datetime


class PreviewBody(Body):
    """A timing to look at before it is saved."""

    timing: TimingBody
    authorisation_id: UUID | None = Field(default=None, description="To see which runs it would refuse")


class TimingAnswer(Answer):
    """When it is due."""

    cron: list[str]
    calendar: list[str]
    time_zone: str
    jitter_s: int
    overlap: Overlap
    catch_up_s: int
    start_at: datetime | None
    end_at: datetime | None


class ScheduleAnswer(Answer):
    """A schedule; `told_version` is the version that the workflow server has."""

    id: UUID
    name: str
    profile: str
    target_ids: list[UUID]
    authorisation_id: UUID
    options: Options
    timing: TimingAnswer
    state: ScheduleState
    note: str
    owner: str
    created_at: datetime
    paused_at: datetime | None
    version: int
    told_version: int


class ComingRunAnswer(Answer):
    """A run that will be due; `note` says what the clocks or the authorisation do to it."""

    at: datetime
    local: str
    note: str


class ComingAnswer(Answer):
    """The next ten runs, and what the clocks leave out between them."""

    runs: list[ComingRunAnswer]
    left_out: list[str]


class ScheduleDetail(ScheduleAnswer):
    """A schedule with its next ten runs, as if it were not paused."""

    coming: ComingAnswer


class BackfillAnswer(Answer):
    """The times that are run, one after the other."""

    times: list[datetime]


class RunAnswer(Answer):
    """What became of a time at which a schedule was due; `reason` says why nothing began."""

    id: UUID
    due_at: datetime
    cause: Cause
    outcome: RunOutcome
    reason: str
    campaign_id: UUID | None
    campaign_state: CampaignState | None
    created_at: datetime


def coming(found: Coming) -> ComingAnswer:
    """Next runs, as they are answered."""
    runs = [ComingRunAnswer(at=each.at, local=each.local.isoformat(), note=each.note) for each in found.runs]
    return ComingAnswer(runs=runs, left_out=list(found.left_out))


def run(found: PastRun) -> RunAnswer:
    """A past run, as it is answered."""
    names = ("id", "due_at", "cause", "outcome", "reason", "campaign_id", "created_at")
    return RunAnswer(**{name: getattr(found.run, name) for name in names}, campaign_state=found.campaign_state)
