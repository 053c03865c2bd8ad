"""Machines on the wire."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas import Answer, Body
from purple.domain.life import MAX_WHY
from purple.domain.machines import MAX_SHOWN
from purple.domain.severity import Severity
from purple.domain.targets import Target, TargetKind
from purple.domain.vulnerabilities import VulnerabilityState
from purple.services.machine_keeping import Machine, Proposed


class MachineRulingBody(Body):
    """What a person says of two targets."""

    other: UUID = Field(description="The other target")
    why: str = Field(min_length=1, max_length=MAX_WHY)


class MachineUndoBody(Body):
    """Why hosts, and what else people said, decide again."""

    why: str = Field(min_length=1, max_length=MAX_WHY)


class NamedTargetAnswer(Answer):
    """A target, as far as it must be told from others."""

    id: UUID
    kind: TargetKind
    value: str
    name: str
    retired_at: datetime | None


class MachineRulingAnswer(Answer):
    """What a person said of two targets."""

    id: UUID
    target_id: UUID
    other_id: UUID
    same: bool = Field(description="Whether the two are one machine, or are not")
    created_at: datetime
    actor: str
    why: str
    evidence: str = Field(description="What was known of the two then, such as what a name resolved to")
    undone_at: datetime | None
    undone_by: str


class MachineTargetAnswer(Answer):
    """A target of the same machine, and why it is."""

    target: NamedTargetAnswer
    because: str = Field(description="The same host, or what a person said")
    via: UUID = Field(description="Of which target it is the same: this one, or one between the two")
    ruling_id: UUID | None = Field(description="By which ruling; null where both have the same host")


class MachineAnswer(Answer):
    """A target with the others that are one machine with it."""

    target_id: UUID
    machine_id: UUID | None = Field(description="The oldest target of the machine; null where it is alone")
    count: int = Field(description="How many others there are")
    others: list[MachineTargetAnswer] = Field(description=f"The oldest first, at most {MAX_SHOWN}")
    rulings: list[MachineRulingAnswer] = Field(description="In force, that speak of the target")

    @classmethod
    def of(cls, found: Machine) -> "MachineAnswer":
        """Flatten one."""
        return cls(
            target_id=found.target.id,
            machine_id=found.target.machine_id,
            count=found.count,
            others=[
                MachineTargetAnswer(
                    target=_named(each),
                    because=link.because,
                    via=link.via,
                    ruling_id=link.ruling.id if link.ruling else None,
                )
                for each, link in found.others
            ],
            rulings=[MachineRulingAnswer.model_validate(each) for each in found.rulings],
        )


class ProposalAnswer(Answer):
    """Two targets that may be one machine."""

    target: NamedTargetAnswer = Field(description="The name")
    other: NamedTargetAnswer = Field(description="The address")
    address: str = Field(description="What the name last resolved to")
    seen_at: datetime = Field(description="When a scan resolved it")
    scan_id: UUID
    names: int = Field(
        description="How many registered names resolved to it: of several, each may be another application"
    )

    @classmethod
    def of(cls, found: Proposed) -> "ProposalAnswer":
        """Flatten one."""
        known = found.proposal
        return cls(
            target=_named(found.target),
            other=_named(found.other),
            address=known.address,
            seen_at=known.seen_at,
            scan_id=known.scan_id,
            names=known.names,
        )


class ProposalsAnswer(Answer):
    """Those that nobody decided on, the newest evidence first; deciding makes room for others."""

    items: list[ProposalAnswer]


class TwinAnswer(Answer):
    """The same flaw under another target of the machine."""

    id: UUID
    target_id: UUID
    target: str = Field(description="The name of the target")
    state: VulnerabilityState
    severity: Severity
    risk: int


class TwinsAnswer(Answer):
    """Under which other targets of its machine a vulnerability stands."""

    items: list[TwinAnswer] = Field(description=f"The highest risk first, at most {MAX_SHOWN}")


def _named(target: Target) -> NamedTargetAnswer:
    return NamedTargetAnswer.model_validate(target)
