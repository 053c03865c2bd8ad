"""The scans of a campaign as sets: each call is one statement or a few, however many scans there are.

A campaign of few scans runs them itself; where there are many they are numbered into batches, and a child workflow runs
each batch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from purple.domain.campaigns import Campaign, Phase, Scan
from purple.domain.scope import Authorisation
from purple.domain.targets import TargetKind
from purple.domain.tools import ScanState

INLINE = 200
"""A campaign's own workflow runs so many scans; a child workflow for each batch runs more."""
BATCH = 200
MAX_BATCHES = 250
"""Made at once: what a parent's history holds of its children stays small, and batches grow instead."""

OWN = 0
"""The batch of scans that the campaign's own workflow runs."""
HELD = -1
"""Of scans that wait for approval."""
FRESH = -2
"""Of scans that are not numbered yet."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a worker must know of a scan before it runs."""

    scan: Scan
    campaign: Campaign
    """Without its targets."""
    kind: TargetKind
    """Of the scan's target."""
    authorisation: Authorisation
    """As it stands now."""


class ScanSets(Protocol):
    """Statements over the scans of one campaign."""

    async def briefing(self, scan_id: UUID) -> Briefing:
        """All about a scan at once, for every scan asks for it.

        Raises:
            NotFoundError: there is no such scan.
        """
        ...

    async def conclude(self, ended: Scan, added: int | None) -> Scan | None:
        """Write down how an attempt ended; one that is about to end just then is waited for.

        Args:
            ended: the scan as it is to be, but for how many observations it has.
            added: how many it has more; None where they are to be counted.

        Returns:
            The scan, or None where that attempt or a later one has come to an end already.
        """
        ...

    async def campaign(self, campaign_id: UUID, *, lock: bool = False) -> Campaign:
        """The campaign without its targets, which may be thousands; locked until the transaction ends where asked.

        Raises:
            NotFoundError: there is none.
        """
        ...

    async def add(self, scans: Sequence[Scan]) -> int:
        """Insert in bulk those whose ids are not there; how many that were."""
        ...

    async def number(self, campaign_id: UUID, *, apart: bool = False) -> None:
        """Give fresh scans to the campaign's own workflow; to new batches where they are many, or `apart` is asked."""
        ...

    async def due(
        self, campaign_id: UUID, phase: Phase, batch: int, limit: int, request_id: str = ""
    ) -> Sequence[Scan]:
        """Scans of a batch that have not ended, oldest first; of one request where it is given."""
        ...

    async def batches(self, campaign_id: UUID, phase: Phase, request_id: str = "") -> Mapping[int, int]:
        """Batch to how many of its scans have not ended; of one request where it is given."""
        ...

    async def held(self, campaign_id: UUID, phase: Phase) -> Mapping[str, int]:
        """Tool to how many of its scans wait for approval."""
        ...

    async def counts(self, campaign_id: UUID) -> Mapping[ScanState, int]:
        """How many are in each state."""
        ...

    async def judged(self, campaign_id: UUID) -> Mapping[ScanState, int]:
        """The same, where what a recent scan covers counts as complete."""
        ...

    async def worst_first(self, campaign_id: UUID, limit: int) -> Sequence[Scan]:
        """At most so many: those that run, those that ended otherwise than complete, those that wait, the rest."""
        ...

    async def end(  # noqa: PLR0913 - the fields of the rows, and which rows
        self,
        campaign_id: UUID,
        *,
        state: ScanState,
        reason: str,
        at: datetime,
        limit: int,
        states: Iterable[ScanState],
        tool: str = "",
        scan_id: UUID | None = None,
    ) -> Sequence[Scan]:
        """End at most so many of those in these states; as they are now. None is left when fewer come back."""
        ...

    async def failed(self, campaign_id: UUID, *, tools: Iterable[str], ids: Iterable[UUID]) -> int:
        """How many ended otherwise than complete, but those of these tools or with these ids."""
        ...

    async def reset(self, campaign_id: UUID, retry_id: str, *, tools: Iterable[str], ids: Iterable[UUID]) -> None:
        """Make what ended otherwise than complete pending and fresh, but not that of these tools or with these ids."""
        ...

    async def of_request(self, campaign_id: UUID, request_id: str) -> int:
        """How many scans a request released."""
        ...

    async def release(self, campaign_id: UUID, tool: str, request_id: str) -> None:
        """Make a tool's held scans fresh."""
        ...
