"""What became of vulnerabilities from one campaign to a later one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from purple.domain.severity import Severity
from purple.domain.vulnerabilities import VulnerabilityState


class Became(StrEnum):
    """Each vulnerability that either campaign saw is one of these."""

    NEW = "new"
    """The later one saw it, the earlier one did not."""
    REOPENED = "reopened"
    """It was fixed, and the later one saw it again."""
    STILL_THERE = "still_there"
    FIXED = "fixed"
    """Only the earlier one saw it, and each tool that did has looked again in the same way, to the end."""
    NOT_TESTED = "not_tested"
    """Only the earlier one saw it, and not all of those tools looked again: nothing is known of it."""


CHANGED = tuple(each for each in Became if each is not Became.STILL_THERE)
MAX_ITEMS = 1_000
"""Listed of one comparison."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One vulnerability in a comparison."""

    id: UUID
    became: Became
    title: str
    severity: Severity
    state: VulnerabilityState
    """As it is now."""
    risk: int
    target_id: UUID
    host: str
    port: int
    url: str
    looked_before: bool
    """Of a new one: whether the earlier campaign looked in the same way, so that it came since; else it may be old."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two campaigns side by side."""

    before: UUID
    after: UUID
    counts: Mapping[Became, Mapping[Severity, int]]
    """Of all, each kind and severity named."""
    items: tuple[Compared, ...]
    """Some of the highest risk, without those that are still there unless asked for."""

    def number(self, *kinds: Became) -> int:
        """How many are of these kinds."""
        return sum(sum(self.counts[kind].values()) for kind in kinds)


class Comparisons(Protocol):
    """Campaigns side by side, in the database."""

    async def targets(self, filter_: str) -> Sequence[UUID] | None:
        """Those that a filter finds; None is all, for an empty one.

        Raises:
            InvalidInputError: it cannot be read.
        """
        ...

    async def counts(
        self, before: UUID, after: UUID, targets: Sequence[UUID] | None = None
    ) -> Mapping[tuple[Became, Severity], int]:
        """How many became what, by severity; what there is none of is left out."""
        ...

    async def items(
        self,
        before: UUID,
        after: UUID,
        kinds: tuple[Became, ...],
        limit: int,
        targets: Sequence[UUID] | None = None,
    ) -> tuple[Compared, ...]:
        """Those of these kinds, the highest risk first."""
        ...
