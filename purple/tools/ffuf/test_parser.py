"""ffuf's JSON: real results of ffuf 1.1.0 against the lab, and damage to them."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.ffuf import parser
from purple.tools.ffuf.adapter import NOTHING, Options, command
from purple.tools.ffuf.parser import parse
from tests.support.damage import check, damaged
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
NGINX = (SAMPLES / "ffuf-1.1.0-lab-nginx.json").read_bytes()
WEBAPP = (SAMPLES / "ffuf-1.1.0-lab-webapp.json").read_bytes()
AWAY = (SAMPLES / "ffuf-1.1.0-nobody-listens.json").read_bytes()
"""ffuf 1.1.0 of Debian 12 against the lab of this project, and where nobody listens, on 2026-11-25."""


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
    assert "did not answer" in str(error)


def results(*answers: tuple[str, int, int]) -> bytes:
    """Words with status and size."""
    made: list[dict[str, Any]] = [
        {
            "input": {"FUZZ": word},
            "position": number,
            "status": status,
            "length": size * 6,
            "words": size,
            "lines": 1,
            "redirectlocation": "",
            "url": f"http://192.0.2.7/{word}",
        }
        for number, (word, status, size) in enumerate(answers, 1)
    ]
    return json.dumps({"results": made, "config": {"url": "http://192.0.2.7/FUZZ"}}).encode()


def test_a_server_that_says_yes_to_everything_has_nothing() -> None:
    found, error = read(parse, results((".env", 200, 90), (NOTHING[0], 200, 90), (".git/HEAD", 200, 91), ("x", 404, 2)))
    assert error is None
    assert found == []
    found, _ = read(parse, results((".env", 200, 12), (NOTHING[0], 200, 90)))
    assert [each.weakness for each in found] == ["file-exposed"]


def test_requests_that_nobody_answered_are_counted() -> None:
    report = json.loads(results((NOTHING[0], 404, 2), (".env", 200, 12)))
    report["results"][1]["position"] = 100
    found, error = read(parse, json.dumps(report).encode())
    assert [each.weakness for each in found] == ["file-exposed"]
    assert "98 of 100 requests were not answered" in str(error)


def test_what_is_refused_or_moved_is_no_exposed_file() -> None:
    found, _ = read(parse, results((NOTHING[0], 404, 2), (".env", 403, 12), ("backup.sql", 301, 12)))
    assert [(each.weakness, each.severity) for each in found] == [("path-found", Severity.INFO)] * 2


def test_truncated_output_keeps_what_came_before() -> None:
    found, error = read(parse, NGINX[: len(NGINX) // 2])
    assert found
    assert "breaks off" in str(error)


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, NGINX)[1])


def test_results_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "_HELD", 2)
    found, error = read(parse, results(("a", 200, 1), ("b", 200, 2), ("c", 200, 3), (NOTHING[0], 404, 2)))
    assert len(found) == 3
    assert error is None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


@settings(max_examples=150, deadline=None)
@given(damaged(json.loads(results((NOTHING[0], 404, 2), (".env", 200, 12), ("go", 302, 1)))))
def test_no_damage_crashes_it(data: bytes) -> None:
    check(parse, data)


def test_it_asks_below_the_targets_folder_at_a_bounded_rate() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "https://app.example.org:8443/FUZZ/index.html?a=1")
    made = command(
        ToolJob("ffuf", target, {}, 60, Path("/nowhere")), Options(rate=20, threads=10, words=("one", "two"))
    )
    assert made.arguments[made.arguments.index("-u") + 1] == "https://192.0.2.7:8443/%46UZZ/FUZZ"
    assert made.arguments[made.arguments.index("-p") + 1] == "0.500"
    assert made.arguments[made.arguments.index("-t") + 1] == "10"
    assert made.arguments[-2:] == ("-H", "Host: app.example.org:8443")
    assert made.files["words.txt"].split() == [*NOTHING, "one", "two"]
    slow = command(ToolJob("ffuf", target, {}, 60, Path("/nowhere")), Options(rate=1)).arguments
    assert (slow[slow.index("-t") + 1], slow[slow.index("-p") + 1]) == ("1", "1.000")
