"""Analytics of targets: how parts of the register stand beside each other, and what became of them in a period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from purple.domain.severity import Severity
from purple.domain.trends import Period


class By(StrEnum):
    """What targets are put together by; each is in one part, so that sums over parts add up."""

    UNIT = "unit"
    CATEGORY = "category"
    ENVIRONMENT = "environment"
    EXPOSURE = "exposure"
    CRITICALITY = "criticality"
    DATA_CLASS = "data_class"
    KIND = "kind"
    ZONE = "zone"


@dataclass(frozen=True, slots=True)
class Share:
    """The targets of a part of the register."""

    key: str
    """The value they share, of a business unit its id; empty for those without one."""
    targets: int
    covered: int
    """Those that a complete scan looked at in the period."""


@dataclass(frozen=True, slots=True)
class Held:
    """Vulnerabilities of one severity in a part, present at the end of the period."""

    key: str
    severity: Severity
    open: int
    past_due: int
    days: int
    """Since first seen or reopened, together."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What happened in a part in the period."""

    key: str
    found: int
    reopened: int
    fixed: int
    dismissed: int
    days: int
    """To the fix, of those fixed together."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the register."""

    key: str
    name: str
    """For people; of a business unit its path."""
    targets: int
    covered: int
    open: Mapping[Severity, int]
    """At the end of the period, the worst first; severities without any are left out."""
    past_due: int
    mean_age: float | None
    """Days; None where none is open."""
    found: int
    reopened: int
    fixed: int
    dismissed: int
    days_to_fix: float | None
    """Mean; None where none was fixed."""
    risk: int
    """0 to 100, now."""


@dataclass(frozen=True, slots=True)
class TargetAnalytics:
    """Parts of the register, that with the highest risk first."""

    period: Period
    by: By
    filter: str
    parts: Sequence[Part] = field(default_factory=tuple)


class Analytics(Protocol):
    """Sums of the book of trends and of how scans went, by part of the register."""

    async def shares(self, by: By, wanted: Period, filter_: str) -> Sequence[Share]:
        """The parts that there are.

        Raises:
            InvalidInputError: the filter cannot be read.
        """
        ...

    async def held(self, by: By, wanted: Period, filter_: str) -> Sequence[Held]:
        """By part and severity."""
        ...

    async def flows(self, by: By, wanted: Period, filter_: str) -> Sequence[Flow]:
        """By part."""
        ...

    async def keys(self, by: By, target_ids: Sequence[UUID], filter_: str) -> Mapping[UUID, str]:
        """In which part each of these targets is; those that the filter does not find are left out."""
        ...
