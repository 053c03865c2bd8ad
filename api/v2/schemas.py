"""What version 2 answers with; a field is there where it was asked for."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field

from api.findings.schemas import DoubtAnswer, PartAnswer
from api.life.schemas import VulnerabilityEdit
from api.schemas import Answer, Body
from api.targets.schemas import TargetBody, TargetEdit
from api.v2.batches import MAX_ITEMS
from purple.domain.compliance import Status
from purple.domain.severity import Severity
from purple.domain.target_fields import custom_mapping
from purple.domain.targets import Control, Criticality, DataClass, Environment, Exposure, TargetKind
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import VulnerabilityState


class SightingAnswer(Answer):
    """That one scan saw it, and what it said."""

    scan_id: UUID
    campaign_id: UUID
    observation_id: UUID
    tool: str
    tool_version: str
    scan_state: ScanState
    seen_at: datetime
    rule: str
    title: str
    severity: Severity
    confidence: float = Field(description="0 to 1")


class OfTargetAnswer(Answer):
    """The asset that a vulnerability is of."""

    id: UUID
    kind: TargetKind
    value: str
    name: str
    criticality: Criticality
    exposure: Exposure
    environment: Environment
    unit_id: UUID | None


class VulnerabilityV2(Answer):
    """One real flaw."""

    id: UUID
    target_id: UUID | None = None
    title: str | None = None
    severity: Severity | None = None
    state: VulnerabilityState | None = None
    weakness: str | None = None
    cve: list[str] | None = None
    cwe: list[int] | None = None
    host: str | None = None
    port: int | None = None
    url: str | None = None
    parameter: str | None = None
    description: str | None = None
    remediation: str | None = None
    references: list[str] | None = None
    risk: int | None = Field(default=None, description="0 to 100")
    risk_parts: list[PartAnswer] | None = Field(default=None, description="What the risk is the sum of")
    cvss_vector: str | None = None
    cause: str | None = Field(default=None, description="What one fix would end together with it")
    false_positive: float | None = Field(
        default=None, description="How likely it is none, 0 to 1; null where nothing says so"
    )
    doubts: list[DoubtAnswer] | None = Field(default=None, description="Why it may be none")
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    tools: list[str] | None = None
    fingerprint: str | None = None
    owner: str | None = None
    accepted_until: datetime | None = None
    reopened_at: datetime | None = None
    due_at: datetime | None = None
    due_by_hand: bool | None = None
    twin: UUID | None = Field(
        default=None, description="Shared by those that are the same flaw under other targets of its machine"
    )
    version: int | None = Field(default=None, description="What an edit is made from; the ETag says the same")
    target: OfTargetAnswer | None = Field(default=None, description="The asset that it is of")
    sightings: list[SightingAnswer] | None = Field(default=None, description="The newest first, at most 50")


class TargetV2(Answer):
    """An asset."""

    id: UUID
    kind: TargetKind | None = None
    value: str | None = None
    name: str | None = None
    criticality: Criticality | None = None
    tags: list[str] | None = None
    zone: str | None = None
    exposure: Exposure | None = None
    data_class: DataClass | None = None
    controls: list[Control] | None = None
    unit_id: UUID | None = None
    environment: Environment | None = None
    category: str | None = None
    frameworks: list[str] | None = None
    custom: Annotated[dict[str, str] | None, BeforeValidator(custom_mapping)] = None
    created_at: datetime | None = None
    retired_at: datetime | None = None
    machine_id: UUID | None = Field(
        default=None, description="The oldest target of its machine; null where it is alone"
    )
    version: int | None = None
    risk: int | None = Field(default=None, description="0 to 100, of its present vulnerabilities together")
    compliance: dict[str, dict[Status, int]] | None = Field(
        default=None, description="By framework that it has, how many of the controls that apply stand how"
    )


class VulnerabilityItem(VulnerabilityEdit):
    """An edit of one vulnerability."""

    id: UUID
    version: int = Field(ge=1, le=999_999_999, description="The version that it is made from")


class VulnerabilityBatch(Body):
    """Edits, done in order."""

    items: list[VulnerabilityItem] = Field(min_length=1, max_length=MAX_ITEMS)


class TargetBatch(Body):
    """Targets to register, in order."""

    items: list[TargetBody] = Field(min_length=1, max_length=MAX_ITEMS)


class TargetItem(TargetEdit):
    """An edit of one target."""

    id: UUID
    version: int = Field(ge=1, le=999_999_999, description="The version that it is made from")


class TargetEdits(Body):
    """Edits, done in order."""

    items: list[TargetItem] = Field(min_length=1, max_length=MAX_ITEMS)
