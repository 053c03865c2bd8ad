"""A logistic regression that begins with weights that are known, and how well its probabilities hold.

The fit is the most likely weights given verdicts and a normal distribution around the known ones (maximum a
posteriori; Bishop, Pattern Recognition and Machine Learning, section 4.5). Weights keep their signs: what speaks
for a finding never comes to speak against it. It is deterministic: coordinate descent by the bound of Böhning and
Lindsay (1988), which never overshoots, a fixed number of rounds, in a fixed order.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from purple.domain.false_positives import PROPOSED, Case, Past, probability, signals

ROUNDS = 120
STRENGTH = 2.0
"""How firmly the known weights stand: as much as this many verdicts a signal."""
FOLDS = 5
BINS = 10
MIN_EACH = 8
"""Verdicts of each kind, false and true, before weights follow them."""
MIN_ALL = 40


@dataclass(frozen=True, slots=True)
class Example:
    """A finding and what it was in truth."""

    case: Case
    false: bool
    fold: int = 0
    """Which part it is in, when each part is judged by what the others teach."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How well probabilities told what is false."""

    n: int
    false: int
    """False positives among them."""
    proposed: int
    right: int
    """Proposed, and false."""
    brier: float
    """Mean square of what is missing to the truth: 0 is perfect."""
    ece: float
    """Expected calibration error, over ten bins of equal width (Guo and others, 2017): 0 is perfect."""

    @property
    def precision(self) -> float:
        """Share of those proposed that are false; 1 where none is."""
        return self.right / self.proposed if self.proposed else 1.0

    @property
    def recall(self) -> float:
        """Share of the false ones that are proposed; 1 where there is none."""
        return self.right / self.false if self.false else 1.0

    @property
    def accuracy(self) -> float:
        """Share that is told right."""
        wrong = self.proposed - self.right + self.false - self.right
        return 1 - wrong / self.n if self.n else 1.0

    @property
    def baseline(self) -> float:
        """Share that is told right by whoever always says what most of them are."""
        return max(self.false, self.n - self.false) / self.n if self.n else 1.0

    @property
    def baseline_brier(self) -> float:
        """Of whoever always gives the share of false ones."""
        share = self.false / self.n if self.n else 0.0
        return share * (1 - share)

    def told(self) -> dict[str, float]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Figures":
        """As it was kept."""
        return cls(**told)


def figures(told: Iterable[tuple[float, bool]], threshold: float = PROPOSED) -> Figures:
    """Of probabilities beside the truth."""
    known = list(told)
    bins: dict[int, list[tuple[float, bool]]] = {}
    for each in known:
        bins.setdefault(min(int(each[0] * BINS), BINS - 1), []).append(each)
    gaps = (abs(sum(score for score, _ in each) - sum(false for _, false in each)) for each in bins.values())
    n = len(known)
    return Figures(
        n=n,
        false=sum(false for _, false in known),
        proposed=sum(score >= threshold for score, _ in known),
        right=sum(score >= threshold and false for score, false in known),
        brier=sum((score - false) ** 2 for score, false in known) / n if n else 0.0,
        ece=sum(gaps) / n if n else 0.0,
    )


def enough(examples: Sequence[Example]) -> bool:
    """Whether there are enough verdicts of each kind for weights to follow them."""
    false = sum(each.false for each in examples)
    return len(examples) >= MIN_ALL and min(false, len(examples) - false) >= MIN_EACH


def past_of(examples: Iterable[Example]) -> dict[str, tuple[int, int]]:
    """Verdicts by rule and by weakness, in the order of their names."""
    false, true = Counter[str](), Counter[str]()
    for each in examples:
        (false if each.false else true).update(each.case.keys)
    return {key: (false[key], true[key]) for key in sorted(false.keys() | true.keys())}


def learned(examples: Sequence[Example], known: Mapping[str, float]) -> dict[str, float]:
    """The weights that verdicts teach; each is looked at with the other verdicts as its past, and not with itself."""
    past = past_of(examples)
    rows = Counter[tuple[bool, tuple[tuple[str, float], ...]]]()
    for each in examples:
        rows[each.false, _values(each.case, _without(past, each))] += 1
    return _fit(rows, known)


def _without(past: Past, one: Example) -> Past:
    own = {key: past[key] for key in one.case.keys}
    return {key: (false - one.false, true - (not one.false)) for key, (false, true) in own.items()}


def _values(case: Case, past: Past) -> tuple[tuple[str, float], ...]:
    return (("prior", 1.0), *((each.name, each.value) for each in signals(case, past)))


def _fit(
    rows: Mapping[tuple[bool, tuple[tuple[str, float], ...]], int], known: Mapping[str, float]
) -> dict[str, float]:
    """Coordinate descent over weights that some row speaks of; the others stay."""
    ordered = sorted(rows.items())
    weights = dict(known)
    sums = [sum(weights[name] * value for name, value in values) for (_, values), _ in ordered]
    columns = {
        name: [(n, value) for n, ((_, values), _) in enumerate(ordered) for each, value in values if each == name]
        for name in weights
    }
    curves = {
        name: STRENGTH + sum(ordered[n][1] * value * value / 4 for n, value in column)
        for name, column in columns.items()
    }
    for _ in range(ROUNDS):
        for name, column in columns.items():
            if not column:
                continue
            slope = STRENGTH * (weights[name] - known[name])
            slope += sum(ordered[n][1] * value * (probability(sums[n]) - ordered[n][0][0]) for n, value in column)
            wanted = _of_sign(name, weights[name] - slope / curves[name], known[name])
            for n, value in column:
                sums[n] += (wanted - weights[name]) * value
            weights[name] = wanted
    return {name: round(value, 4) for name, value in weights.items()}


def _of_sign(name: str, wanted: float, known: float) -> float:
    """A weight does not come to say the opposite of what is known; the prior may be anything."""
    if name == "prior":
        return wanted
    return max(0.0, wanted) if known >= 0 else min(0.0, wanted)


def score_by(weights: Mapping[str, float], case: Case, past: Past) -> float:
    """The probability that weights give, without what is held back."""
    return probability(sum(weights[name] * value for name, value in _values(case, past)))


def cross_validated(
    examples: Sequence[Example], teach: Callable[[Sequence[Example]], tuple[Mapping[str, float], Past]]
) -> list[tuple[float, bool]]:
    """Each example judged by what those of the other folds teach."""
    found = []
    for fold in sorted({each.fold for each in examples}):
        weights, past = teach([each for each in examples if each.fold != fold])
        found += [(score_by(weights, each.case, past), each.false) for each in examples if each.fold == fold]
    return found
