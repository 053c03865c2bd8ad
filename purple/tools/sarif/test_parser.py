"""SARIF: real output of three tools on a small made repository, and damage to it."""

import io
import itertools
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.tools.sarif import parser
from purple.tools.sarif.parser import parse
from tests.support.parsers import check_text, read

SAMPLES = Path(__file__).parent / "samples"
BANDIT = (SAMPLES / "bandit-1.9.4-made-repository.sarif").read_bytes()
"""Bandit 1.9.4, `-r . -f sarif`, on two files of Python that were made for it."""
SEMGREP = (SAMPLES / "semgrep-1.185.0-made-repository.sarif").read_bytes()
"""Semgrep 1.185.0, `scan --config rules.yml --sarif`, on the same; it writes its rules after its results."""
GITLEAKS = (SAMPLES / "gitleaks-8.30.1-made-repository.sarif").read_bytes()
"""Gitleaks 8.30.1, `dir --redact -f sarif`, on the same with a file of made secrets."""


def test_the_real_output_of_bandit_gives_its_results() -> None:
    found, error = read(parse, BANDIT)
    assert error is None
    assert [(each.rule, each.severity, each.location.path, each.location.line) for each in found] == [
        ("bandit:B324", Severity.HIGH, "app/crypto.py", 5),
        ("bandit:B101", Severity.LOW, "app/crypto.py", 8),
        ("bandit:B403", Severity.LOW, "app/views.py", 1),
        ("bandit:B404", Severity.LOW, "app/views.py", 3),
        ("bandit:B105", Severity.LOW, "app/views.py", 7),
        ("bandit:B608", Severity.MEDIUM, "app/views.py", 11),
        ("bandit:B602", Severity.HIGH, "app/views.py", 15),
        ("bandit:B506", Severity.MEDIUM, "app/views.py", 19),
        ("bandit:B301", Severity.MEDIUM, "app/views.py", 19),
    ]
    assert {each.flaw_class for each in found} == {FlawClass.CODE}
    assert found[6].cwe == (78,)
    assert "shell=True" in found[6].evidence
    assert found[5].confidence == 0.7


def test_rules_that_come_after_the_results_are_used() -> None:
    assert SEMGREP.index(b'"results"') < SEMGREP.index(b'"rules"')
    found, error = read(parse, SEMGREP)
    assert error is None
    assert [(each.rule, each.severity, each.cwe, each.title) for each in found] == [
        ("semgrep:made.weak-hash", Severity.MEDIUM, (), "MD5 is broken"),
        ("semgrep:made.eval-of-shell", Severity.HIGH, (78,), "A shell runs what a user wrote"),
    ]


def test_a_suspected_password_is_told_without_being_copied() -> None:
    (told,) = [each for each in parse(io.BytesIO(BANDIT)) if each.rule == "bandit:B105"]
    assert (told.title, told.description, told.evidence) == ("hardcoded password string", "", "")
    assert "made-up-by-the-lab" not in repr(told)


def test_a_secret_is_told_without_being_copied() -> None:
    leaked = GITLEAKS.replace(b"REDACTED", b"AKIA-made-up")
    found, error = read(parse, leaked)
    assert error is None
    assert [(each.flaw_class, each.severity, each.location.line) for each in found] == [
        (FlawClass.SECRET, Severity.HIGH, 1),
        (FlawClass.SECRET, Severity.HIGH, 2),
    ]
    assert "AKIA-made-up" not in repr(found)


def test_truncated_output_keeps_what_came_before() -> None:
    found, error = read(parse, BANDIT[: BANDIT.rindex(b'"B608"')])
    assert [each.rule for each in found] == ["bandit:B324", "bandit:B101", "bandit:B403", "bandit:B404", "bandit:B105"]
    assert "breaks off" in str(error)


RUNS = [json.loads(file)["runs"][0] for file in (BANDIT, SEMGREP)]
ORDERS = list(itertools.permutations(["tool", "results", "invocations"]))


@pytest.mark.parametrize("version_first", [True, False])
@pytest.mark.parametrize("order", ORDERS)
def test_the_parts_of_a_file_may_come_in_any_order(order: tuple[str, ...], version_first: bool) -> None:
    """The runs in two orders: what the first needs has come, what the second needs may not have."""
    runs = [RUNS[0], {name: RUNS[1][name] for name in order if name in RUNS[1]}]
    parts = [("version", "2.1.0"), ("runs", runs)]
    found, error = read(parse, json.dumps(dict(parts if version_first else parts[::-1])).encode())
    assert error is None
    assert found == [*read(parse, BANDIT)[0], *read(parse, SEMGREP)[0]]


def changed(**parts: Any) -> bytes:
    """Semgrep's file with other fields of its first result."""
    document = json.loads(SEMGREP)
    document["runs"][0]["results"][0] |= parts
    return json.dumps(document).encode()


