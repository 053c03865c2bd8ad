"""By when a vulnerability should be fixed: a policy of rules, of which the most specific one decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity
from purple.domain.targets import Exposure

MAX_DAYS = 3_650
DATED = frozenset({"exposure", "unit_id"})
"""Fields of a target that its due dates depend on; of a unit it is its place in the tree."""


@dataclass(frozen=True, slots=True)
class Rule:
    """So many days for a severity: for every target, or for those of one exposure, one business unit, or both."""

    severity: Severity
    days: int
    exposure: Exposure | None = None
    """None is any; a rule that names one comes before, of those that name the same unit or none."""
    unit_id: UUID | None = None
    """None is any. A rule that names a target's unit comes first, then one of the next unit above it, and so on."""

    @property
    def scope(self) -> tuple[Severity, Exposure | None, UUID | None]:
        """What it is for."""
        return self.severity, self.exposure, self.unit_id


SHIPPED = (
    Rule(Severity.CRITICAL, 14),
    Rule(Severity.CRITICAL, 7, Exposure.INTERNET),
    Rule(Severity.HIGH, 30),
    Rule(Severity.HIGH, 14, Exposure.INTERNET),
    Rule(Severity.MEDIUM, 90),
    Rule(Severity.LOW, 180),
)
"""Of an organisation that has said nothing; what is only information has no due date."""


def checked(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """A policy in its order.

    Raises:
        InvalidInputError: days out of bounds, or two rules for the same.
    """
    known: set[tuple[Severity, Exposure | None, UUID | None]] = set()
    for rule in rules:
        if not 1 <= rule.days <= MAX_DAYS:
            raise InvalidInputError(
                f"a rule gives 1 to {MAX_DAYS} days", field="days", value=rule.days, remedy="leave it out for none"
            )
        if rule.scope in known:
            raise InvalidInputError(
                f"two rules for {rule.severity} {rule.exposure or 'anywhere'}", field="rules", remedy="keep one of them"
            )
        known.add(rule.scope)
    return tuple(sorted(rules, key=_order))


def edition_of(rules: Sequence[Rule]) -> str:
    """A name for exactly these rules, in whatever order: the first 16 digits of a SHA-256."""
    told = "\n".join(
        f"{each.severity} {each.exposure} {each.unit_id} {each.days}" for each in sorted(rules, key=_order)
    )
    return sha256(told.encode()).hexdigest()[:16]


def _order(rule: Rule) -> tuple[str, int, str]:
    return str(rule.unit_id or ""), -rule.severity.rank, rule.exposure or ""


class DueDates(Protocol):
    """Due dates of vulnerabilities as sets, and the rules they follow."""

    async def rules(self) -> tuple[Rule, ...]:
        """The organisation's; those shipped where it has none."""
        ...

    async def set_rules(self, rules: Sequence[Rule]) -> None:
        """Put these in place of those there are."""
        ...

    async def date(self, ids: Sequence[UUID] | None = None, target_ids: Sequence[UUID] | None = None) -> int:
        """Give present vulnerabilities the date that the rules say, but for those dated by hand; how many changed.

        Args:
            ids: of these alone.
            target_ids: of these targets alone; without either, of all.
        """
        ...

    async def overdue(self, at: datetime, limit: int) -> Sequence[tuple[UUID, datetime]]:
        """Mark some of those whose date is over and that were not told of; their ids and dates."""
        ...
