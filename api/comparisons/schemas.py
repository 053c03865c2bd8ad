"""Comparisons on the wire."""

from uuid import UUID

from pydantic import Field

from api.schemas import Answer
from purple.domain.comparisons import Became
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import VulnerabilityState


class ComparedAnswer(Answer):
    """One vulnerability that either campaign saw."""

    id: UUID
    became: Became
    title: str
    severity: Severity
    state: VulnerabilityState = Field(description="As it is now")
    risk: int
    target_id: UUID
    host: str
    port: int
    url: str
    looked_before: bool = Field(
        description="Of a new one: whether the earlier campaign looked in the same way; else it may have been there"
    )


class ComparisonAnswer(Answer):
    """A campaign beside an earlier one."""

    before: UUID
    after: UUID
    counts: dict[Became, dict[Severity, int]] = Field(description="Of all, also of those that are not listed")
    items: list[ComparedAnswer] = Field(description="The highest risk first")
