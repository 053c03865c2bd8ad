"""Vulnerabilities: what the sightings are about, with a life of their own."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from purple.domain.errors import ConflictError
from purple.domain.false_positives import Reason
from purple.domain.risk import Part, reasons
from purple.domain.severity import Severity


class VulnerabilityState(StrEnum):
    """The life of a vulnerability."""

    OPEN = "open"
    REOPENED = "reopened"
    """It was fixed, and is there again."""
    TRIAGED = "triaged"
    CONFIRMED = "confirmed"
    FALSE_POSITIVE = "false_positive"
    RISK_ACCEPTED = "risk_accepted"
    """Until a day; then it is again what it was."""
    OUT_OF_SCOPE = "out_of_scope"
    DUPLICATE = "duplicate"
    """A person said that it is another vulnerability, which has its sightings now: see `rulings`."""
    FIXED = "fixed"

    @property
    def counts(self) -> bool:
        """Whether it counts as a present problem."""
        return self in PRESENT_STATES


_S = VulnerabilityState
PRESENT_STATES = (_S.OPEN, _S.REOPENED, _S.TRIAGED, _S.CONFIRMED)
"""Those that count as a present problem."""
_UNDECIDED = frozenset({_S.OPEN, _S.REOPENED, _S.TRIAGED})
_DISMISSED = frozenset({_S.FALSE_POSITIVE, _S.RISK_ACCEPTED, _S.OUT_OF_SCOPE})
_BY_PEOPLE = {
    _S.OPEN: {_S.TRIAGED, _S.CONFIRMED, *_DISMISSED},
    _S.REOPENED: {_S.TRIAGED, _S.CONFIRMED, *_DISMISSED},
    _S.TRIAGED: {_S.CONFIRMED, *_DISMISSED},
    _S.CONFIRMED: _DISMISSED,
    _S.FALSE_POSITIVE: {_S.OPEN},
    _S.RISK_ACCEPTED: {_S.OPEN, _S.RISK_ACCEPTED},  # until another day
    _S.OUT_OF_SCOPE: {_S.OPEN},
    _S.FIXED: {_S.REOPENED},
    _S.DUPLICATE: set(),
}


class ChangeCause(StrEnum):
    """What changes a vulnerability."""

    PERSON = "person"
    SCAN = "scan"
    CLOCK = "clock"
    """The time of an accepted risk is over."""
    UNDO = "undo"
    """A person took back what a person had done."""
    POLICY = "policy"
    """A rule that the organisation wrote down: what is so likely false is marked as that."""
    RULING = "ruling"
    """A person said which sightings are one flaw."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One real flaw of the organisation, found by its fingerprint across tools and campaigns.

    `first_seen`, `last_seen` and `tools` derive from its sightings and are never stored.
    """

    id: UUID
    organisation_id: UUID
    target_id: UUID
    fingerprint: str
    title: str
    severity: Severity
    state: VulnerabilityState
    weakness: str
    cve: tuple[str, ...]
    cwe: tuple[int, ...]
    host: str
    port: int
    url: str
    parameter: str
    description: str
    remediation: str
    references: tuple[str, ...]
    risk: int
    risk_parts: tuple[Part, ...]
    """What it is the sum of."""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    tools: tuple[str, ...] = ()
    observation_ids: tuple[UUID, ...] = field(default=())
    """At most ten: the newest that tell different things, the best told first; then others, the newest first."""
    version: int = 1
    owner: str = ""
    """Who looks after it, by user name; empty for nobody."""
    accepted_until: datetime | None = None
    reopened_at: datetime | None = None
    due_at: datetime | None = None
    """When it should be fixed; by the policy, or by hand."""
    due_by_hand: bool = False
    cvss_vector: str = ""
    """As the best told of its sightings has it; of any version, and not checked."""
    cvss_score: float = 0.0
    """As that tool says it."""
    cause: str = ""
    """What one fix would end together with this one: see `causes`."""
    false_positive: float | None = None
    """How likely it is none, 0 to 1; None where nothing speaks against it. See `false_positives`."""
    doubts: tuple[Reason, ...] = ()
    """Why it may be none."""
    twin: UUID | None = None
    """What it shares with those that are the same flaw under other targets of its machine, where it has such: see
    `machines`.
    """

    @property
    def risk_reasons(self) -> tuple[str, ...]:
        """The parts in words."""
        return reasons(self.risk_parts)


def after_sighting(state: VulnerabilityState) -> VulnerabilityState:
    """The state after the flaw was seen again: what was fixed is there again, a person's verdict stands."""
    return VulnerabilityState.REOPENED if state is VulnerabilityState.FIXED else state


def after_clean_scan(state: VulnerabilityState) -> VulnerabilityState:
    """The state after a complete scan with the same tool and scope no longer saw it."""
    return VulnerabilityState.FIXED if state.counts else state


def may_change(cause: ChangeCause, present: VulnerabilityState, wanted: VulnerabilityState) -> bool:
    """Whether this cause may bring a vulnerability from one state to another."""
    match cause:
        case ChangeCause.PERSON:
            return wanted in _BY_PEOPLE[present]
        case ChangeCause.SCAN:
            return present is not wanted and wanted in {after_sighting(present), after_clean_scan(present)}
        case ChangeCause.CLOCK:
            return present is VulnerabilityState.RISK_ACCEPTED and wanted.counts
        case ChangeCause.POLICY:  # what a person confirmed is not touched
            return wanted is VulnerabilityState.FALSE_POSITIVE and present in _UNDECIDED
        case ChangeCause.RULING:
            return (present is VulnerabilityState.DUPLICATE) != (wanted is VulnerabilityState.DUPLICATE)
        case ChangeCause.UNDO:  # `fixed` is earned by a scan and never given back
            return wanted is not VulnerabilityState.FIXED and present in _BY_PEOPLE[wanted]


def check_transition(present: VulnerabilityState, wanted: VulnerabilityState) -> None:
    """Hold a person's change to the state machine; `fixed` is earned by a scan and never typed in.

    Raises:
        ConflictError: the change is not allowed; the remedy lists what is.
    """
    if not may_change(ChangeCause.PERSON, present, wanted):
        allowed = ", ".join(sorted(_BY_PEOPLE[present]))
        raise ConflictError(
            f"a vulnerability that is {present} cannot become {wanted}",
            field="state",
            value=wanted,
            remedy=f"from {present} it can become {allowed}" if allowed else "undo what joined it with another",
        )


@dataclass(frozen=True, slots=True)
class Merged:
    """What an analysis changed."""

    found: tuple[UUID, ...]
    reopened: tuple[UUID, ...]
    fixed: tuple[UUID, ...]
    sightings: int
    """New ones."""
    raised: tuple[UUID, ...] = ()
    """To a worse severity."""
    retold: tuple[UUID, ...] = ()
    """By a sighting that tells it better."""
    moved: tuple[UUID, ...] = ()
    """Whose risk may be another: new, worse, told better, or seen by another tool or with more confidence."""
    worst: Severity | None = None
    """Of all that it saw and that are a present problem."""
