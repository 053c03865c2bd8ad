"""Compliance: what scans and the register show of the controls of a framework, target by target.

Nothing found is no evidence where nobody looked: what was not tested is neither met nor broken.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from purple.domain.targets import Target
from purple.domain.tools import ScanState


class Status(StrEnum):
    """What is shown of a control; of several targets the first of these that one of them has."""

    NOT_MET = "not_met"
    NOT_TESTED = "not_tested"
    MET = "met"
    NOT_APPLICABLE = "not_applicable"
    """No target has the framework that the control speaks of."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a tool looked at a target in one campaign."""

    target_id: UUID
    tool: str
    campaign_id: UUID
    scan_id: UUID
    """One of its scans there; where it was not complete, one that was not. Of `nothing` the recon's."""
    at: datetime
    """When the oldest of them ended."""
    state: ScanState
    """`complete` only where each was, or was covered by one that was."""
    reason: str
    nothing: bool = False
    """Whether recon, complete, found nothing there that the tool could look at."""


@dataclass(frozen=True, slots=True)
class Breach:
    """Vulnerabilities of a target that break a control."""

    target_id: UUID
    present: int
    accepted: int
    """Those whose risk was accepted; they break nothing, and are told."""
    worst: UUID
    """Of the present ones that with the highest risk; else of the accepted ones."""
    title: str
    """Its title."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is shown of one control at one target."""

    target: Target
    status: Status
    looks: tuple[Look, ...]
    """By what had to be looked into: the scan that shows it, else the newest one that does not."""
    gaps: tuple[str, ...]
    """What keeps it from being met, each one sentence."""
    breach: Breach | None


@dataclass(frozen=True, slots=True)
class ControlStanding:
    """How a control stands over all targets it applies to."""

    id: str
    title: str
    evidence: tuple[Evidence, ...]
    """The worst first."""

    @property
    def counts(self) -> Mapping[Status, int]:
        """Targets by status."""
        found = dict.fromkeys(OF_TARGETS, 0)
        for each in self.evidence:
            found[each.status] += 1
        return found

    @property
    def status(self) -> Status:
        """The worst of them."""
        return self.evidence[0].status if self.evidence else Status.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class FrameworkStanding:
    """How a framework stands."""

    name: str
    title: str
    version: str
    source: str
    limits: str
    """What Purple cannot show of it."""
    targets: int
    """Those that have it."""
    at: datetime
    controls: tuple[ControlStanding, ...]

    @property
    def counts(self) -> Mapping[Status, int]:
        """Controls by status."""
        found = dict.fromkeys(Status, 0)
        for each in self.controls:
            found[each.status] += 1
        return found


@dataclass(frozen=True, slots=True)
class ComplianceDay:
    """How a framework stood on a day: controls by status."""

    day: date
    not_met: int
    not_tested: int
    met: int


class Compliance(Protocol):
    """What the judgement of a framework rests on."""

    async def targets(self, framework: str, filter_: str) -> Sequence[Target]:
        """Those that have it, of those that a filter finds; by their values.

        Raises:
            InvalidInputError: the filter cannot be read.
        """
        ...

    async def applicable(self, target_ids: Sequence[UUID], filter_: str) -> Collection[UUID]:
        """Those of them that a filter finds.

        Raises:
            InvalidInputError: the filter cannot be read.
        """
        ...

    async def looks(self, target_ids: Sequence[UUID], tools: Collection[str], since: datetime) -> Sequence[Look]:
        """Of each target and tool the newest that is complete, the newest that is not, and the newest with nothing."""
        ...

    async def breaches(self, target_ids: Sequence[UUID], filter_: str) -> Mapping[UUID, Breach]:
        """By target, the present and accepted vulnerabilities that a filter finds.

        Raises:
            InvalidInputError: the filter cannot be read.
        """
        ...

    async def used(self) -> Sequence[str]:
        """The frameworks that a target has."""
        ...

    async def record(self, day: date, framework: str, statuses: Mapping[str, Status]) -> None:
        """Keep how each control stands, in the place of what is kept of the day."""
        ...

    async def days(self, framework: str, since: date) -> Sequence[ComplianceDay]:
        """What is kept, by day."""
        ...


OF_TARGETS = (Status.NOT_MET, Status.NOT_TESTED, Status.MET)
