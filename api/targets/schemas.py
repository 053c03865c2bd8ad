"""Targets on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field

from api.schemas import Answer, Body
from purple.domain.gates import LeaseState
from purple.domain.target_fields import MAX_CATEGORY, custom_mapping
from purple.domain.target_imports import Becomes, Plan
from purple.domain.targets import Control, Criticality, DataClass, Environment, Exposure, TargetKind

Custom = dict[Annotated[str, Field(max_length=50)], Annotated[str, Field(max_length=200)]]
ZONE = "^([a-z][a-z0-9-]{0,31})?$"


class TargetBody(Body):
    """A target to register."""

    value: str = Field(min_length=1, max_length=2048, examples=["https://app.example.org/"])
    kind: TargetKind | None = Field(default=None, description="By default recognised by how the value is written")
    name: str = Field(default="", max_length=200)
    criticality: Criticality = Criticality.MEDIUM
    tags: list[str] = Field(default_factory=list, max_length=50)
    zone: str = Field(default="", pattern=ZONE, description="The network zone whose workers alone reach it")
    exposure: Exposure = Field(default=Exposure.UNKNOWN, description="From where it can be reached")
    data_class: DataClass = Field(default=DataClass.UNKNOWN, description="The most sensitive data that it holds")
    controls: list[Control] = Field(default_factory=list, max_length=20, description="What stands before its flaws")
    unit_id: UUID | None = Field(default=None, description="The business unit that it belongs to")
    environment: Environment = Field(default=Environment.UNKNOWN, description="What it is for")
    category: str = Field(default="", max_length=MAX_CATEGORY, description="What sort of asset it is to you")
    frameworks: list[str] = Field(default_factory=list, max_length=50, description="What it has to comply with")
    custom: Custom = Field(default_factory=dict, description="What you keep of it by names of your own")


class TargetEdit(Body):
    """What may change of a target; what is left out stays."""

    name: str = Field(default="", min_length=1, max_length=200)
    criticality: Criticality = Criticality.MEDIUM
    tags: list[str] = Field(default_factory=list, max_length=50)
    zone: str = Field(default="", pattern=ZONE)
    exposure: Exposure = Exposure.UNKNOWN
    data_class: DataClass = DataClass.UNKNOWN
    controls: list[Control] = Field(default_factory=list, max_length=20)
    unit_id: UUID | None = Field(default=None, description="null is none")
    environment: Environment = Environment.UNKNOWN
    category: str = Field(default="", max_length=MAX_CATEGORY)
    frameworks: list[str] = Field(default_factory=list, max_length=50)
    custom: Custom = Field(default_factory=dict, description="All of them: those that are left out go")


class TargetAnswer(Answer):
    """A target."""

    id: UUID
    kind: TargetKind
    value: str
    name: str
    criticality: Criticality
    tags: list[str]
    zone: str
    exposure: Exposure
    data_class: DataClass
    controls: list[Control]
    unit_id: UUID | None
    environment: Environment
    category: str
    frameworks: list[str]
    custom: Annotated[dict[str, str], BeforeValidator(custom_mapping)]
    created_at: datetime
    retired_at: datetime | None = Field(description="Since when it is tested no more")
    machine_id: UUID | None = Field(description="The oldest target of its machine; null where it is alone")


class LeaseAnswer(Answer):
    """One tool run at the gate of a target."""

    scan_id: UUID
    campaign_id: UUID
    target_id: UUID
    host: str = Field(description="The address, or the network, whose gate it is")
    tool: str
    endpoint: str
    exclusive: bool = Field(description="Whether it runs there alone")
    state: LeaseState
    since: datetime = Field(description="When it first asked: the order of the queue")
    expires_at: datetime | None
    reason: str = Field(description="Why it waits")


class BreakerAnswer(Answer):
    """An address that stopped answering; nothing starts there until it is back."""

    host: str
    port: int
    campaign_id: UUID
    scan_id: UUID
    since: datetime
    probes: int = Field(description="So often it did not answer since")
    probe_at: datetime


class GateAnswer(Answer):
    """Who is at the gates of a target."""

    target_id: UUID
    hosts: list[str] = Field(description="Its addresses, as far as they are known: a name has them from its scans")
    tools_at_once: int
    running: list[LeaseAnswer]
    waiting: list[LeaseAnswer]
    breakers: list[BreakerAnswer]


class FieldChangeAnswer(Answer):
    """A field before and after."""

    field: str
    before: str | list[str]
    after: str | list[str]


class LineAnswer(Answer):
    """What one row of a file does."""

    row: int = Field(description="In CSV the columns' names are row 1; in JSON the first target is")
    becomes: Becomes
    target_id: UUID | None = Field(description="null of one that a preview would register")
    kind: TargetKind
    value: str
    changes: list[FieldChangeAnswer]


class RowRefusalAnswer(Answer):
    """What is wrong with a row."""

    row: int
    field: str
    value: str
    detail: str
    remedy: str


class ImportAnswer(Answer):
    """What a file of targets did, or would do."""

    preview: bool
    created: int
    changed: int
    unchanged: int
    lines: list[LineAnswer] = Field(description="Those that are created or changed")
    refused: list[RowRefusalAnswer] = Field(
        description="Of a preview; otherwise a row that is refused refuses the file"
    )

    @classmethod
    def of(cls, plan: Plan, *, preview: bool) -> "ImportAnswer":
        """Flatten one."""
        return cls(
            preview=preview,
            created=len(plan.of(Becomes.CREATED)),
            changed=len(plan.of(Becomes.CHANGED)),
            unchanged=len(plan.of(Becomes.UNCHANGED)),
            lines=[
                LineAnswer(
                    row=line.row,
                    becomes=line.becomes,
                    target_id=None if preview and line.becomes is Becomes.CREATED else line.target.id,
                    kind=line.target.kind,
                    value=line.target.value,
                    changes=[FieldChangeAnswer.model_validate(each) for each in line.changes],
                )
                for line in plan.lines
                if line.becomes is not Becomes.UNCHANGED
            ],
            refused=[RowRefusalAnswer.model_validate(each) for each in plan.refused],
        )
