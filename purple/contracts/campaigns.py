"""What the campaign workflow and its steps say to each other."""

from typing import Any
from uuid import UUID

from pydantic import Field

from purple.contracts.base import Contract
from purple.domain.campaigns import CampaignState
from purple.domain.tools import ScanState


class CampaignInput(Contract):
    """What starts a campaign; also the argument of a schedule."""

    organisation_id: UUID
    name: str
    profile: str
    target_ids: tuple[UUID, ...]
    authorisation_id: UUID
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """By tool: options that stand over the profile's."""
    created_by: UUID | None = None
    retry_token: str = ""
    """The signed word of who asks to run again what failed in a campaign that ended; else empty."""


class BeginRequest(Contract):
    """The first step's argument: the workflow's id makes the campaign's."""

    workflow_id: str
    campaign: CampaignInput
    run_id: str = ""


class CampaignRef(Contract):
    """Which campaign."""

    organisation_id: UUID
    campaign_id: UUID
    round: int = 1


class ScanStep(Contract):
    """One tool run to dispatch."""

    scan_id: UUID
    tool: str
    role: str
    """`recon` or `scan`."""
    endpoint: str
    """For people."""
    timeout_s: float
    attempt: int = 0
    """Attempts so far."""
    expected_s: float = 0.0
    """How long it took before, for all but one run of twenty; 0 where nothing is known."""
    anytime: bool = False
    """Whether test windows do not bind it."""


class Begun(Contract):
    """A campaign that has its row."""

    ref: CampaignRef
    name: str
    profile: str
    recon: tuple[ScanStep, ...] = ()
    parallel: int = 2
    retries: int = 1
    refused: str = ""
    """Why the authorisation does not allow it; empty when it does."""
    again: int = 0
    """Scans that run again in a campaign that had ended."""
    windows: tuple[str, ...] = ()
    """The contract's test windows, as users write them; none is always."""


class Plan(Contract):
    """What recon decided."""

    scans: tuple[ScanStep, ...] = ()


class RunScan(Contract):
    """Run a scan, for the n-th time from 1."""

    ref: CampaignRef
    scan_id: UUID
    attempt: int = 1


class ScanOutcome(Contract):
    """How a scan ended."""

    scan_id: UUID
    state: ScanState
    reason: str = ""
    observations: int = 0
    again: bool = False
    """Whether another attempt may fare better."""
    refused: bool = False
    """Whether the authorisation no longer holds, so that the whole campaign must stop."""
    postponed: bool = False
    """Whether it is to run again in another test window: it was closed, or closed while the tool ran."""
    attempt: int = 0
    """The last one that began."""


class SettleScan(Contract):
    """Write down a scan that no worker could bring to its end."""

    ref: CampaignRef
    scan_id: UUID
    state: ScanState
    reason: str


class Analysed(Contract):
    """What analysis changed."""

    found: int = 0
    reopened: int = 0
    fixed: int = 0
    sightings: int = 0
    worst: str = ""
    """The worst severity that this campaign saw, or empty."""


class Triaged(Contract):
    """How triage fared."""

    state: str
    reason: str = ""
    ranked: int = 0


class Reported(Contract):
    """Which reports there are, and which could not be written."""

    written: tuple[str, ...] = ()
    failed: dict[str, str] = Field(default_factory=dict)


class Notified(Contract):
    """How the notice fared."""

    state: str
    reason: str = ""


class Finish(Contract):
    """End a campaign."""

    ref: CampaignRef
    state: CampaignState | None = None
    """None where the scans decide."""
    reason: str = ""
    notes: dict[str, str] = Field(default_factory=dict)
    """Phase to what went wrong in it."""


class Finished(Contract):
    """A campaign's end; the workflow's result."""

    campaign_id: UUID
    state: CampaignState
    reason: str = ""
    worst: str = ""


class RetryRequest(Contract):
    """Run again what is not complete; the argument of an update."""

    token: str
    """The signed word of who asks."""


class Retried(Contract):
    """The update's result."""

    scans: int
    round: int


class RetryScans(Contract):
    """Make what is not complete ready to run again; twice with one id is once."""

    ref: CampaignRef
    retry_id: str
    token: str


class RetryPlan(Contract):
    """What runs again: recon's steps, and how many scans in all."""

    recon: tuple[ScanStep, ...] = ()
    scans: int = 0


class Progress(Contract):
    """How far a campaign is: steps done of steps known, never a percentage."""

    phase: str = ""
    done: int = 0
    known: int = 0
    running: tuple[str, ...] = ()
    paused: bool = False
    waiting: str = ""
    """What is waited for, such as a test window; empty where nothing is."""
