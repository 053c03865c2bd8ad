"""Risk: an order of what to mend first, 0 to 100, as a sum of parts that each say what they are.

CVSS or a severity says how bad a flaw is anywhere; risk adds what is known of its exploitation and of this asset. The
weights are ours and can be changed by each organisation; every part is named, so that a reader can disagree with one.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from uuid import UUID

from purple.domain.cvss import score_of
from purple.domain.enrichment import Dataset, Fact
from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity
from purple.domain.targets import Exposure, Target

MODEL = 3
"""Counts up where the same facts come to another score; then all that is stored is weighed again.

An organisation without a row counts as weighed by it: the migration that counts it up gives a row to each, as 0017 and
0033 do.
"""
CERTAIN_FROM = 0.5
MOST = 100
_BOUND = 100.0
ENRICHED = (Dataset.KEV, Dataset.EPSS, Dataset.CVE)
"""What risk depends on, all by CVE."""


@dataclass(frozen=True, slots=True)
class Part:
    """One step of the waterfall."""

    name: str
    """Stable: `cvss`, `severity`, `epss`, `kev`, `ransomware`, `exploit`, `criticality`, `data`, `exposure`,
    `controls`, `tools`, `confidence`, `limit`; of many together `worst`, and the severity of the others."""
    points: int
    detail: str
    """For people."""


@dataclass(frozen=True, slots=True)
class Risk:
    """A score and the parts that sum to it."""

    score: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """Points, from -100 to 100; a part whose weight is 0 plays no part."""

    cvss: float = 6.5
    """For each point of CVSS, at most 10."""
    severity_info: float = 5
    """Severities stand where there is no CVSS."""
    severity_low: float = 20
    severity_medium: float = 35
    severity_high: float = 52
    severity_critical: float = 62
    epss: float = 10
    """For a probability of 1."""
    kev: float = 15
    ransomware: float = 5
    """On top of `kev`."""
    exploit: float = 6
    """Where an exploit is published and none is known to be used."""
    criticality_low: float = -10
    criticality_medium: float = 0
    criticality_high: float = 8
    criticality_critical: float = 15
    data_public: float = -3
    data_internal: float = 0
    data_confidential: float = 4
    data_restricted: float = 8
    exposure_internet: float = 10
    exposure_partner: float = 4
    exposure_internal: float = -4
    control: float = -4
    """For each compensating control of the target."""
    controls_most: float = -12
    """All of them together change no more than this."""
    several_tools: float = 3
    unsure: float = -10

    def changed(self, wanted: Mapping[str, float], field: str = "weights") -> "Weights":
        """These with some of them others.

        Raises:
            InvalidInputError: there is no such weight, or it is out of bounds.
        """
        known = {each.name for each in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise InvalidInputError(
                    f"there is no weight {name!r}",
                    field=field,
                    value=name,
                    remedy=f"use one of {', '.join(sorted(known))}",
                )
            most = 10.0 if name == "cvss" else _BOUND
            if not (math.isfinite(value) and -most <= value <= most):
                raise InvalidInputError(
                    f"{name} is from {-most:g} to {most:g}", field=f"{field}.{name}", value=value, remedy="use points"
                )
        return replace(self, **wanted)

    def told(self) -> dict[str, float]:
        """By name."""
        return asdict(self)

    def of(self, kind: str, value: str) -> float:
        """The weight of a value, such as `exposure` and `internet`; 0 of `unknown`."""
        return float(getattr(self, f"{kind}_{value}", 0))


SHIPPED = Weights()


@dataclass(frozen=True, slots=True)
class Known:
    """What the world knows of the CVEs of one vulnerability."""

    epss: float = 0.0
    """The highest."""
    kev: bool = False
    ransomware: bool = False
    exploit: bool = False
    cvss_vector: str = ""
    """The one that scores highest."""


NOTHING_KNOWN = Known()


@dataclass(frozen=True, slots=True)
class Weight:
    """All that risk depends on, and which vulnerabilities are alike in it."""

    target_id: UUID
    severity: Severity
    tools: int
    """How many saw it."""
    confidence: float
    """The best of its sightings."""
    risk: int
    parts: tuple[Part, ...]
    ids: tuple[UUID, ...]
    cve: tuple[str, ...] = ()
    cvss_vector: str = ""
    cvss_score: float = 0.0
    """As the tool says it, by whichever version; used where no vector can be computed."""


def known_of(cves: Iterable[str], facts: Mapping[Dataset, Mapping[str, Fact]]) -> Known:
    """What is known of some CVEs together: the worst of each kind."""
    mine = [(cve, {name: facts[name].get(cve) for name in ENRICHED}) for cve in cves]
    told = [each for _, each in mine if any(each.values())]
    if not told:
        return NOTHING_KNOWN
    kevs = [fact for each in told if (fact := each[Dataset.KEV]) is not None]
    records = [fact for each in told if (fact := each[Dataset.CVE]) is not None]
    vectors = sorted(str(each["cvss"]) for each in records if each["cvss"])
    return Known(
        epss=max((float(fact["score"]) for each in told if (fact := each[Dataset.EPSS]) is not None), default=0.0),
        kev=bool(kevs),
        ransomware=any(each["ransomware"] for each in kevs),
        exploit=any(each["exploit"] for each in records),
        cvss_vector=max(vectors, key=lambda vector: score_of(vector) or 0.0, default=""),
    )


def vector_of(told: str, known: Known) -> str:
    """The vector that counts: the one that a tool told, which knows this case, before the one that is published."""
    return told if score_of(told) is not None else known.cvss_vector


def assess(weight: Weight, target: Target, known: Known = NOTHING_KNOWN, weights: Weights = SHIPPED) -> Risk:
    """Weigh one vulnerability, or many that are alike.

    Each part is rounded to whole points by itself, so that they sum to the score.
    """
    parts = [_base(weight, known, weights)]
    parts += _exploited(known, weights)
    parts += _asset(target, weights)
    if weight.tools > 1:
        parts.append(_part("tools", weights.several_tools, f"seen by {weight.tools} tools"))
    if weight.confidence < CERTAIN_FROM:
        parts.append(_part("confidence", weights.unsure, "tool is not sure"))
    return summed([parts[0], *(each for each in parts[1:] if each.points)])


def summed(parts: Iterable[Part]) -> Risk:
    """The score of some parts; where they sum to less than 0 or more than 100, a last one says so."""
    known = tuple(parts)
    total = sum(each.points for each in known)
    score = max(0, min(MOST, total))
    if score != total:
        known = (*known, Part("limit", score - total, f"at {'most' if score else 'least'} {score}"))
    return Risk(score, known)


def _part(name: str, points: float, detail: str) -> Part:
    return Part(name, round(points), detail)


def _base(weight: Weight, known: Known, weights: Weights) -> Part:
    score = score_of(vector_of(weight.cvss_vector, known)) or weight.cvss_score
    if score:
        return _part("cvss", weights.cvss * min(score, 10.0), f"CVSS {min(score, 10.0):.1f}")
    return _part("severity", weights.of("severity", weight.severity), f"severity {weight.severity}")


def _exploited(known: Known, weights: Weights) -> Iterable[Part]:
    if known.epss:
        yield _part("epss", weights.epss * known.epss, f"EPSS {known.epss:.0%}")
    if known.kev:
        yield _part("kev", weights.kev, "known to be exploited")
        if known.ransomware:
            yield _part("ransomware", weights.ransomware, "used by ransomware")
    elif known.exploit:
        yield _part("exploit", weights.exploit, "an exploit is published")


_REACHED = {Exposure.INTERNET: "reached from the internet", Exposure.PARTNER: "reached by partners"}


def _asset(target: Target, weights: Weights) -> Iterable[Part]:
    yield _part("criticality", weights.of("criticality", target.criticality), f"{target.criticality} asset")
    yield _part("data", weights.of("data", target.data_class), f"{target.data_class} data")
    reached = _REACHED.get(target.exposure, "reached from inside only")
    yield _part("exposure", weights.of("exposure", target.exposure), reached)
    if target.controls:
        points = weights.control * len(target.controls)
        most = abs(weights.controls_most)
        yield _part("controls", max(-most, min(most, points)), f"behind {', '.join(target.controls)}")


def reasons(parts: Iterable[Part]) -> tuple[str, ...]:
    """The parts in words: what stands first is what the others are added to."""
    return tuple(
        f"{each.detail} ({each.points:+d})" if n else f"{each.detail} ({each.points})" for n, each in enumerate(parts)
    )


SWELL = 0.05
"""How fast many others bring the score of the worst towards 100."""


@dataclass(frozen=True, slots=True)
class Group:
    """Present vulnerabilities of one kind, or targets."""

    name: str
    """Part of the waterfall."""
    label: str
    """What one is called, such as `high vulnerability`."""
    count: int
    total: int
    """The sum of their scores."""


def together(worst: Part, groups: Iterable[Group]) -> Risk:
    """One score for many: the worst of them, and for all others a part of what is missing to 100.

    The others take `1 - exp(-SWELL * their scores / 100)` of it: many small ones come near one bad one and never reach
    what a second bad one would not. What they add is shared out by their scores, to whole points (largest remainder).

    Args:
        worst: the worst one, with its score as points.
        groups: all others, without that one.
    """
    others = [each for each in groups if each.count > 0]
    total = sum(each.total for each in others)
    added = round((MOST - worst.points) * (1 - math.exp(-SWELL * total / MOST)))
    shares = [(added * each.total / total if total else 0.0) for each in others]
    points = [math.floor(each) for each in shares]
    short = sorted(range(len(others)), key=lambda n: points[n] - shares[n])[: added - sum(points)]
    parts = [
        Part(each.name, points[n] + (n in short), f"{each.count} more {each.label}{'s' if each.count > 1 else ''}")
        for n, each in enumerate(others)
    ]
    return summed([worst, *(each for each in parts if each.points)])


NO_RISK = Risk(0, ())
"""Of what has no present vulnerability."""
