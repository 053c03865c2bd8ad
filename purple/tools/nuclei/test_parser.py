"""nuclei's JSON Lines: lines that others recorded, see samples/README.md, and damage to them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.toolkit import jsonlines
from purple.tools.nuclei import parser
from purple.tools.nuclei.adapter import Options, command
from purple.tools.nuclei.parser import parse
from tests.support.parsers import check_text, read

SAMPLES = Path(__file__).parent / "samples"
DVWA = (SAMPLES / "nuclei-3-dvwa.jsonl").read_bytes()
MIXED = (SAMPLES / "nuclei-2-and-3-mixed.jsonl").read_bytes()
CLEAN = (SAMPLES / "nuclei-3-no-match.jsonl").read_bytes()
AWAY = (SAMPLES / "nuclei-3-nobody-listens.jsonl").read_bytes()


def test_what_matched_is_a_flaw_with_its_place_and_severity() -> None:
    found, error = read(parse, DVWA)
    assert error is None
    login, page = found
    assert (login.weakness, login.severity, login.cwe) == ("login-guessed", Severity.CRITICAL, (798,))
    assert (login.location.host, login.location.port, login.location.url) == (
        "dvwa_dvwa_1",
        80,
        "http://dvwa_dvwa_1/index.php",
    )
    assert (page.rule, page.severity, page.flaw_class) == ("nuclei:phpinfo-files", Severity.LOW, FlawClass.ENDPOINT)
    assert page.evidence.startswith("8.5.1")
    assert "password" not in login.evidence


def test_matchers_of_one_template_are_rules_of_their_own() -> None:
    found, error = read(parse, MIXED)
    assert error is None
    assert [(each.rule, each.weakness, each.location.port) for each in found] == [
        (
            "nuclei:http-missing-security-headers:x-content-type-options",
            "header-missing-content-type-options",
            443,
        ),
        ("nuclei:favicon-detect:asp.net-favicon", "", 443),
        ("nuclei:tls-version", "", 443),
    ]
    assert found[0].flaw_class is FlawClass.CONFIGURATION


def test_templates_that_ran_and_did_not_match_are_a_clean_result() -> None:
    assert read(parse, CLEAN) == ([], None)


@pytest.mark.parametrize("data", [AWAY, b"", b"\n\n"])
def test_where_no_template_ran_nothing_is_clean(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert "no template ran" in str(error)


def with_info(**changes: Any) -> bytes:
    event = json.loads(DVWA.splitlines()[1])
    event["info"] |= changes
    return json.dumps(event).encode()


def test_a_cve_belongs_to_the_product_with_its_score() -> None:
    about = {"cve-id": ["cve-2021-41773"], "cwe-id": "cwe-22", "cvss-metrics": "CVSS:3.1/AV:N", "cvss-score": 7.5}
    found, _ = read(parse, with_info(classification=about, tags="cve,lfi", severity="unheard-of"))
    assert (found[0].cve, found[0].cwe, found[0].cvss_score) == (("CVE-2021-41773",), (22,), 7.5)
    assert (found[0].flaw_class, found[0].weakness, found[0].severity) == (FlawClass.COMPONENT, "", Severity.INFO)


def test_files_of_a_served_repository_are_the_flaw_that_other_tools_see() -> None:
    event = json.loads(with_info(tags=["exposure", "git"])) | {"matched-at": "http://192.0.2.7/.git/config"}
    found, _ = read(parse, json.dumps(event).encode())
    assert (found[0].weakness, found[0].location.url) == ("repository-exposed", "http://192.0.2.7/.git/")


def test_truncated_output_keeps_what_came_before() -> None:
    found, error = read(parse, DVWA[:-40])
    assert [each.weakness for each in found] == ["login-guessed"]
    assert "1 lines" in str(error)


def test_output_over_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "MAX_LINE", 1000)
    assert "a line is longer" in str(read(parse, b"x" * 2000)[1])
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, DVWA)[1])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "template-id",
    "info",
    "matched-at",
    "matcher-name",
    "host",
    "extracted-results",
    "error",
    "fuzzing_parameter",
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FIELDS), json_values)
def test_no_wrong_type_in_a_real_line_crashes_it(field: str, value: Any) -> None:
    event = json.loads(DVWA.splitlines()[1])
    check_text(read(parse, json.dumps(event | {field: value}).encode())[0])
    check_text(read(parse, with_info(**{field: value, "tags": value, "classification": value, "name": value}))[0])


def test_it_goes_to_the_checked_address_and_asks_nobody_else() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "https://app.example.org:8443/shop/")
    arguments = command(ToolJob("nuclei", target, {}, 60, Path("/nowhere")), Options(rate=7)).arguments
    assert arguments[arguments.index("-target") + 1] == "https://192.0.2.7:8443/shop/"
    assert arguments[arguments.index("-header") + 1] == "Host: app.example.org:8443"
    assert arguments[arguments.index("-rate-limit") + 1] == "7"
    assert {"-no-interactsh", "-disable-update-check", "-disable-redirects", "-matcher-status"} <= {*arguments}
