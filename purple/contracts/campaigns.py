"""What the campaign workflow and its steps say to each other."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from purple.contracts.base import Contract
from purple.domain.campaigns import CampaignState
from purple.domain.identity import Action
from purple.domain.tools import ScanState

ENGINE = 3
"""How campaigns behave that begin now; see `CampaignInput.engine` and `Begun.engine`."""


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
    targets_of: UUID | None = None
    """Another campaign whose targets these are, in place of `target_ids`: thousands of ids are more than a message
    should hold. A campaign that has its row needs neither."""
    retry_token: str = ""
    """The signed word of who asks to run again what failed in a campaign that ended; else empty."""
    engine: int = 0
    """How the workflow behaves until it has begun; 0 where a schedule starts it, or an older version did.
    From 3 on it was started with its search attributes, those of recon, and begins in its own worker."""


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


MAX_LABEL = 120


class ScanStep(Contract):
    """One tool run to dispatch."""

    scan_id: UUID
    tool: str
    role: str
    """`recon` or `scan`."""
    endpoint: str
    """For people, cut to `MAX_LABEL` characters."""
    timeout_s: float
    attempt: int = 0
    """Attempts so far."""
    changes: bool = False
    """Whether the tool changes something, so that an undo may be open afterwards."""
    zone: str = ""
    """Only workers of this network zone run it."""
    expected_s: float = 0.0
    """How long it took before, for all but one run of twenty; 0 where nothing is known."""
    anytime: bool = False
    """Whether test windows do not bind it."""


class Held(Contract):
    """A tool that runs once a second person has approved it."""

    tool: str
    scans: int
    until: datetime
    """Then it is skipped."""


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
    changes: bool = False
    """Whether a tool of its profile changes something, so that it ends with a clean-up."""
    survey: bool = False
    """Whether a file is imported, and which targets it speaks of is to be found first."""
    batches: tuple[tuple[int, int], ...] = ()
    """Of recon: numbers of batches, which child workflows run, and how many scans each has."""
    held: tuple[Held, ...] = ()
    """Of recon."""
    engine: int = 1
    """How the workflow behaves where that has changed; campaigns that began before go on as they did.
    From 2 on it waits for a tool that it ends, and writes down itself what became of the scan.
    From 3 on it plans in its own worker."""
    windows: tuple[str, ...] = ()
    """The contract's test windows, as users write them; none is always."""
    until: datetime | None = None
    """When the contract ends: nothing waits longer for a window. None in campaigns that began before."""


class Surveyed(Contract):
    """What an imported file speaks of."""

    targets: int = 0
    results: int = 0
    left_out: str = ""
    """Which results belong to no target that may have them; empty where there are none."""


class Plan(Contract):
    """What recon decided."""

    scans: tuple[ScanStep, ...] = ()
    """What the campaign's own workflow runs."""
    batches: tuple[tuple[int, int], ...] = ()
    """As in `Begun`."""
    held: tuple[Held, ...] = ()


class RunScan(Contract):
    """Run a scan, for the n-th time from 1."""

    ref: CampaignRef
    scan_id: UUID
    attempt: int = 1
    settles: bool = True
    """Whether the step writes down that it was cancelled; else the workflow does."""


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
    waiting: bool = False
    """Whether it did not run yet: the gate of its host tells when to run it again."""
    stalled: bool = False
    """Whether it waits for a host that stopped answering, which may take long."""
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


class Skip(Contract):
    """Which scans run no more: one of them, or every one of a tool."""

    reason: str
    scan_id: UUID | None = None
    tool: str = ""

    def speaks_of(self, step: ScanStep) -> bool:
        """Whether it is meant."""
        return step.scan_id == self.scan_id if self.scan_id else step.tool == self.tool


class Order(Contract):
    """What a person asks of a running campaign; the argument of the updates `steer` and `approve`."""

    action: Action
    token: str = ""
    """The signed word of who asks, for this very order."""
    tool: str = ""
    scan_id: UUID | None = None
    reason: str = ""
    parallel: int = 0
    target_ids: tuple[UUID, ...] = ()


class Ordered(Contract):
    """An update's result: what was done."""

    said: str = ""
    scans: int = 0


class CarryOut(Contract):
    """Believe an order, write it down and do its part in the database; twice with one id is once."""

    ref: CampaignRef
    order: Order
    order_id: str
    apart: bool = False
    """As in `RetryScans`."""


class CarriedOut(Contract):
    """What is left for the workflow to do."""

    said: str
    scans: int = 0
    plan: Plan = Plan()


class Expire(Contract):
    """Skip a tool that nobody approved in time."""

    ref: CampaignRef
    tool: str


class Expired(Contract):
    """How many scans that were; None where somebody answered after all."""

    scans: int | None = None


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
    apart: bool = False
    """Whether child workflows must run them, because this workflow's history is long."""


class RetryPlan(Contract):
    """What runs again: recon's steps, and how many scans in all."""

    recon: tuple[ScanStep, ...] = ()
    scans: int = 0
    batches: tuple[tuple[int, int], ...] = ()
    """Of recon, as in `Begun`."""
    held: tuple[Held, ...] = ()


class Progress(Contract):
    """How far a campaign is: steps done of steps known, never a percentage."""

    phase: str = ""
    done: int = 0
    known: int = 0
    running: tuple[str, ...] = ()
    paused: bool = False
    held: dict[str, int] = Field(default_factory=dict)
    """Tool to how many of its scans wait for approval."""
    children: tuple[str, ...] = ()
    """Ids of the child workflows that run now; each tells of its own part."""
    waiting: tuple[str, ...] = ()
    """What is waited for, and why: a test window, the gate of a host."""
