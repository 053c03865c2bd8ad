"""What verdicts teach: deterministic, of known signs, never from itself; and how well it holds."""

from dataclasses import replace

import pytest

from purple.domain.calibration import MIN_ALL, MIN_EACH, Example, enough, figures, learned, past_of
from purple.domain.false_positives import SHIPPED, Case, Silence, Telling
from purple.domain.severity import Severity
from purple.services.false_positives import teach


def example(number: int, *, false: bool, sure: float = 1.0, rule: str = "", silent: bool = False) -> Example:
    told = (Telling("made", rule or f"made:{number}", "", confidence=sure),)
    case = Case(Severity.MEDIUM, "", told, silent=(Silence("other"),) if silent else ())
    return Example(case, false, number % 5)


UNSURE = [example(n, false=n % 10 > 0, sure=0.3) for n in range(60)]
SURE = [example(100 + n, false=False) for n in range(60)]


def test_weights_follow_verdicts_and_keep_their_signs() -> None:
    taught = learned([*UNSURE, *SURE], SHIPPED)
    assert taught["unsure"] > SHIPPED["unsure"] + 1, "here what is unsure is nearly always false"
    assert taught["crowd"] == SHIPPED["crowd"], "of which no verdict says anything"
    against = [example(n, false=False, silent=True) for n in range(500)]
    assert learned(against, SHIPPED)["silent"] >= 0
    assert learned([], SHIPPED) == SHIPPED


def test_the_order_of_verdicts_teaches_nothing() -> None:
    verdicts = [*UNSURE, *SURE]
    first = learned(verdicts, SHIPPED)
    verdicts.reverse()
    assert learned(verdicts, SHIPPED) == first


def test_a_verdict_is_no_past_of_its_own() -> None:
    alone = [example(n, false=True, rule=f"made:{n // 3}") for n in range(42)]
    assert learned(alone, SHIPPED)["rule"] == SHIPPED["rule"], "three on a rule are needed, and each has two besides"
    assert past_of(alone[:1]) == {"rule made:0": (1, 0)}


def test_too_few_verdicts_move_no_weight_but_are_a_past() -> None:
    few = [example(n, false=True, rule="made:rule") for n in range(6)]
    weights, past, in_use, why, told = teach(few)
    assert (weights, past, in_use) == (SHIPPED, {"rule made:rule": (6, 0)}, False)
    assert why.startswith(f"6 verdicts, 6 of them false positives: {MIN_ALL}, and {MIN_EACH} of each kind")
    assert (told.n, told.false) == (6, 6)
    assert not enough([example(n, false=True) for n in range(MIN_ALL)])


def test_weights_that_tell_verdicts_worse_are_not_used() -> None:
    weights, _, in_use, why, told = teach([*UNSURE, *SURE])
    assert in_use
    assert "better than" in why
    assert told.brier < told.baseline_brier
    assert weights == learned([*UNSURE, *SURE], SHIPPED)
    folds = [replace(each, false=each.fold % 2 == 0) for each in [*UNSURE, *SURE]]
    *_, in_use, why, _ = teach(folds)
    assert in_use == ("better" in why)


def test_figures_are_what_they_are_called() -> None:
    told = figures([(0.9, True), (0.9, False), (0.1, True), (0.1, False), (0.1, False)])
    assert (told.n, told.false, told.proposed, told.right) == (5, 2, 2, 1)
    assert (told.precision, told.recall, told.accuracy, told.baseline) == (0.5, 0.5, 0.6, 0.6)
    assert told.brier == pytest.approx((2 * 0.01 + 2 * 0.81 + 0.01) / 5)
    assert told.ece == pytest.approx((abs(1.8 - 1) + abs(0.3 - 1)) / 5)
    assert told.baseline_brier == pytest.approx(0.24)
    nothing = figures([])
    assert (nothing.precision, nothing.recall, nothing.baseline) == (1.0, 1.0, 1.0)
