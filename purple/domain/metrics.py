"""How scans went: how many of each tool, how they ended, how long they took, and what was covered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from purple.domain.tools import ScanState
from purple.domain.trends import Period


@dataclass(frozen=True, slots=True)
class ToolMetrics:
    """The scans of one tool that ended in a period, of campaigns that ended."""

    tool: str
    states: Mapping[ScanState, int]
    """How each ended; every final state is named."""
    covered: int
    """Of those skipped, how many a recent scan covers."""
    again: int
    """Attempts beyond the first."""
    observations: int
    seconds_p50: float | None
    """In which half of the complete ones ended; None where none did."""
    seconds_p95: float | None
    """In which nineteen of twenty ended."""

    @property
    def scans(self) -> int:
        """All of them."""
        return sum(self.states.values())

    @property
    def coverage(self) -> float:
        """The share that is complete, or covered by a recent scan; 0 to 1."""
        return (self.states[ScanState.COMPLETE] + self.covered) / self.scans


@dataclass(frozen=True, slots=True)
class ScanMetrics:
    """A period, by tool."""

    period: Period
    filter: str
    tools: Sequence[ToolMetrics]
    """By name."""
    targets: int
    """In the register now."""
    targets_covered: int
    """Of those, how many a complete scan looked at in the period."""


class Metrics(Protocol):
    """Scans of campaigns that ended, kept by month."""

    async def fill(self, campaign_id: UUID, *, again: bool) -> None:
        """Keep how the scans of a campaign ended; `again` where some may be kept from an earlier end of it."""
        ...

    async def tools(self, wanted: Period, filter_: str) -> Sequence[ToolMetrics]:
        """By tool, over all targets or over those that a filter finds.

        Raises:
            InvalidInputError: the filter cannot be read.
        """
        ...

    async def coverage(self, wanted: Period, filter_: str) -> tuple[int, int]:
        """How many targets there are, and how many of them a complete scan looked at.

        Raises:
            InvalidInputError: the filter cannot be read.
        """
        ...


ENDED = tuple(state for state in ScanState if state.ended)
