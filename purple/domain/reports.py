"""Triage, reports and notices: what a campaign leaves behind for people."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from purple.domain.campaigns import Campaign, Scan
from purple.domain.observations import RecordedObservation
from purple.domain.targets import Target
from purple.domain.vulnerabilities import Vulnerability


class TriageState(StrEnum):
    """How the advice came to be."""

    ADVISED = "advised"
    """A model's answer that passed its schema and cites what it speaks of."""
    SKIPPED = "skipped"
    """No model is configured."""
    FAILED = "failed"
    """The model was away, or answered what does not hold."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to mend at this place in the order, and why."""

    vulnerability_id: UUID
    rank: int
    """From 1."""
    reason: str
    observation_ids: tuple[UUID, ...]
    """The observations it speaks of; never empty."""


@dataclass(frozen=True, slots=True)
class Triage:
    """The order of remediation of one campaign. Without a model it follows risk."""

    id: UUID
    """The campaign's."""
    organisation_id: UUID
    state: TriageState
    reason: str
    model: str
    summary: str
    advice: tuple[Advice, ...]
    created_at: datetime
    round: int = 1


class ReportFormat(StrEnum):
    """How a report is written."""

    PDF = "pdf"
    HTML = "html"
    JSON = "json"

    @property
    def media_type(self) -> str:
        """The registered media type."""
        return {"pdf": "application/pdf", "html": "text/html", "json": "application/json"}[self.value]


@dataclass(frozen=True, slots=True)
class Report:
    """A rendered report; its bytes are an artifact."""

    id: UUID
    organisation_id: UUID
    campaign_id: UUID
    format: ReportFormat
    artifact: str
    """SHA-256 in hexadecimal."""
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that a report tells, for the renderers."""

    campaign: Campaign
    authorisation: str
    """Name and signer."""
    targets: tuple[Target, ...]
    scans: tuple[Scan, ...]
    vulnerabilities: tuple[Vulnerability, ...]
    """Sighted by this campaign, the present ones first, worst risk first; of very many the first of them."""
    evidence: dict[UUID, tuple[RecordedObservation, ...]]
    """By vulnerability; at most three each."""
    triage: Triage
    counts: dict[str, int]
    """Present vulnerabilities by severity."""
    made_at: datetime
    links: dict[str, str] = field(default_factory=dict)
    seen: int = 0
    """How many vulnerabilities the campaign sighted, with those that are left out."""
    coverage: dict[str, int] = field(default_factory=dict)
    """All scans by how they ended; of thousands, `scans` holds those that did not complete, and a few more."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a webhook receiver is told: a Standard Webhooks message."""

    id: str
    """The same for every attempt, so that a receiver can tell a repeat."""
    type: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a notice fared."""

    state: str
    """`delivered`, `skipped` or `failed`."""
    reason: str = ""


class ReportRenderer(Protocol):
    """Writes reports."""

    async def render(self, data: ReportData, wanted: ReportFormat) -> bytes:
        """The report's bytes.

        Raises:
            PurpleError: it cannot be written here; the remedy says what is missing.
        """
        ...
