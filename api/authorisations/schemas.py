"""Authorisations on the wire."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field, field_validator

from api.schemas import Answer, Body
from purple.domain.tools import Intrusiveness


class AuthorisationBody(Body):
    """Who allows what, when and how hard."""

    name: str = Field(min_length=1, max_length=200)
    signed_by: str = Field(min_length=1, max_length=200)
    include: list[str] = Field(min_length=1, examples=[["192.0.2.0/24", "*.example.org"]])
    exclude: list[str] = Field(default_factory=list)
    valid_from: datetime | None = None
    valid_until: datetime
    max_intrusiveness: Intrusiveness = Intrusiveness.SAFE
    forbidden_tools: list[str] = Field(default_factory=list, examples=[["wapiti"]])
    windows: list[str] = Field(default_factory=list, examples=[["Mon-Fri 22:00-06:00 Europe/Lisbon"]])
    """When tools may run; none is always."""
    document: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """SHA-256 of what was signed; its bytes are sent to `PUT /authorisations/{id}/document`, or kept elsewhere."""


class RefusalAnswer(Answer):
    """What a contract refused, by which rule."""

    id: UUID
    at: datetime
    rule: str
    detail: str
    target: str
    tool: str
    authorisation_id: UUID | None
    campaign_id: UUID | None
    scan_id: UUID | None


class AuthorisationAnswer(Answer):
    """An authorisation; `digest` is what campaigns carry."""

    id: UUID
    name: str
    signed_by: str
    include: list[str]
    exclude: list[str]
    valid_from: datetime
    valid_until: datetime
    max_intrusiveness: Intrusiveness
    forbidden_tools: list[str]
    windows: list[str]
    document: str
    digest: str
    revoked_at: datetime | None
    created_at: datetime

    @field_validator("include", "exclude", mode="before")
    @classmethod
    def as_text(cls, rules: Any) -> list[str]:
        """Rules as users write them."""
        return [getattr(rule, "text", rule) for rule in rules]

    @field_validator("windows", mode="before")
    @classmethod
    def as_written(cls, windows: Any) -> list[str]:
        """Windows as users write them."""
        return [str(window) for window in windows]
