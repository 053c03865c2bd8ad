"""What dirsearch prints: real runs of dirsearch 0.5.0 against the lab, and damage to them."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.dirsearch import parser
from purple.tools.dirsearch.adapter import Options, command
from purple.tools.dirsearch.parser import parse
from tests.support.damage import check, muddled
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
NGINX = (SAMPLES / "dirsearch-0.5.0-lab-nginx.txt").read_bytes()
WEBAPP = (SAMPLES / "dirsearch-0.5.0-lab-webapp.txt").read_bytes()
AWAY = (SAMPLES / "dirsearch-0.5.0-nobody-listens.txt").read_bytes()
"""dirsearch 0.5.0 of PyPI against the lab of this project, and where nobody listens, on 2026-11-25."""


def test_files_that_should_not_be_served_are_flaws() -> None:
    found, error = read(parse, NGINX)
    assert error is None
    named = {(each.weakness, urlsplit(each.location.url).path) for each in found if each.weakness != "path-found"}
    assert named == {("repository-exposed", "/.git/"), ("file-exposed", "/.env"), ("file-exposed", "/backup.sql")}


def test_other_paths_are_told_without_alarm() -> None:
    found, error = read(parse, WEBAPP)
    assert error is None
    paths = {urlsplit(each.location.url).path: each for each in found}
    assert {"/search", "/product", "/go", "/openapi.json"} <= set(paths)
    assert {(each.severity, each.weakness) for each in found} == {(Severity.INFO, "path-found")}
    assert "leads to" in paths["/go"].evidence


def test_a_server_that_did_not_answer_is_no_clean_result() -> None:
    found, error = read(parse, AWAY)
    assert found == []
    assert "did not come to an end" in str(error)


def test_truncated_output_keeps_what_came_before() -> None:
    found, error = read(parse, NGINX[: len(NGINX) * 2 // 3])
    assert found
    assert "did not come to an end" in str(error)


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, NGINX)[1])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


@settings(max_examples=150, deadline=None)
@given(muddled(NGINX))
def test_no_damage_crashes_it(data: bytes) -> None:
    check(parse, data)


def test_it_asks_below_the_targets_folder_at_a_bounded_rate() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "https://app.example.org:8443/shop/index.html?a=1")
    made = command(ToolJob("dirsearch", target, {}, 60, Path("/nowhere")), Options(rate=3, words=("one",)))
    assert made.arguments[made.arguments.index("--url") + 1] == "https://192.0.2.7:8443/shop/"
    assert made.arguments[made.arguments.index("--max-rate") + 1] == "3"
    assert made.arguments[made.arguments.index("--threads") + 1] == "3"
    assert made.arguments[-2:] == ("--header", "Host: app.example.org:8443")
    assert made.files == {"words.txt": "one\n"}
