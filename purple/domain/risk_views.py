"""Risk as people are shown it: why, of how many, and what other weights would change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from purple.domain.cvss import Cvss
from purple.domain.enrichment import Edition, Fact
from purple.domain.openings import Opening
from purple.domain.risk import Risk
from purple.domain.ssvc import Advice


@dataclass(frozen=True, slots=True)
class VulnerabilityRisk:
    """Why one vulnerability has its score."""

    id: UUID
    risk: Risk
    cvss: Cvss | None
    ssvc: Advice
    cves: Mapping[str, Mapping[str, Fact]]
    """By CVE and dataset."""
    weaknesses: Mapping[str, Fact]
    """What CWE says of each of its weaknesses, with `patterns` of CAPEC and `techniques` of ATT&CK as far as kept."""
    editions: tuple[Edition, ...]
    """What that was looked up in."""
    opening: Opening | None
    """What it opens to an attacker while it is present: see `attack_paths`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One of many."""

    id: UUID
    name: str
    score: int


@dataclass(frozen=True, slots=True)
class CombinedRisk:
    """One score for many, and the worst of them."""

    risk: Risk
    count: int
    """Present vulnerabilities."""
    worst: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """What other weights make of one vulnerability."""

    id: UUID
    title: str
    before: Risk
    after: Risk


@dataclass(frozen=True, slots=True)
class Trial:
    """What other weights would change, were they saved."""

    looked_at: int
    of: int
    """Vulnerabilities that there are; beyond a number only those of the highest risk are looked at."""
    raised: int
    lowered: int
    bands: Sequence[tuple[str, int, int]]
    """How many have a score of 0-19, 20-39 … before and after."""
    shifts: tuple[Shift, ...]
    """The largest first."""
