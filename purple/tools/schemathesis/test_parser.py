"""Schemathesis's NDJSON: real events of Schemathesis 4.32.5 against the lab, and damage to them."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.schemathesis import parser
from purple.tools.schemathesis.adapter import Options, command
from purple.tools.schemathesis.parser import parse
from tests.support.damage import check, damaged
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
SHOP = (SAMPLES / "schemathesis-4.32.5-lab-webapp.ndjson").read_bytes()
AWAY = (SAMPLES / "schemathesis-4.32.5-nobody-listens.ndjson").read_bytes()
"""Schemathesis 4.32.5 of PyPI, with few examples: the shop of the lab of this project, and where nobody listens, on
2026-11-25."""


def test_an_operation_that_fails_is_a_flaw_once() -> None:
    found, error = read(parse, SHOP)
    assert error is None
    named = [each for each in found if each.weakness]
    assert [(each.weakness, urlsplit(each.location.url).path) for each in named] == [("error-unhandled", "/product")]
    assert (named[0].severity, named[0].location.method) == (Severity.MEDIUM, "GET")
    assert "status 500" in named[0].evidence
    rules = [(each.rule, each.location.url) for each in found]
    assert len(rules) == len(set(rules))
    assert {each.severity for each in found if not each.weakness} == {Severity.LOW}


def test_where_nobody_answers_nothing_is_clean() -> None:
    found, error = read(parse, AWAY)
    assert found == []
    assert "not tested to the end" in str(error)


def test_references_that_were_not_followed_are_told() -> None:
    warning = {"operation_label": "GET /", "subject": "`query` parameter `q`", "reference": "http://192.0.2.9/ref.json"}
    event = {"SchemaAnalysisWarnings": {"phase": {"name": "schema_analysis"}, "warnings": [warning]}}
    found, error = read(parse, json.dumps(event).encode() + b"\n" + SHOP)
    assert found
    assert "1 references of its description lead elsewhere" in str(error)


def test_truncated_output_keeps_what_came_before() -> None:
    found, error = read(parse, SHOP[: len(SHOP) - 200])
    assert "error-unhandled" in {each.weakness for each in found}
    assert error is not None


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, SHOP)[1])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


FAILED = next(json.loads(line) for line in SHOP.splitlines() if b'"not_a_server_error","status":"failure"' in line)


@settings(max_examples=150, deadline=None)
@given(damaged(FAILED))
def test_no_damage_crashes_it(data: bytes) -> None:
    check(parse, data)


def test_it_goes_to_the_checked_address_whatever_the_description_says() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "https://app.example.org:8443/shop/")
    run = command(ToolJob("schemathesis", target, {}, 60, Path("/nowhere")), Options(rate=3))
    made = run.arguments
    assert "TARGET = '192.0.2.7'\nPORT = 8443\n" in run.files["guard.py"]
    assert 'hooks = "./guard.py"' in run.files["schemathesis.toml"]
    assert made[made.index("--url") + 1] == "https://192.0.2.7:8443"
    assert made[-2:] == ("--", "https://192.0.2.7:8443/openapi.json")
    assert made[made.index("--header") + 1] == "Host: app.example.org:8443"
    assert made[made.index("--rate-limit") + 1] == "3/s"
    assert made[made.index("--include-method") + 1] == "GET"
    assert made[made.index("--max-redirects") + 1] == "0"
