"""Targets on the wire."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas import Answer, Body
from purple.domain.targets import Criticality, TargetKind

ZONE = "^([a-z][a-z0-9-]{0,31})?$"


class TargetBody(Body):
    """A target to register."""

    value: str = Field(min_length=1, max_length=2048, examples=["https://app.example.org/"])
    kind: TargetKind | None = Field(default=None, description="By default recognised by how the value is written")
    name: str = Field(default="", max_length=200)
    criticality: Criticality = Criticality.MEDIUM
    tags: list[str] = Field(default_factory=list, max_length=50)
    zone: str = Field(default="", pattern=ZONE, description="The network zone whose workers alone reach it")


class TargetEdit(Body):
    """What may change of a target; what is left out stays."""

    name: str = Field(default="", min_length=1, max_length=200)
    criticality: Criticality = Criticality.MEDIUM
    tags: list[str] = Field(default_factory=list, max_length=50)
    zone: str = Field(default="", pattern=ZONE)


class TargetAnswer(Answer):
    """A target."""

    id: UUID
    kind: TargetKind
    value: str
    name: str
    criticality: Criticality
    tags: list[str]
    zone: str
    created_at: datetime
