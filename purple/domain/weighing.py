"""The port of risk: an organisation's weights, how far it is weighed, and sums over its vulnerabilities."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from purple.domain.enrichment import Dataset
from purple.domain.risk import MODEL, Weights
from purple.domain.severity import Severity


@dataclass(frozen=True, slots=True)
class Rules:
    """An organisation's weights, and with what everything was weighed last."""

    weights: Weights
    own: bool = False
    """Whether the organisation chose them, rather than those that are shipped."""
    version: int = 0
    """Counts up with each change of the weights."""
    weighed_version: int = 0
    weighed_model: int = MODEL
    weighed_revision: int = 0
    """Up to which revision of what others publish."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Present vulnerabilities of one severity at one target."""

    target_id: UUID
    severity: Severity
    count: int
    total: int
    """The sum of their risks."""
    worst: int
    unit_id: UUID | None = None
    """The business unit of the target."""
    machine_id: UUID | None = None
    """The machine of the target, where it is one with others."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A vulnerability of whose CVEs something changed."""

    id: UUID
    datasets: tuple[Dataset, ...]


class Risks(Protocol):
    """Weights, and vulnerabilities as sets."""

    async def rules(self) -> Rules:
        """Those in force."""
        ...

    async def set_weights(self, weights: Weights | None) -> Rules:
        """Put these in force, or those that are shipped; everything counts as not weighed from then on."""
        ...

    async def set_weighed(self, version: int, model: int, revision: int) -> None:
        """Note with what everything was weighed."""
        ...

    async def worst(
        self, limit: int, target_ids: Collection[UUID] | None = None, *, once: bool = False
    ) -> Sequence[tuple[UUID, str, int]]:
        """Present ones, of some targets or all, the highest risk first: id, title, risk; `once` as in `tallies`."""
        ...

    async def touched(self, datasets: Collection[Dataset], revision: int) -> Sequence[Touched]:
        """Vulnerabilities with a CVE whose facts changed after a revision, in the order of their ids."""
        ...

    async def tallies(
        self, target_ids: Collection[UUID] | None = None, unit_id: UUID | None = None, *, once: bool = False
    ) -> Sequence[Tally]:
        """Of some targets, of those of a business unit and of all below it, or of all.

        Args:
            target_ids: the targets.
            unit_id: the business unit.
            once: of vulnerabilities that are one flaw under several targets of a machine, take the one with the highest
                risk: of these targets, else of each business unit. A target's severity may then come twice.
        """
        ...
