"""Risk on the wire."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from api.findings.schemas import PartAnswer
from api.schemas import Answer, Body
from purple.domain.enrichment import Dataset
from purple.domain.risk import Risk
from purple.domain.risk_history import RiskDay
from purple.domain.risk_views import CombinedRisk, Shift, Trial, VulnerabilityRisk
from purple.domain.severity import Severity
from purple.domain.ssvc import Decision
from purple.domain.weighing import Rules

MAX_WEIGHTS = 100


class RiskAnswer(Answer):
    """A score, and the parts that sum to it."""

    score: int = Field(description="0 to 100")
    parts: list[PartAnswer]


class RiskDayAnswer(Answer):
    """A score, from that day on until the next one."""

    day: date
    score: int


class RiskDays(Answer):
    """How risk was, by day in UTC; a day on which it did not change is not there."""

    items: list[RiskDayAnswer]

    @classmethod
    def of(cls, days: Sequence[RiskDay]) -> "RiskDays":
        """Read them."""
        return cls(items=[RiskDayAnswer.model_validate(each) for each in days])


class CvssAnswer(Answer):
    """A vector, computed."""

    version: str
    vector: str
    base: float
    score: float = Field(description="With the threat and environmental metrics that the vector has")
    severity: Severity


class PointAnswer(Answer):
    """One decision point of SSVC."""

    name: str
    value: str
    why: str


class SsvcAnswer(Answer):
    """Where a published decision tree leads."""

    decision: Decision
    points: list[PointAnswer]
    model: str


class UsedAnswer(Answer):
    """An edition that was looked up."""

    dataset: Dataset
    version: str


class VulnerabilityRiskAnswer(RiskAnswer):
    """Why one vulnerability has its score."""

    id: UUID
    cvss: CvssAnswer | None
    ssvc: SsvcAnswer
    cves: dict[str, dict[str, dict[str, Any]]] = Field(description="What is known, by CVE and dataset")
    weaknesses: dict[str, dict[str, Any]] = Field(description="By CWE: name, attack patterns, techniques")
    editions: list[UsedAnswer]

    @classmethod
    def of(cls, why: VulnerabilityRisk) -> "VulnerabilityRiskAnswer":
        """Flatten one."""
        return cls(
            id=why.id,
            score=why.risk.score,
            parts=_parts(why.risk),
            cvss=CvssAnswer.model_validate(why.cvss) if why.cvss else None,
            ssvc=SsvcAnswer.model_validate(why.ssvc),
            cves={cve: {str(name): dict(fact) for name, fact in facts.items()} for cve, facts in why.cves.items()},
            weaknesses={name: dict(fact) for name, fact in why.weaknesses.items()},
            editions=[UsedAnswer.model_validate(each) for each in why.editions],
        )


class ItemAnswer(Answer):
    """One of many."""

    id: UUID
    name: str
    score: int


class CombinedRiskAnswer(RiskAnswer):
    """One score for many."""

    count: int = Field(description="Present vulnerabilities")
    worst: list[ItemAnswer] = Field(description="At most ten: vulnerabilities of a target, targets of a unit or of all")

    @classmethod
    def of(cls, found: CombinedRisk) -> "CombinedRiskAnswer":
        """Flatten one."""
        worst = [ItemAnswer.model_validate(each) for each in found.worst]
        return cls(score=found.risk.score, parts=_parts(found.risk), count=found.count, worst=worst)


class WeightsBody(Body):
    """Weights by name; those left out stay."""

    weights: dict[str, float] = Field(max_length=MAX_WEIGHTS, examples=[{"kev": 20, "exposure_internet": 12}])


class WeightsPut(Body):
    """Weights by name; those left out stay. null brings back those that are shipped."""

    weights: dict[str, float] | None = Field(max_length=MAX_WEIGHTS)


class WeightsAnswer(Answer):
    """The weights in force."""

    weights: dict[str, float]
    own: bool = Field(description="Whether they are the organisation's, rather than those that are shipped")
    version: int
    weighed: bool = Field(description="Whether every vulnerability is weighed by them; the relay sees to it")

    @classmethod
    def of(cls, rules: Rules) -> "WeightsAnswer":
        """Flatten them."""
        weighed = rules.weighed_version == rules.version
        return cls(weights=rules.weights.told(), own=rules.own, version=rules.version, weighed=weighed)


class BandAnswer(Answer):
    """How many have such a score."""

    scores: str = Field(examples=["80-100"])
    before: int
    after: int


class ShiftAnswer(Answer):
    """What other weights make of one vulnerability."""

    id: UUID
    title: str
    before: RiskAnswer
    after: RiskAnswer

    @classmethod
    def of(cls, shift: Shift) -> "ShiftAnswer":
        """Flatten one."""
        before, after = (RiskAnswer(score=each.score, parts=_parts(each)) for each in (shift.before, shift.after))
        return cls(id=shift.id, title=shift.title, before=before, after=after)


class TrialAnswer(Answer):
    """What other weights would change."""

    looked_at: int = Field(description="Present vulnerabilities, those of the highest risk first")
    of: int
    raised: int
    lowered: int
    bands: list[BandAnswer]
    shifts: list[ShiftAnswer] = Field(description="The twenty largest")

    @classmethod
    def of_trial(cls, trial: Trial) -> "TrialAnswer":
        """Flatten one."""
        return cls(
            looked_at=trial.looked_at,
            of=trial.of,
            raised=trial.raised,
            lowered=trial.lowered,
            bands=[BandAnswer(scores=name, before=before, after=after) for name, before, after in trial.bands],
            shifts=[ShiftAnswer.of(each) for each in trial.shifts],
        )


def _parts(risk: Risk) -> list[PartAnswer]:
    return [PartAnswer.model_validate(each) for each in risk.parts]
