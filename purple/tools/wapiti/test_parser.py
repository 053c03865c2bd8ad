"""Wapiti's JSON: real reports of Wapiti 3.2.3 against the lab, and damage to them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.wapiti import parser
from purple.tools.wapiti.adapter import Options, command
from purple.tools.wapiti.parser import parse
from tests.support.parsers import check_text, read

SAMPLES = Path(__file__).parent / "samples"
WEBAPP = (SAMPLES / "wapiti-3.2.3-lab-webapp.json").read_bytes()
NGINX = (SAMPLES / "wapiti-3.2.3-lab-nginx.json").read_bytes()
"""Wapiti 3.2.3 of PyPI, `-f json`, against the lab of this project on 2026-11-24."""


def test_the_real_report_of_the_web_application_gives_its_flaws() -> None:
    found, error = read(parse, WEBAPP)
    assert error is None
    places = {(each.weakness, each.location.url.rsplit(":", 1)[1][5:], each.location.parameter) for each in found}
    assert {
        ("sql-injection", "/product", "id"),
        ("cross-site-scripting", "/search", "q"),
        ("path-traversal", "/download", "file"),
        ("open-redirect", "/go", "to"),
        ("header-missing-csp", "/", ""),
        ("cookie-without-httponly", "/", ""),
    } <= places
    assert {each.severity for each in found if each.weakness == "sql-injection"} == {Severity.CRITICAL}
    assert {each.severity for each in found if each.rule == "wapiti:Internal Server Error"} == {Severity.INFO}


def test_the_real_report_of_nginx_gives_the_exposed_file() -> None:
    found, error = read(parse, NGINX)
    assert error is None
    assert [each.location.url for each in found if each.weakness == "file-exposed"] == [
        "http://127.0.0.1:36495/backup.sql"
    ]


def test_a_broken_entry_is_an_error_and_the_others_are_kept() -> None:
    report = json.loads(WEBAPP)
    report["vulnerabilities"]["SQL Injection"] = [{"method": "GET"}]
    found, error = read(parse, json.dumps(report).encode())
    assert "1 entries" in str(error)
    assert "cross-site-scripting" in {each.weakness for each in found}


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 1000)
    assert "larger than 1000 bytes" in str(read(parse, WEBAPP)[1])


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"infos": 3}', WEBAPP[:-100]])
def test_what_is_no_report_is_an_error(data: bytes) -> None:
    assert read(parse, data)[1] is not None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


values = st.none() | st.integers() | st.text(max_size=30) | st.lists(st.integers(), max_size=2)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["method", "path", "info", "level", "parameter", "module", "http_request"]), values)
def test_no_wrong_value_in_a_real_report_crashes_it(field: str, value: Any) -> None:
    report = json.loads(WEBAPP)
    report["vulnerabilities"]["SQL Injection"][0][field] = value
    check_text(read(parse, json.dumps(report).encode())[0])


def test_the_tool_goes_to_the_checked_address_with_the_name_in_the_header() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "https://app.example.org:8443/shop/")
    arguments = command(ToolJob("wapiti", target, {}, 60, Path("/nowhere")), Options()).arguments
    assert arguments[arguments.index("-u") + 1] == "https://192.0.2.7:8443/shop/"
    assert arguments[arguments.index("-H") + 1] == "Host: app.example.org:8443"
