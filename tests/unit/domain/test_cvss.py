"""CVSS against what FIRST publishes, and against Red Hat's library over vectors of every shape."""

import pytest
from cvss import CVSS3, CVSS4
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain import cvss3, cvss4
from purple.domain.cvss import MAX_VECTOR, parse, score_of
from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity

PUBLISHED = {  # FIRST's example documents for v3.1 and v4.0
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N": 6.1,  # CVE-2013-1937
    "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N": 6.4,  # CVE-2013-0375
    "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N": 3.1,  # CVE-2014-3566
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": 9.8,  # CVE-2014-6271
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N": 7.5,  # CVE-2014-0160
    "CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": 6.8,  # CVE-2011-1265, physical
    "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 7.3,  # CVE-2022-41741
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N": 8.7,  # CVE-2014-0160
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H": 10.0,  # CVE-2021-44228
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N": 0.0,
}


@pytest.mark.parametrize(("vector", "score"), PUBLISHED.items())
def test_published_examples(vector: str, score: float) -> None:
    assert (parse(vector).base, parse(vector).score) == (score, score)


def _vectors(rules: tuple[dict[str, tuple[str, ...]], tuple[str, ...], object]) -> st.SearchStrategy[dict[str, str]]:
    allowed, required, _ = rules
    must = {name: st.sampled_from(allowed[name]) for name in required}
    may = {name: st.sampled_from(values) for name, values in allowed.items() if name not in required}
    return st.fixed_dictionaries(must, optional=may)


def _written(prefix: str, metrics: dict[str, str]) -> str:
    return "/".join([prefix, *(f"{name}:{value}" for name, value in metrics.items())])


@settings(max_examples=300, deadline=None)
@given(_vectors(cvss3.RULES), st.sampled_from(["CVSS:3.0", "CVSS:3.1"]))
def test_v3_as_the_library_has_it(metrics: dict[str, str], prefix: str) -> None:
    ours = parse(_written(prefix, metrics))
    base, temporal, environmental = CVSS3(ours.vector).scores()
    defined = {name for name, value in metrics.items() if value != "X"} - {"E", "RL", "RC"}
    expected = environmental if defined > set(cvss3.RULES[1]) else temporal
    assert (ours.base, ours.score) == (base, expected)


@settings(max_examples=300, deadline=None)
@given(_vectors(cvss4.RULES))
def test_v4_as_the_library_has_it(metrics: dict[str, str]) -> None:
    ours = parse(_written("CVSS:4.0", metrics))
    assert ours.score == CVSS4(ours.vector).base_score
    bare = _written("CVSS:4.0", {name: metrics[name] for name in cvss4.RULES[1]})
    assert ours.base == CVSS4(bare).base_score


def test_threat_and_environment_change_the_score_and_not_the_base() -> None:
    known = parse("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U/MAV:L")
    assert (known.base, known.score, known.severity) == (9.3, 6.1, Severity.MEDIUM)


def test_what_tools_write_without_a_prefix() -> None:
    assert parse("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H").vector == "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    assert score_of("AV:N/AC:L/Au:N/C:P/I:P/A:P") is None  # v2


@pytest.mark.parametrize(
    ("vector", "remedy"),
    [
        ("", "begin it with"),
        ("CVSS:2.0/AV:N", "begin it with"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "add A"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Q", "'A:Q' is no metric"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/", "'' is no metric"),
        ("CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV is there twice"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:S/VA:H/SC:N/SI:N/SA:N", "'VI:S' is no metric"),
        ("A" * (MAX_VECTOR + 1), "longer"),
    ],
)
def test_a_bad_vector_says_what_is_wrong(vector: str, remedy: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(vector)
    assert remedy in str(caught.value.problem())
    assert score_of(vector) is None
