"""Campaigns and scans on the wire."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.schemas import Answer, Body
from purple.domain.campaigns import CampaignState, Phase
from purple.domain.steering import MAX_REASON
from purple.domain.tools import ScanState

Options = dict[str, dict[str, Any]]


class CampaignBody(Body):
    """A campaign to start."""

    name: str = Field(default="", max_length=200)
    profile: str = Field(default="standard", max_length=64)
    target_ids: list[UUID] = Field(min_length=1, max_length=10_000)
    authorisation_id: UUID
    options: Options = Field(default_factory=dict, description="By tool: options over the profile's")


class ScanBody(Body):
    """A campaign of one: a target as it is written, and a scan type, which is a profile's name."""

    target: str = Field(min_length=1, max_length=2048)
    scan_type: str = Field(default="standard", max_length=64)
    authorisation_id: UUID | None = Field(default=None, description="By default one that covers the target now")
    options: Options = Field(default_factory=dict)


class PauseBody(Body):
    """How to pause."""

    stop_running: bool = Field(default=False, description="Stop the tools that run; they run again once resumed")


class SkipBody(Body):
    """What to skip: one scan, or every scan of a tool."""

    tool: str = Field(default="", max_length=64)
    scan_id: UUID | None = None
    reason: str = Field(default="", max_length=MAX_REASON)


class ConcurrencyBody(Body):
    """How many tools run at once."""

    parallel: int = Field(ge=1, le=64)


class TargetsBody(Body):
    """Targets to add."""

    target_ids: list[UUID] = Field(min_length=1, max_length=1000)


class AnswerBody(Body):
    """An answer for a tool that waits for a second person."""

    tool: str = Field(min_length=1, max_length=64)
    reason: str = Field(default="", max_length=MAX_REASON)


class CampaignAnswer(Answer):
    """A campaign."""

    id: UUID
    workflow_id: str
    name: str
    profile: str
    profile_version: int
    authorisation_id: UUID
    authorisation_digest: str
    target_ids: list[UUID]
    state: CampaignState
    phase: Phase | None
    reason: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    summary: dict[str, Any]
    round: int


class CampaignDetail(CampaignAnswer):
    """A campaign with its progress, while it runs, and its page in the Temporal UI."""

    progress: dict[str, Any] | None
    orders: dict[str, Any] = Field(
        description="What people asked of it: `parallel` (0 is the profile's), `skipped` tools, scans `left_out`, and "
        "by tool the `approvals` it waits for or had"
    )
    temporal_url: str
    waits: list[str] = Field(description="Why tool runs do not begin, such as a zone that no worker serves")


class ScanAnswer(Answer):
    """One tool on one place."""

    id: UUID
    campaign_id: UUID
    target_id: UUID
    phase: Phase
    tool: str
    tool_version: str
    endpoint: str
    address: str
    options: dict[str, Any]
    state: ScanState
    reason: str
    attempt: int
    observations: int
    zone: str
    exit_code: int | None
    executable_sha256: str
    revision: str
    output_artifact: str
    log_artifact: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
