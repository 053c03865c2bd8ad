"""The port of what was found; like those of `ports`, an adapter implements it and `bootstrap` joins the two."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from purple.domain.causes import Causes
from purple.domain.observations import RecordedObservation
from purple.domain.pages import Page, Query
from purple.domain.risk import Risk, Weight
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import Merged, Vulnerability


@dataclass(frozen=True, slots=True)
class Sighting:
    """That one scan saw a vulnerability, and what it said of it."""

    vulnerability_id: UUID
    scan_id: UUID
    campaign_id: UUID
    observation_id: UUID
    tool: str
    tool_version: str
    scan_state: ScanState
    seen_at: datetime
    rule: str
    title: str
    severity: Severity
    confidence: float


class Findings(Protocol):
    """Observations, vulnerabilities and the sightings between them."""

    async def record(self, rows: Iterator[RecordedObservation], threads: Executor | None = None) -> int:
        """Add observations in bulk; what is there stays as it is. How many came in.

        Args:
            rows: of one scan or of several; what they raise is raised here, and nothing was added.
            threads: where they are made, by a parser that may take long; the loop's own by default.
        """
        ...

    async def count(self, scan_id: UUID) -> int:
        """Observations of a scan."""
        ...

    async def observations(self, query: Query) -> Page[RecordedObservation]:
        """A page, by default in the order in which they were recorded."""
        ...

    async def observation(self, row_id: UUID) -> RecordedObservation:
        """One observation.

        Raises:
            NotFoundError: there is none.
        """
        ...

    async def observed(self, ids: Iterable[UUID]) -> Mapping[UUID, RecordedObservation]:
        """Those of these observations that there are, by id."""
        ...

    async def services(self, campaign_id: UUID, target_ids: Sequence[UUID]) -> tuple[RecordedObservation, ...]:
        """Every listening service that a campaign saw of these targets."""
        ...

    async def merge(self, campaign_id: UUID, at: datetime) -> Merged:
        """Give each flaw of a campaign its vulnerability and sighting; reopen and close by the rules.

        What it changes of a vulnerability is in that one's history, with this time. Of two campaigns on one target
        the second waits for the first to commit.
        """
        ...

    async def vulnerabilities(self, query: Query, *, once: bool = False) -> Page[Vulnerability]:
        """A page, by default worst risk first.

        Args:
            query: which, in which order.
            once: of those that are one flaw under several targets of a machine, only the present one with the highest
                risk.
        """
        ...

    async def seen_by(self, campaign_id: UUID, most: int) -> tuple[Vulnerability, ...]:
        """So many at most of those that a campaign saw: the present ones first, the worst risk first."""
        ...

    async def number_seen_by(self, campaign_id: UUID) -> int:
        """How many those are in all."""
        ...

    async def ids(self, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Of some vulnerabilities, in order; those after one of them."""
        ...

    async def sightings(self, ids: Sequence[UUID], most: int) -> Sequence[Sighting]:
        """Of these vulnerabilities, of each the newest so many; the newest first."""
        ...

    async def causes(self, query: Query) -> Causes:
        """The root causes of the present vulnerabilities that a filter finds, by the sum of their risks.

        Raises:
            InvalidInputError: the filter cannot be used.
        """
        ...

    async def vulnerability(self, row_id: UUID) -> Vulnerability:
        """One vulnerability.

        Raises:
            NotFoundError: there is none.
        """
        ...

    async def present(self, campaign_id: UUID | None = None) -> Mapping[str, int]:
        """How many vulnerabilities are a present problem, by severity; a severity without any is left out.

        Of all, or of those that a campaign saw.
        """
        ...

    async def sum_up(self) -> None:
        """Make few lines of the book from which all of them are counted, where it has grown long."""
        ...

    async def of_targets(self, target_ids: Sequence[UUID]) -> tuple[Weight, ...]:
        """What the risk of every vulnerability of some targets depends on; the alike are one.

        Whoever would weigh one of these targets waits for the transaction.
        """
        ...

    async def weights(self, ids: Sequence[UUID], *, lock: bool = False) -> tuple[Weight, ...]:
        """The same for these; with the lock whoever would weigh one of their targets waits for the transaction."""
        ...

    async def set_risks(self, risks: Sequence[tuple[Sequence[UUID], Risk]]) -> None:
        """Store each of these risks for all of the vulnerabilities beside it, in one statement."""
        ...
