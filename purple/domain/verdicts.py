"""The port of false positives: cases to score, verdicts to learn from, and the policy that may act."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from purple.domain.calibration import Figures
from purple.domain.errors import InvalidInputError
from purple.domain.false_positives import PROPOSED, SHIPPED, Abilities, Case, Doubt, Model, Past, Reason
from purple.domain.severity import Severity

KEPT = 50
"""Models of an organisation; older ones go."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is marked as a false positive without a person: nothing, unless the organisation says so."""

    threshold: float | None = None
    """From this score on; None is off."""
    below: Severity = Severity.HIGH
    """Of severities below this one."""

    def checked(self) -> "Policy":
        """The same.

        Raises:
            InvalidInputError: it would act on what is not even proposed, or on what is high or critical.
        """
        if self.threshold is not None and not PROPOSED <= self.threshold <= 1:
            raise InvalidInputError(
                f"a policy acts from {PROPOSED} to 1 on",
                field="threshold",
                value=self.threshold,
                remedy="0.95 is careful; leave it out to switch the policy off",
            )
        if self.below not in {Severity.LOW, Severity.MEDIUM, Severity.HIGH}:
            raise InvalidInputError(
                "what is high or critical is decided by a person",
                field="below",
                value=self.below,
                remedy=f"use {Severity.LOW}, {Severity.MEDIUM} or {Severity.HIGH}",
            )
        return self

    @property
    def severities(self) -> tuple[Severity, ...]:
        """On which it acts."""
        return tuple(each for each in Severity if each.rank < self.below.rank)

    @property
    def words(self) -> str:
        """For the history of what it marks."""
        return f"policy: {self.threshold:.0%} or more likely false, below {self.below}" if self.threshold else "off"


@dataclass(frozen=True, slots=True)
class Standing:
    """An organisation's policy, and by what all its findings are scored."""

    policy: Policy = field(default_factory=Policy)
    version: int = 0
    """Counts up with each change of the policy."""
    scored_version: int = -1
    scored_model: int = -1
    scored_release: int = -1


@dataclass(frozen=True, slots=True)
class Learned:
    """What an organisation's verdicts taught."""

    id: UUID
    organisation_id: UUID
    created_at: datetime
    version: int
    n: int
    """Verdicts."""
    false: int
    """False positives among them."""
    in_use: bool
    """Whether its weights are used, or those that are shipped."""
    why: str
    """In words."""
    weights: Mapping[str, float]
    past: Past
    figures: Figures
    """Each verdict told by what the others teach."""

    @property
    def model(self) -> Model:
        """What findings are scored by; verdicts on a rule count also where weights do not follow them yet."""
        return Model(self.weights if self.in_use else SHIPPED, self.past, self.version)


@dataclass(frozen=True, slots=True)
class Scored:
    """A finding's case, and the score that it has now."""

    id: UUID
    case: Case
    score: float | None
    reasons: tuple[Reason, ...]


class Verdicts(Protocol):
    """Scores are written for many at once; a verdict is the last thing that a person said of a finding."""

    async def touched(self, campaign_id: UUID, moved: Collection[UUID], abilities: Abilities) -> Sequence[UUID]:
        """What a campaign may have changed the score of: what moved, what its tools did not see, guesses beside it."""
        ...

    async def present(self, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Ids of some that are a present problem, in order; those after one of them."""
        ...

    async def cases(
        self, ids: Collection[UUID], abilities: Abilities, model: Model, *, every: bool = False, lock: bool = False
    ) -> Sequence[Scored]:
        """All that is known of these; those of which no signal could say anything are left out, or not.

        With the lock whoever would change one of their targets waits for the transaction.
        """
        ...

    async def put(self, doubts: Sequence[tuple[Sequence[UUID], Doubt]]) -> None:
        """Store each of these for all of the findings beside it, in one statement."""
        ...

    async def latest(self) -> Learned | None:
        """The newest model; None before the first."""
        ...

    async def keep(self, model: Learned) -> None:
        """Store one more; the oldest go.

        Raises:
            ConflictError: there is one of its version.
        """
        ...

    async def said(self, limit: int) -> Mapping[UUID, bool]:
        """The newest verdicts of people, whether each said false positive; what a policy did is none.

        Confirmed and accepted as a risk is true, and so is what was triaged and then fixed.
        """
        ...

    async def standing(self) -> Standing:
        """The policy, and by what everything is scored."""
        ...

    async def set_policy(self, policy: Policy) -> Standing:
        """Put one in force."""
        ...

    async def set_scored(self, version: int, model: int, release: int) -> None:
        """Note by what everything is scored."""
        ...

    async def ruled(self, policy: Policy, ids: Collection[UUID] | None, limit: int) -> Sequence[UUID]:
        """What a policy is about, of these or of all; nothing of which a person ever said what it is."""
        ...
