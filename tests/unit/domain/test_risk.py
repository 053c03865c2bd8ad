"""Risk is the sum of its parts, whatever they are; many together are a little worse than the worst of them."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.enrichment import Dataset
from purple.domain.errors import InvalidInputError
from purple.domain.risk import (
    SHIPPED,
    Group,
    Known,
    Part,
    Weight,
    Weights,
    assess,
    known_of,
    reasons,
    summed,
    together,
    vector_of,
)
from purple.domain.severity import Severity
from purple.domain.targets import Control, Criticality, DataClass, Exposure, Target, TargetKind

V31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
TARGET = Target(
    UUID(int=1),
    UUID(int=2),
    TargetKind.HOST,
    "192.0.2.7",
    "web",
    Criticality.MEDIUM,
    (),
    datetime(2026, 1, 1, tzinfo=UTC),
)
PLAIN = Weight(TARGET.id, Severity.HIGH, 1, 1.0, 0, (), ())
WORST = Known(epss=0.94358, kev=True, ransomware=True, exploit=True)


def points(risk) -> dict[str, int]:
    return {part.name: part.points for part in risk.parts}


def test_a_severity_stands_where_there_is_no_cvss() -> None:
    assert points(assess(PLAIN, TARGET)) == {"severity": 52}
    assert points(assess(replace(PLAIN, cvss_score=7.5), TARGET)) == {"cvss": 49}
    assert points(assess(replace(PLAIN, cvss_score=7.5, cvss_vector=V31), TARGET)) == {"cvss": 64}, "the vector counts"
    assert points(assess(PLAIN, TARGET, Known(cvss_vector=V31))) == {"cvss": 64}, "as published"
    told = replace(PLAIN, cvss_vector=V31.replace("AV:N", "AV:P"))
    assert points(assess(told, TARGET, Known(cvss_vector=V31))) == {"cvss": 44}, "the tool knows this case"


@pytest.mark.parametrize("vector", ["", "AV:N/AC:L/Au:N/C:P/I:P/A:P"])
def test_a_vector_that_can_be_computed_stands_over_a_score_that_cannot_and_is_the_one_that_is_shown(vector) -> None:
    """A tool's score is often of v2, as its vector here; NVD's vector is what the page and SSVC tell of."""
    told, known = replace(PLAIN, cvss_vector=vector, cvss_score=4.3), Known(cvss_vector=V31)
    assert vector_of(vector, known) == V31
    assert points(assess(told, TARGET, known)) == {"cvss": 64}
    assert points(assess(told, TARGET, Known(cvss_vector="AV:N/AC:L/Au:N/C:C/I:C/A:C"))) == {"cvss": 28}


def test_every_part_says_what_it_is_and_they_sum_to_the_score() -> None:
    asset = replace(
        TARGET,
        criticality=Criticality.HIGH,
        data_class=DataClass.RESTRICTED,
        exposure=Exposure.INTERNET,
        controls=(Control.SEGMENTATION, Control.WAF),
    )
    risk = assess(replace(PLAIN, cvss_vector=V31, tools=2, confidence=0.4), asset, WORST)
    assert reasons(risk.parts) == (
        "CVSS 9.8 (64)",
        "EPSS 94% (+9)",
        "known to be exploited (+15)",
        "used by ransomware (+5)",
        "high asset (+8)",
        "restricted data (+8)",
        "reached from the internet (+10)",
        "behind segmentation, waf (-8)",
        "seen by 2 tools (+3)",
        "tool is not sure (-10)",
        "at most 100 (-4)",
    )
    assert (risk.score, sum(part.points for part in risk.parts)) == (100, 100)


def test_a_published_exploit_counts_where_none_is_used() -> None:
    assert points(assess(PLAIN, TARGET, Known(exploit=True)))["exploit"] == 6
    assert "exploit" not in points(assess(PLAIN, TARGET, Known(exploit=True, kev=True)))


def test_controls_take_away_no_more_than_all_may() -> None:
    asset = replace(TARGET, controls=tuple(Control))
    assert points(assess(PLAIN, asset))["controls"] == SHIPPED.controls_most
    assert points(assess(PLAIN, asset, weights=SHIPPED.changed({"control": 5})))["controls"] == 12


def test_of_several_cves_the_worst_of_each_kind_counts() -> None:
    facts = {
        Dataset.KEV: {"CVE-2026-10001": {"ransomware": False}},
        Dataset.EPSS: {"CVE-2026-10001": {"score": 0.1}, "CVE-2026-10002": {"score": 0.4}},
        Dataset.CVE: {
            "CVE-2026-10001": {"cvss": V31.replace("AV:N", "AV:P"), "exploit": False},
            "CVE-2026-10002": {"cvss": V31, "exploit": True},
            "CVE-2026-10003": {"cvss": "", "exploit": False},
        },
    }
    both = known_of(["CVE-2026-10001", "CVE-2026-10002", "CVE-2026-10003", "CVE-2026-99999"], facts)
    assert both == Known(epss=0.4, kev=True, exploit=True, cvss_vector=V31)
    assert known_of(["CVE-2026-99999"], facts) == known_of([], facts) == Known()


_WEIGHTS = st.builds(
    SHIPPED.changed,
    st.dictionaries(
        st.sampled_from([each.name for each in fields(Weights) if each.name != "cvss"]), st.floats(-100, 100)
    ),
)
_TARGETS = st.builds(
    lambda c, d, e, k: replace(TARGET, criticality=c, data_class=d, exposure=e, controls=tuple(sorted(k))),
    st.sampled_from(Criticality),
    st.sampled_from(DataClass),
    st.sampled_from(Exposure),
    st.sets(st.sampled_from(Control)),
)
_KNOWN = st.builds(Known, st.floats(0, 1), st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["", V31]))
_FLAWS = st.builds(
    lambda severity, tools, confidence, score: replace(
        PLAIN, severity=severity, tools=tools, confidence=confidence, cvss_score=score
    ),
    st.sampled_from(Severity),
    st.integers(1, 9),
    st.floats(0, 1),
    st.floats(0, 10),
)


@settings(max_examples=200, deadline=None)
@given(_FLAWS, _TARGETS, _KNOWN, _WEIGHTS)
def test_parts_sum_to_a_score_from_0_to_100_by_any_weights(flaw, target, known, weights) -> None:
    risk = assess(flaw, target, known, weights)
    assert 0 <= risk.score <= 100
    assert sum(part.points for part in risk.parts) == risk.score
    assert all(part.points for part in risk.parts[1:])
    assert risk == assess(flaw, target, known, weights)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 100), st.lists(st.tuples(st.integers(1, 10_000), st.floats(0, 1)), max_size=5))
def test_many_together_are_as_bad_as_the_worst_and_never_over_100(worst, others) -> None:
    groups = [Group(str(n), "one", count, int(count * share * worst)) for n, (count, share) in enumerate(others)]
    risk = together(Part("worst", worst, "it"), groups)
    assert worst <= risk.score <= 100
    assert sum(part.points for part in risk.parts) == risk.score


def test_what_many_add_is_shared_out_by_their_scores() -> None:
    groups = [Group("high", "high one", 10, 600), Group("low", "low one", 1, 200), Group("info", "note", 0, 0)]
    risk = together(Part("worst", 70, "SQL injection"), groups)
    assert risk.parts == (
        Part("worst", 70, "SQL injection"),
        Part("high", 8, "10 more high ones"),
        Part("low", 2, "1 more low one"),
    )


def test_a_sum_below_0_or_over_100_says_so() -> None:
    assert summed([Part("a", -7, "")]).parts[-1] == Part("limit", 7, "at least 0")
    assert summed([Part("a", 107, "")]).parts[-1] == Part("limit", -7, "at most 100")


@pytest.mark.parametrize("changes", [{"luck": 1}, {"kev": 101}, {"kev": float("nan")}, {"cvss": 10.5}])
def test_a_weight_that_is_none_is_refused(changes) -> None:
    with pytest.raises(InvalidInputError):
        SHIPPED.changed(changes)
