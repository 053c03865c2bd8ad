"""Rulings: what a person says of which sightings are one flaw, whatever their fingerprints say; for good.

A ruling gives observations another fingerprint: all of one flaw, which joins it with another, or those that one rule of
one tool made, which splits them off. Rulings follow one another; an undone one plays no part.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from purple.domain.severity import Severity
from purple.domain.vulnerabilities import Merged, VulnerabilityState

MAX_JOINED = 50
"""Flaws that one call joins with another."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """One decision of a person; append-only but for its undoing."""

    id: UUID
    organisation_id: UUID
    fingerprint: str
    """Of the observations that it speaks of: as it was computed, or as another ruling made it."""
    tool: str
    """With `rule` whose observations are split off; both are empty where all are joined with another flaw."""
    rule: str
    into: str
    """The fingerprint that it gives them."""
    created_at: datetime
    actor: str
    why: str
    undone_at: datetime | None = None
    undone_by: str = ""

    @property
    def joins(self) -> bool:
        """Whether it joins a flaw with another; else it splits one."""
        return not self.tool


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a vulnerability has sightings of its own, and its state."""

    id: UUID
    state: VulnerabilityState
    is_seen: bool
    was: VulnerabilityState | None
    """Before it last became a duplicate."""

    @property
    def wanted(self) -> VulnerabilityState:
        """What its sightings ask for: without any it is a duplicate; with some again it is what it was.

        The end of an accepted risk is not kept, so that one is open again.
        """
        if not self.is_seen:
            return VulnerabilityState.DUPLICATE
        if self.state is not VulnerabilityState.DUPLICATE:
            return self.state
        return VulnerabilityState.OPEN if self.was in {None, VulnerabilityState.RISK_ACCEPTED} else self.was


@dataclass(frozen=True, slots=True)
class Witness:
    """What one rule of one tool says of a flaw."""

    tool: str
    rule: str
    title: str
    severity: Severity
    observations: int
    campaigns: int
    last_seen: datetime
    observation_id: UUID
    """The newest."""


def leads(rulings: Iterable[Ruling]) -> Callable[[str, str, str], str]:
    """What tells where rulings in force lead the observations of a fingerprint, tool and rule: its last fingerprint.

    At each step the ruling that names tool and rule goes before the one that joins. A way that comes back to where it
    was ends there: what was split off and joined with the same flaw again is that flaw.
    """
    standing = {(each.fingerprint, each.tool, each.rule): each.into for each in rulings if each.undone_at is None}

    def end(known: str, tool: str, rule: str) -> str:
        passed: set[str] = set()
        while known not in passed:
            passed.add(known)
            known = standing.get((known, tool, rule)) or standing.get((known, "", "")) or known
        return known

    return end


def reach(rulings: Iterable[Ruling], fingerprints: Iterable[str]) -> set[str]:
    """These, and all that rulings, also undone ones, connect with them."""
    near: dict[str, set[str]] = {}
    for each in rulings:
        near.setdefault(each.fingerprint, set()).add(each.into)
        near.setdefault(each.into, set()).add(each.fingerprint)
    found: set[str] = set()
    ahead = list(fingerprints)
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += near.get(one, ())
    return found


class Correlations(Protocol):
    """What rulings do to observations and sightings."""

    async def ids(self, fingerprints: Sequence[str]) -> Mapping[str, UUID]:
        """The vulnerabilities that have these."""
        ...

    async def standings(self, fingerprints: Sequence[str]) -> Sequence[Standing]:
        """How the vulnerabilities that have these stand."""
        ...

    async def witnesses(self, fingerprint: str) -> Sequence[Witness]:
        """Who says what of a flaw, by tool and rule."""
        ...

    async def apply(self, fingerprints: Sequence[str], at: datetime) -> Merged:
        """Give observations of these flaws the fingerprints that rulings lead to, and make their sightings anew.

        Their targets are locked. Severity and words of each are again those of its own sightings.
        """
        ...
