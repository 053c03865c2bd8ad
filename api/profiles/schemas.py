"""Profiles on the wire."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas import Answer, Body
from purple.domain.campaigns import Phase
from purple.domain.tools import Intrusiveness
from purple.services.explaining import Verdict


class ProfileAnswer(Answer):
    """A pipeline in short."""

    name: str
    version: int
    title: str


class ProfilesAnswer(BaseModel):
    """All of them, by name."""

    items: list[ProfileAnswer]


class StepAnswer(Answer):
    """One tool of a pipeline."""

    tool: str
    when: str
    options: dict[str, Any]
    approval: bool


class LimitsAnswer(Answer):
    """How much at once, how often again, what a second person must approve."""

    parallel: int
    retries: int
    approve_from: Intrusiveness | None
    approve_within_s: int
    skip_recent: str


class ProfileDetail(ProfileAnswer):
    """A pipeline: its recon, what follows from it, its limits."""

    recon: list[StepAnswer]
    tools: list[StepAnswer]
    limits: LimitsAnswer


class ExplainBody(Body):
    """A profile and a target."""

    target: str = Field(min_length=1, max_length=2048, description="As it is written, or an id of the register")
    profile: str = Field(default="standard", max_length=64)
    authorisation_id: UUID | None = Field(default=None, description="By default one that covers the target now")
    options: dict[str, dict[str, Any]] = Field(default_factory=dict, description="By tool, over the profile's")


class ExplainedStepAnswer(Answer):
    """What becomes of a step, and why; `places` are those where it certainly runs."""

    number: int
    phase: Phase
    tool: str
    when: str
    verdict: Verdict
    why: str
    places: list[str]


class ExplanationAnswer(BaseModel):
    """What a campaign would do; `refused` says why it would not start at all."""

    profile: str
    version: int
    target: str
    kind: str
    authorisation_id: UUID | None
    refused: str
    steps: list[ExplainedStepAnswer]
