"""Vulnerabilities: what the sightings are about, with a life of their own."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from purple.domain.errors import ConflictError
from purple.domain.severity import Severity


class VulnerabilityState(StrEnum):
    """The life of a vulnerability."""

    OPEN = "open"
    TRIAGED = "triaged"
    CONFIRMED = "confirmed"
    FALSE_POSITIVE = "false_positive"
    RISK_ACCEPTED = "risk_accepted"
    FIXED = "fixed"

    @property
    def counts(self) -> bool:
        """Whether it counts as a present problem."""
        return self in {VulnerabilityState.OPEN, VulnerabilityState.TRIAGED, VulnerabilityState.CONFIRMED}


_S = VulnerabilityState
_BY_PEOPLE = {
    _S.OPEN: {_S.TRIAGED, _S.CONFIRMED, _S.FALSE_POSITIVE, _S.RISK_ACCEPTED},
    _S.TRIAGED: {_S.CONFIRMED, _S.FALSE_POSITIVE, _S.RISK_ACCEPTED},
    _S.CONFIRMED: {_S.FALSE_POSITIVE, _S.RISK_ACCEPTED},
    _S.FALSE_POSITIVE: {_S.OPEN},
    _S.RISK_ACCEPTED: {_S.OPEN},
    _S.FIXED: {_S.OPEN},
}


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
    risk_reasons: tuple[str, ...]
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    tools: tuple[str, ...] = ()
    observation_ids: tuple[UUID, ...] = field(default=())
    """The newest sightings, at most ten."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Weight:
    """All that risk depends on, and which vulnerabilities of a campaign are alike in it."""

    target_id: UUID
    severity: Severity
    state: VulnerabilityState
    tools: int
    """How many saw it."""
    confidence: float
    """The best of its sightings."""
    risk: int
    reasons: tuple[str, ...]
    ids: tuple[UUID, ...]


def after_sighting(state: VulnerabilityState) -> VulnerabilityState:
    """The state after the flaw was seen again: what was fixed is open again, a person's verdict stands."""
    return VulnerabilityState.OPEN if state is VulnerabilityState.FIXED else state


def after_clean_scan(state: VulnerabilityState) -> VulnerabilityState:
    """The state after a complete scan with the same tool and scope no longer saw it."""
    return VulnerabilityState.FIXED if state.counts else state


def check_transition(present: VulnerabilityState, wanted: VulnerabilityState) -> None:
    """Hold a person's change to the state machine; `fixed` is earned by a scan and never typed in.

    Raises:
        ConflictError: the change is not allowed; the remedy lists what is.
    """
    if wanted not in _BY_PEOPLE[present]:
        raise ConflictError(
            f"a vulnerability that is {present} cannot become {wanted}",
            field="state",
            value=wanted,
            remedy=f"from {present} it can become {', '.join(sorted(_BY_PEOPLE[present]))}",
        )


@dataclass(frozen=True, slots=True)
class Merged:
    """What an analysis changed."""

    found: tuple[UUID, ...]
    reopened: tuple[UUID, ...]
    fixed: tuple[UUID, ...]
    sightings: int
    """New ones."""
