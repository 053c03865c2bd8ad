"""What sqlmap prints: real runs of sqlmap 1.10.10 against the lab, and damage to them."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.sqlmap import parser
from purple.tools.sqlmap.adapter import Options, command
from purple.tools.sqlmap.parser import parse
from tests.support.damage import check, muddled
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
INJECTED = (SAMPLES / "sqlmap-1.10.10-lab-webapp.txt").read_bytes()
CRAWLED = (SAMPLES / "sqlmap-1.10.10-lab-webapp-crawled.txt").read_bytes()
CLEAN = (SAMPLES / "sqlmap-1.10.10-lab-webapp-mended.txt").read_bytes()
AWAY = (SAMPLES / "sqlmap-1.10.10-nobody-listens.txt").read_bytes()
"""sqlmap 1.10.10 of PyPI: /product?id=1 of the lab of this project, its whole shop, the same once mended, and where
nobody listens, on 2026-11-25."""


@pytest.mark.parametrize("sample", [INJECTED, CRAWLED])
def test_a_proven_injection_is_a_flaw_with_its_proof(sample: bytes) -> None:
    found, error = read(parse, sample)
    assert error is None
    places = {(each.weakness, urlsplit(each.location.url).path, each.location.parameter) for each in found}
    assert places == {("sql-injection", "/product", "id")}
    assert (found[0].severity, found[0].location.method) == (Severity.CRITICAL, "GET")
    assert "boolean-based blind" in found[0].evidence
    assert "id=1 AND " in found[0].evidence


def test_parameters_that_were_tested_and_hold_are_a_clean_result() -> None:
    assert read(parse, CLEAN) == ([], None)


def test_where_nothing_was_tested_nothing_is_clean() -> None:
    found, error = read(parse, AWAY)
    assert found == []
    assert "1 of 1 targets were not tested: unable to connect" in str(error)


def test_a_target_among_others_that_was_not_tested_is_told() -> None:
    skipped = CRAWLED.replace(b"all tested parameters do not appear to be injectable", b"nobody is there", 1)
    found, error = read(parse, skipped)
    assert len(found) == 1
    assert "1 of 4 targets were not tested" in str(error)


def test_truncated_output_keeps_what_came_before() -> None:
    found, error = read(parse, INJECTED[: INJECTED.index(b"Title: Generic UNION")])
    assert [each.location.parameter for each in found] == ["id"]
    assert "says no more" in str(error)


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, INJECTED)[1])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    assert read(parse, data)[1] is not None


@settings(max_examples=150, deadline=None)
@given(muddled(INJECTED))
def test_no_damage_crashes_it(data: bytes) -> None:
    check(parse, data)


def test_it_goes_to_the_checked_address_and_reads_nothing_out() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "https://app.example.org:8443/product?id=1")
    run = command(ToolJob("sqlmap", target, {}, 60, Path("/nowhere")), Options(rate=4, parameters=("id", "q")))
    made = run.arguments
    assert run.files == {"targets.txt": "https://192.0.2.7:8443/product?id=1\n"}
    assert {"--host=app.example.org:8443", "--delay=0.250", "--threads=1", "--batch", "--ignore-redirects"} <= {*made}
    assert made[made.index("-p") + 1] == "id,q"
    assert not [each for each in made if each.startswith(("--dump", "--os", "--file", "--sql", "--crawl"))]
    whole = ToolTarget("192.0.2.7", "192.0.2.7", 80, "http://192.0.2.7/")
    assert "--crawl=2" in command(ToolJob("sqlmap", whole, {}, 60, Path("/nowhere")), Options()).arguments
