"""Compliance on the wire."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from api.schemas import Answer
from purple.contracts.frameworks import Framework
from purple.domain.compliance import ControlStanding, Evidence, FrameworkStanding, Status
from purple.domain.tools import ScanState


class FrameworkAnswer(Answer):
    """A framework that a target can have."""

    name: str
    title: str
    version: str
    source: str = Field(description="Where it is published")
    limits: str = Field(description="What scans cannot show of it")
    targets: int = Field(description="Those that have it")
    controls: dict[Status, int] = Field(description="How many stand how")

    @classmethod
    def of(cls, framework: Framework, standing: FrameworkStanding | None) -> "FrameworkAnswer":
        """One, and how it stands where a target has it."""
        nobody = dict.fromkeys(Status, 0) | {Status.NOT_APPLICABLE: len(framework.controls)}
        return cls(
            name=framework.name,
            title=framework.title,
            version=framework.version,
            source=framework.source,
            limits=framework.limits,
            targets=standing.targets if standing else 0,
            controls=dict(standing.counts) if standing else nobody,
        )


class FrameworksAnswer(Answer):
    """All that there are."""

    items: list[FrameworkAnswer]


class LookAnswer(Answer):
    """How a tool looked at a target in one campaign."""

    tool: str
    campaign_id: UUID
    scan_id: UUID
    at: datetime
    state: ScanState
    reason: str
    nothing: bool = Field(description="Whether recon, complete, found nothing there that the tool could look at")


class BreachAnswer(Answer):
    """Vulnerabilities that break a control at a target."""

    present: int
    accepted: int = Field(description="Those whose risk was accepted; they break nothing")
    worst: UUID
    title: str


class EvidenceAnswer(Answer):
    """What is shown of a control at one target."""

    target_id: UUID
    value: str
    status: Status
    gaps: list[str] = Field(description="What keeps it from being met")
    looks: list[LookAnswer] = Field(
        description="By what had to be looked into: the scan that shows it, else the newest that does not"
    )
    breach: BreachAnswer | None

    @classmethod
    def of(cls, each: Evidence) -> "EvidenceAnswer":
        """Flatten one."""
        return cls(
            target_id=each.target.id,
            value=each.target.value,
            status=each.status,
            gaps=list(each.gaps),
            looks=[LookAnswer.model_validate(look) for look in each.looks],
            breach=BreachAnswer.model_validate(each.breach) if each.breach else None,
        )


class ControlAnswer(Answer):
    """How a control stands."""

    id: str
    title: str
    status: Status
    targets: dict[Status, int] = Field(description="How many of those it applies to stand how")
    evidence: list[EvidenceAnswer] = Field(description="By target, the worst first; what is met only where it is asked")
    left_out: int = Field(description="How many targets the evidence leaves out")

    @classmethod
    def of(cls, each: ControlStanding, most: int, *, met: bool) -> "ControlAnswer":
        """Flatten one, with evidence of so many targets."""
        told = [one for one in each.evidence if met or one.status is not Status.MET][:most]
        return cls(
            id=each.id,
            title=each.title,
            status=each.status,
            targets=dict(each.counts),
            evidence=[EvidenceAnswer.of(one) for one in told],
            left_out=len(each.evidence) - len(told),
        )


class FrameworkStandingAnswer(Answer):
    """How a framework stands, with the gaps of each control."""

    name: str
    title: str
    version: str
    source: str
    limits: str
    at: datetime
    targets: int
    counts: dict[Status, int] = Field(description="Controls by status")
    controls: list[ControlAnswer]

    @classmethod
    def of(cls, standing: FrameworkStanding, most: int) -> "FrameworkStandingAnswer":
        """Flatten one."""
        return cls(
            name=standing.name,
            title=standing.title,
            version=standing.version,
            source=standing.source,
            limits=standing.limits,
            at=standing.at,
            targets=standing.targets,
            counts=dict(standing.counts),
            controls=[ControlAnswer.of(each, most, met=False) for each in standing.controls],
        )


class ComplianceDayAnswer(Answer):
    """Controls by status, at the end of a day or so far."""

    day: date
    not_met: int
    not_tested: int
    met: int


class ComplianceHistoryAnswer(Answer):
    """How a framework stood; days on which nobody kept it are not there."""

    name: str
    items: list[ComplianceDayAnswer]
