"""What Arjun prints: real runs of Arjun 2.2.7 against the lab, and damage to them."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.arjun import parser
from purple.tools.arjun.adapter import Options, command
from purple.tools.arjun.parser import parse
from tests.support.damage import check, muddled
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
SEARCH = (SAMPLES / "arjun-2.2.7-lab-webapp.txt").read_bytes()
NOTHING = (SAMPLES / "arjun-2.2.7-lab-nginx.txt").read_bytes()
AWAY = (SAMPLES / "arjun-2.2.7-nobody-listens.txt").read_bytes()
"""Arjun 2.2.7 of PyPI: /search of the lab of this project, its nginx, and where nobody listens, on 2026-11-25."""


def test_each_parameter_that_changes_the_answer_is_told() -> None:
    found, error = read(parse, SEARCH)
    assert error is None
    assert [each.location.parameter for each in found] == ["q"]
    assert (urlsplit(found[0].location.url).path, found[0].severity) == ("/search", Severity.INFO)
    assert "the answer changes with q: " in found[0].evidence


def test_an_endpoint_without_parameters_is_a_clean_result() -> None:
    assert read(parse, NOTHING) == ([], None)


def test_a_server_that_did_not_answer_is_no_clean_result() -> None:
    found, error = read(parse, AWAY)
    assert found == []
    assert "did not come to an end" in str(error)


def test_truncated_output_keeps_what_came_before() -> None:
    cut = SEARCH[: SEARCH.index(b"Parameters found")]
    found, error = read(parse, cut)
    assert [each.location.parameter for each in found] == ["q"]
    assert "did not come to an end" in str(error)


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, SEARCH)[1])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


@settings(max_examples=150, deadline=None)
@given(muddled(SEARCH))
def test_no_damage_crashes_it(data: bytes) -> None:
    check(parse, data)


def test_it_goes_to_the_checked_address_and_asks_no_third_party() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "https://app.example.org:8443/search?a=1")
    made = command(ToolJob("arjun", target, {}, 60, Path("/nowhere")), Options(rate=3, words=("one", "two")))
    assert made.arguments[made.arguments.index("-u") + 1] == "https://192.0.2.7:8443/search?a=1"
    assert made.arguments[made.arguments.index("--rate-limit") + 1] == "3"
    assert made.arguments[made.arguments.index("--headers") + 1].startswith(r"Host: app.example.org:8443\nUser-Agent: ")
    assert "--passive" not in made.arguments
    assert made.files == {"words.txt": "one\ntwo\n"}
