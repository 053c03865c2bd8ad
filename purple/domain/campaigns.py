"""Campaigns and scans: one run of a profile on targets, and one tool on one target inside it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from purple.domain.errors import ExitCode
from purple.domain.severity import Severity
from purple.domain.steering import Orders
from purple.domain.targets import endpoint_of
from purple.domain.tools import ScanState

CAMPAIGN_NAMESPACE = UUID("5f1ad0f0-3b7e-5c0a-9a56-0a2f1c9b7d11")
"""Namespace of campaign ids: uuid5 of the workflow id."""


class CampaignState(StrEnum):
    """Where a campaign is; the last five are final."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    COMPLETED_WITH_GAPS = "completed_with_gaps"
    """It ended, but something planned was not covered."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    NOT_ALLOWED = "not_allowed"
    """The authorisation refused it."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {CampaignState.PENDING, CampaignState.RUNNING}


class Phase(StrEnum):
    """The six phases, in order."""

    RECON = "recon"
    TOOLS = "tools"
    ANALYSIS = "analysis"
    TRIAGE = "triage"
    REPORT = "report"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class Campaign:
    """One run of a profile."""

    id: UUID
    organisation_id: UUID
    workflow_id: str
    name: str
    profile: str
    profile_version: int
    plan: dict[str, Any]
    """The profile as it was when the campaign started, with its option overrides: it never changes afterwards."""
    authorisation_id: UUID
    authorisation_digest: str
    target_ids: tuple[UUID, ...]
    state: CampaignState
    created_at: datetime
    created_by: UUID | None = None
    phase: Phase | None = None
    reason: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    """Filled at the end: counts by severity, coverage, triage, notice."""
    round: int = 1
    """Analysis, report and notice are made once a round; retrying what failed begins another."""
    run_id: str = ""
    """Temporal's run that conducts it."""
    orders: Orders = field(default_factory=Orders)


@dataclass(frozen=True, slots=True)
class Scan:
    """One tool on one target inside a campaign."""

    id: UUID
    organisation_id: UUID
    campaign_id: UUID
    target_id: UUID
    key: str
    """Unique in its campaign: phase, tool and endpoint."""
    phase: Phase
    tool: str
    host: str
    port: int
    url: str
    options: dict[str, Any]
    state: ScanState
    created_at: datetime
    reason: str = ""
    address: str = ""
    """The checked address the tool connected to."""
    attempt: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    tool_version: str = ""
    executable_sha256: str = ""
    output_artifact: str = ""
    log_artifact: str = ""
    observations: int = 0
    retry_id: str = ""
    """Of the last request to run it, or to run it again."""
    revision: str = ""
    """The commit that was looked at, of a repository."""
    batch: int = 0
    """Which child workflow runs it; see `domain.scan_sets`."""
    zone: str = ""
    """Of its target when it was planned: only workers of this zone run it."""
    worth: int = 0
    """What is worth most runs first; see `coverage.worth`."""
    covered_by: UUID | None = None
    """The recent scan that covers it, where it was skipped for that."""

    @property
    def gap(self) -> bool:
        """Whether it ended, and what it was to look at has not been looked at to the end."""
        return self.state.ended and self.state is not ScanState.COMPLETE and self.covered_by is None

    @property
    def endpoint(self) -> str:
        """What the tool was pointed at, for people."""
        return endpoint_of(self.host, self.port, self.url)


def campaign_id_of(workflow_id: str) -> UUID:
    """The campaign's id; the same for every retry of its first step."""
    return uuid5(CAMPAIGN_NAMESPACE, workflow_id)


def scan_id_of(campaign_id: UUID, key: str) -> UUID:
    """The scan's id; the same for every attempt of it."""
    return uuid5(campaign_id, key)


def end_state(states: Iterable[ScanState], left_out: int = 0) -> CampaignState:
    """How a campaign ended, from how its scans did: anything but complete is a gap. No scan at all is a gap too.

    So is a result of an import that was left out.
    """
    if not left_out and set(states) == {ScanState.COMPLETE}:
        return CampaignState.COMPLETED
    return CampaignState.COMPLETED_WITH_GAPS


def exit_code_of(state: CampaignState, worst_open: Severity | None, fail_on: Severity | None) -> ExitCode:
    """What the command line exits with. A failed gate weighs more than a gap: the flaw is certain."""
    if state is CampaignState.NOT_ALLOWED:
        return ExitCode.NOT_ALLOWED
    if state in {CampaignState.FAILED, CampaignState.CANCELLED}:
        return ExitCode.ERROR
    if fail_on is not None and worst_open is not None and worst_open.rank >= fail_on.rank:
        return ExitCode.GATE_FAILED
    return ExitCode.PASS if state is CampaignState.COMPLETED else ExitCode.INCOMPLETE
