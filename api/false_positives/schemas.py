"""False positives on the wire."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.findings.schemas import DoubtAnswer
from api.schemas import Answer, Body
from purple.domain.calibration import Figures
from purple.domain.false_positives import PROPOSED
from purple.domain.severity import Severity
from purple.domain.verdicts import Learned, Policy
from purple.services.false_positives import Explained, State


class ReasonAnswer(DoubtAnswer):
    """One reason, and what it rests on."""

    observation_ids: list[UUID] = Field(description="None where it rests on verdicts, or on what was not seen")


class ExplainedAnswer(Answer):
    """Whether a vulnerability may be none, as everything stands now."""

    id: UUID
    score: float = Field(description="The probability, 0 to 1")
    proposed: bool = Field(description=f"Whether it is {PROPOSED} or more, and nobody has decided yet")
    reasons: list[ReasonAnswer] = Field(
        description="Their weights sum to the logarithm of the odds; the first is prior"
    )
    model: int = Field(description="Version of the model; 0 is the one that is shipped")

    @classmethod
    def of(cls, found: Explained) -> "ExplainedAnswer":
        """Flatten one."""
        reasons = [ReasonAnswer.model_validate(each) for each in found.doubt.reasons]
        score, proposed = found.doubt.score, found.proposed
        return cls(id=found.id, score=score, proposed=proposed, reasons=reasons, model=found.model)


class FiguresAnswer(Answer):
    """How well verdicts are told, each by what the others teach."""

    precision: float = Field(description="Share of those proposed that are false positives")
    recall: float = Field(description="Share of the false positives that are proposed")
    brier: float = Field(description="Mean square error of the probability; 0 is perfect")
    baseline_brier: float = Field(description="Of whoever always gives the share of false positives")
    ece: float = Field(description="Expected calibration error over ten bins; 0 is perfect")
    accuracy: float
    baseline: float = Field(description="Accuracy of whoever always says what most are")

    @classmethod
    def of(cls, figures: Figures) -> "FiguresAnswer":
        """Rounded."""
        return cls(**{name: round(getattr(figures, name), 4) for name in cls.model_fields})


class LearnedAnswer(Answer):
    """What verdicts taught."""

    version: int
    created_at: datetime
    verdicts: int
    false: int = Field(description="False positives among them")
    in_use: bool = Field(description="Whether its weights are used, or those that are shipped")
    why: str
    figures: FiguresAnswer

    @classmethod
    def of(cls, model: Learned) -> "LearnedAnswer":
        """Flatten one."""
        told = {name: getattr(model, name) for name in ("version", "created_at", "false", "in_use", "why")}
        return cls(**told, verdicts=model.n, figures=FiguresAnswer.of(model.figures))


class ModelAnswer(Answer):
    """By what findings are scored."""

    version: int = Field(description="0 is the one that is shipped")
    weights: dict[str, float] = Field(description="In use")
    learned: LearnedAnswer | None = Field(description="null before the first verdicts")
    scored: bool = Field(description="Whether everything is scored by it; the relay sees to it")

    @classmethod
    def of(cls, state: State) -> "ModelAnswer":
        """Flatten it."""
        version = state.learned.version if state.learned else 0
        learned = LearnedAnswer.of(state.learned) if state.learned else None
        scored = state.standing.scored_model == version
        return cls(version=version, weights=dict(state.weights), learned=learned, scored=scored)


class PolicyBody(Body):
    """What may be marked as a false positive without a person."""

    threshold: float | None = Field(ge=PROPOSED, le=1, description="From this score on; null switches the policy off")
    below: Severity = Field(default=Severity.HIGH, description="Of severities below this one: low, medium or high")


class PolicyAnswer(Answer):
    """What is marked as a false positive without a person."""

    threshold: float | None = Field(description="From this score on; null is off, as it is by default")
    below: Severity

    @classmethod
    def of(cls, policy: Policy) -> "PolicyAnswer":
        """The same."""
        return cls(threshold=policy.threshold, below=policy.below)
