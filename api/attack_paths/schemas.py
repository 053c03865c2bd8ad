"""Attack paths on the wire."""

from uuid import UUID

from pydantic import Field

from api.schemas import Answer
from purple.domain.openings import Gain
from purple.domain.severity import Severity
from purple.domain.targets import Exposure


class TechniqueAnswer(Answer):
    """Of MITRE ATT&CK."""

    id: str
    name: str


class AttackStepAnswer(Answer):
    """One present vulnerability that is used."""

    target_id: UUID
    target: str
    host: str
    zones: list[str] = Field(description="In which it stands; an empty name is that of targets without a zone")
    vulnerability_id: UUID
    title: str
    severity: Severity
    where: str
    gain: Gain = Field(description="What it gives: control of the place, from where paths go on, or its data")
    techniques: list[TechniqueAnswer]
    effort: int = Field(description="Points; less is easier")
    why: list[str] = Field(description="What it opens, and what makes the effort")
    alike: int = Field(description="How many other openings of the same place would do the same")


class AttackGoalAnswer(Answer):
    """What matters: a critical or high target, or confidential or restricted data."""

    target_id: UUID
    target: str
    host: str
    zones: list[str]
    worth: int = Field(description="Points, at most 100")
    why: list[str]
    paths: int = Field(description="How many lead to it in all")


class AttackPathAnswer(Answer):
    """From the outside to a goal; no step can be left out."""

    start: Exposure = Field(description="internet, or partner")
    steps: list[AttackStepAnswer]
    goal: AttackGoalAnswer
    effort: int = Field(description="Of all steps")
    weight: int = Field(description="What the goal is worth, less the effort: an order, and no probability")


class AttackCountAnswer(Answer):
    """Goals, and paths to them."""

    goals: int
    paths: int


class ChokePointAnswer(Answer):
    """What to mend."""

    cause: str = Field(description="The root cause; as a filter of vulnerabilities `cause:…`")
    vulnerabilities: int = Field(description="Of that cause, on these paths; one alone where it does as much")
    targets: int
    worst: UUID = Field(description="The one of the highest risk")
    title: str = Field(description="Its title")
    remediation: str
    ends: AttackCountAnswer = Field(description="What no path leads to any more, when this alone is mended")
    left: AttackCountAnswer = Field(description="What is left after this and all before it")


class AttackFactsAnswer(Answer):
    """How much there was to look at."""

    places: int
    exposed: int = Field(description="Places that the internet or partners reach")
    goals: int = Field(description="Places that matter")
    openings: int = Field(description="Present vulnerabilities that give an attacker a step")
    unknown_exposure: int = Field(description="Targets of unknown exposure: no path begins at them")


class AttackPathsAnswer(Answer):
    """The heaviest, of each goal at most three."""

    items: list[AttackPathAnswer]
    number: int = Field(description="How many paths there are of those that were asked for")
    goals: int = Field(description="How many goals they lead to")
    choke_points: list[ChokePointAnswer] = Field(
        description="What to mend first, of all paths to the chosen goals: each time what takes most goals, then most "
        "paths away of what is left"
    )
    facts: AttackFactsAnswer
    cut_off: bool = Field(
        description="Whether not all was looked at: only the vulnerabilities of the highest risk, or the shortest ways "
        "over several zones"
    )
