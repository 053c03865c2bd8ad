"""wafw00f's JSON: real results of wafw00f 2.4.2, and damage to them."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.observations import ObservationKind
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.wafw00f import parser
from purple.tools.wafw00f.adapter import Options, command
from purple.tools.wafw00f.parser import parse
from tests.support.damage import check, damaged
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
NONE = (SAMPLES / "wafw00f-2.4.2-lab-nginx.json").read_bytes()
BEHIND = (SAMPLES / "wafw00f-2.4.2-modsecurity.json").read_bytes()
AWAY = (SAMPLES / "wafw00f-2.4.2-nobody-listens.json").read_bytes()
"""wafw00f 2.4.2 of PyPI: the nginx of the lab of this project, a server that answers attacks as ModSecurity does, and
a port where nobody listens, on 2026-11-25."""


def test_a_site_without_a_firewall_says_so() -> None:
    found, error = read(parse, NONE)
    assert error is None
    assert [(each.kind, each.attributes) for each in found] == [(ObservationKind.SERVICE, {"firewall": "none"})]


def test_a_firewall_is_named() -> None:
    found, error = read(parse, BEHIND)
    assert error is None
    assert [(each.attributes["firewall"], each.confidence) for each in found] == [
        ("ModSecurity (SpiderLabs)", 1.0),
        ("generic", 0.5),
    ]
    assert {(each.service.name, each.location.host) for each in found if each.service} == {("http", "127.0.0.1")}


def test_a_server_that_did_not_answer_is_no_clean_result() -> None:
    found, error = read(parse, AWAY)
    assert found == []
    assert "did not answer" in str(error)


def test_truncated_output_keeps_what_came_before() -> None:
    found, error = read(parse, BEHIND[:-30])
    assert len(found) == 1
    assert "breaks off" in str(error)


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 50)
    assert "larger than 50 bytes" in str(read(parse, BEHIND)[1])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    assert read(parse, data)[1] is not None


@settings(max_examples=150, deadline=None)
@given(damaged(json.loads(BEHIND)))
def test_no_damage_crashes_it(data: bytes) -> None:
    check(parse, data)


def test_it_goes_to_the_checked_address_with_headers_that_it_does_not_drop() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "https://app.example.org:8443/shop/")
    made = command(ToolJob("wafw00f", target, {}, 60, Path("/nowhere")), Options())
    assert made.arguments[-2:] == ("--", "https://192.0.2.7:8443/shop/")
    assert "--noredirect" in made.arguments
    headers = made.files["headers.txt"].splitlines()
    assert headers[0] == "Host: app.example.org"
    assert all(line.count(":") == 1 for line in headers)
    plain = ToolTarget("192.0.2.7", "192.0.2.7", 80, "http://192.0.2.7/")
    assert command(ToolJob("wafw00f", plain, {}, 60, Path("/nowhere")), Options()).files == {}