NO_FLAWS = [
    {"kind": "pass"},
    {"kind": "informational"},
    {"baselineState": "absent"},
    {"suppressions": [{"kind": "inSource"}]},
    {"suppressions": [{"kind": "external", "status": "accepted"}]},
]


@pytest.mark.parametrize("parts", NO_FLAWS)
def test_what_passed_or_was_accepted_is_no_flaw(parts: dict[str, Any]) -> None:
    found, error = read(parse, changed(**parts))
    assert error is None
    assert len(found) == 1


def test_a_suppression_that_is_under_review_changes_nothing() -> None:
    assert len(read(parse, changed(suppressions=[{"kind": "external", "status": "underReview"}]))[0]) == 2


SCORES = [("9.8", Severity.CRITICAL), (7.0, Severity.HIGH), ("4.0", Severity.MEDIUM), ("0", Severity.INFO)]


@pytest.mark.parametrize(("score", "severity"), [*SCORES, ("nan", Severity.MEDIUM), ("high", Severity.MEDIUM)])
def test_a_score_stands_over_a_level(score: Any, severity: Severity) -> None:
    assert read(parse, changed(properties={"security-severity": score}))[0][0].severity is severity


def test_a_rule_may_be_named_by_its_place_alone() -> None:
    found, _ = read(parse, changed(ruleId=None, ruleIndex=0))
    assert found[0].rule == "semgrep:made.eval-of-shell"


def test_a_web_scanner_gives_urls_and_a_file_url_a_path() -> None:
    def at(uri: str) -> list[dict[str, Any]]:
        return [{"physicalLocation": {"artifactLocation": {"uri": uri}}}]

    web = read(parse, changed(locations=at("https://app.example.org/a?b=1")))[0][0]
    assert (web.flaw_class, web.location.host, web.location.port) == (FlawClass.ENDPOINT, "app.example.org", 443)
    assert read(parse, changed(locations=at("file:///src/a%20b.py")))[0][0].location.path == "src/a b.py"
    assert read(parse, changed(locations=[]))[0][0].location.path == ""


UNFINISHED = [
    (b'"executionSuccessful":true', b'"executionSuccessful":false', "did not succeed"),
    (b'"results":', b'"other":', "has no list of results"),
    (b'"runs":', b'"other":', "holds no run"),
    (b'"2.1.0"', b'"1.0.0"', "no SARIF 2.1.0"),
]


@pytest.mark.parametrize(("old", "new", "why"), UNFINISHED)
def test_a_run_that_did_not_get_through_is_no_clean_result(old: bytes, new: bytes, why: str) -> None:
    document = json.dumps(json.loads(SEMGREP), separators=(",", ":")).encode()
    assert old in document
    assert why in str(read(parse, document.replace(old, new))[1])


def test_a_broken_result_is_an_error_and_the_others_are_kept() -> None:
    found, error = read(parse, changed(message={"text": "x" * 4_000_000}))
    assert len(found) == 1
    assert "1 results" in str(error)


def test_hostile_text_stays_text_and_short() -> None:
    uri = "../../etc/passwd\x00" + "x" * 3000
    location = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 10**12}}}
    found, error = read(parse, changed(message={"text": "<script>\x00\ud800" * 2000}, locations=[location]))
    assert error is None
    assert found[0].title.startswith("<script>")
    assert found[0].location.line == 0
    check_text(found)


def test_output_over_the_limit_is_refused_after_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = read(parse, BANDIT)
    monkeypatch.setattr(parser, "LIMIT", 8000)
    found, error = read(parse, BANDIT)
    assert "larger than 8000 bytes" in str(error)
    assert 0 < len(found) < len(whole)
    assert found == whole[: len(found)]


def test_ten_thousand_results_take_no_more_memory_than_ten() -> None:
    document = json.loads(BANDIT)
    results = document["runs"][0]["results"]
    whole = json.dumps(document | {"runs": [document["runs"][0] | {"results": results * 1200}]}).encode()
    stream = io.BytesIO(whole)
    tracemalloc.start()
    count = sum(1 for _ in parse(stream))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_800
    assert peak < 1_500_000 < len(whole)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["ruleId", "ruleIndex", "rule", "level", "kind", "message", "locations", "properties", "suppressions"]
FIELDS += ["taxa", "fingerprints", "partialFingerprints"]


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), values, min_size=1))
def test_no_wrong_type_in_a_real_result_crashes_it(parts: dict[str, Any]) -> None:
    check_text(read(parse, changed(**parts))[0])


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SEMGREP) - 1), st.binary(min_size=1, max_size=20))
def test_no_damage_to_a_real_file_crashes_it(position: int, damage: bytes) -> None:
    check_text(read(parse, SEMGREP[:position] + damage + SEMGREP[position + len(damage) :])[0])
