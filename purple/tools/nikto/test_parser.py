"""Nikto's JSON: reports that others recorded, see samples/README.md, and damage to them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.nikto import parser
from purple.tools.nikto.adapter import Options, command
from purple.tools.nikto.parser import parse
from tests.support.parsers import check_text, read

SAMPLES = Path(__file__).parent / "samples"
NEW = (SAMPLES / "nikto-2.5-example.json").read_bytes()
OLD = (SAMPLES / "nikto-2.1.6-tdh.json").read_bytes()
JUICE = (SAMPLES / "nikto-2.1.6-juice-shop.json").read_bytes()


def test_a_report_of_the_new_format_gives_each_item() -> None:
    found, error = read(parse, NEW)
    assert error is None
    assert len(found) == 8
    (typed,) = [each for each in found if each.weakness]
    assert (typed.weakness, typed.location.url) == ("header-missing-content-type-options", "https://example.com:443/")
    assert (typed.flaw_class, typed.severity) == (FlawClass.CONFIGURATION, Severity.LOW)
    assert typed.references[0].startswith("https://www.netsparker.com/")
    assert {each.severity for each in found if not each.weakness} == {Severity.INFO}


def test_a_report_of_the_old_format_is_read_too() -> None:
    found, error = read(parse, OLD)
    assert error is None
    assert [(each.weakness, each.severity, each.location.url) for each in found if each.weakness] == [
        ("login-guessed", Severity.CRITICAL, "https://www.tdh.com:443/status")
    ]


def test_files_whose_names_were_guessed_are_told_with_doubt() -> None:
    found, error = read(parse, JUICE)
    assert error is None
    assert {each.weakness for each in found} == {"", "header-missing-hsts", "file-exposed"}
    files = [each for each in found if each.weakness == "file-exposed"]
    assert {(each.severity, each.confidence) for each in files} == {(Severity.MEDIUM, 0.5)}
    assert [each.location.url.rsplit("/", 1)[1] for each in files] == ["juice-shop.herokuapp.com.alz", "dump.cer"]


def with_item(**item: Any) -> bytes:
    report = json.loads(NEW)
    report[0]["vulnerabilities"] = [report[0]["vulnerabilities"][0] | item]
    return json.dumps(report).encode()


@pytest.mark.parametrize(
    ("message", "weakness"),
    [
        ("The anti-clickjacking X-Frame-Options header is not present.", "header-missing-frame-options"),
        ("Cookie session created without the httponly flag", "cookie-without-httponly"),
        ("Directory indexing found.", "directory-listing"),
        ("HTTP TRACE method is active which suggests the host is vulnerable to XST.", "http-method-dangerous"),
        ("HTTP method ('Allow' Header): 'PUT' method could allow clients to save files.", "http-method-dangerous"),
    ],
)
def test_what_other_tools_see_too_has_their_name(message: str, weakness: str) -> None:
    assert [each.weakness for each in read(parse, with_item(msg=message))[0]] == [weakness]


def test_a_served_repository_is_one_flaw() -> None:
    found, _ = read(
        parse, with_item(id="007342", url="/.git/index", msg="Git Index file may contain directory listing.")
    )
    assert [(each.weakness, each.location.url) for each in found] == [
        ("repository-exposed", "https://example.com:443/.git/")
    ]


@pytest.mark.parametrize("data", [b"[]", b"{}", b"[{}]"])
def test_where_no_server_answered_nothing_is_clean(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert "no server answered" in str(error)


def test_a_server_without_findings_is_a_clean_result() -> None:
    assert read(parse, b'[{"host":"a","ip":"192.0.2.7","port":"80","banner":"","vulnerabilities":[]}]') == ([], None)


def test_truncated_output_keeps_what_came_before() -> None:
    found, error = read(parse, JUICE[:-300])
    assert len(found) == 6
    assert "breaks off" in str(error)


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, NEW)[1])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["id", "msg", "url", "method", "references"]), json_values)
def test_no_wrong_type_in_a_real_report_crashes_it(field: str, value: Any) -> None:
    check_text(read(parse, with_item(**{field: value}))[0])
    report = json.loads(NEW)
    report[0] |= {"host": value, "port": value}
    check_text(read(parse, json.dumps(report).encode())[0])


def test_it_goes_to_the_checked_address_and_sends_nothing_home() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "https://app.example.org:8443/shop/index?a=1")
    arguments = command(ToolJob("nikto", target, {}, 60, Path("/nowhere")), Options(rate=4)).arguments
    assert arguments[:4] == ("-host", "192.0.2.7", "-port", "8443")
    assert arguments[arguments.index("-vhost") + 1] == "app.example.org:8443"
    assert arguments[arguments.index("-root") + 1] == "/shop"
    assert arguments[arguments.index("-Pause") + 1] == "0.250"
    assert arguments[arguments.index("-ask") + 1] == "no"
    assert "6" not in arguments[arguments.index("-Tuning") + 1]
