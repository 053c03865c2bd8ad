"""Semgrep's SARIF, as Semgrep 1.185.0 wrote it about the planted repository of the tests."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.semgrep.adapter import RULES, Options, command
from purple.tools.semgrep.parser import parse
from tests.support.parsers import check_damage, check_types, read

SAMPLE = (Path(__file__).parent / "samples/semgrep-1.185.0-planted-repository.sarif").read_bytes()
"""`semgrep scan --config rules --no-rewrite-rule-ids --disable-nosem --no-git-ignore --sarif`, on the planted code."""


def changed(*, invocation: dict[str, Any] | None = None, **parts: Any) -> bytes:
    document = json.loads(SAMPLE)
    document["runs"][0]["results"][0] |= parts
    document["runs"][0]["invocations"][0] |= invocation or {}
    return json.dumps(document).encode()


def test_the_real_output_gives_what_was_planted() -> None:
    found, error = read(parse, SAMPLE)
    assert error is None
    assert len(found) == 24
    assert {each.flaw_class for each in found} == {FlawClass.CODE}
    query = next(each for each in found if each.rule == "semgrep:python-sql-built-from-text")
    assert (query.severity, query.cwe, query.weakness) == (Severity.HIGH, (89,), "sql-injection")
    assert (query.location.path, query.location.line) == ("app/views.py", 8)
    assert query.evidence.strip().startswith("cursor.execute(")
    assert query.confidence == 0.7
    assert next(each for each in found if each.rule == "semgrep:go-tls-not-verified").confidence == 0.9


def test_every_rule_of_ours_finds_its_example() -> None:
    rules = [rule for file in RULES.glob("*.yaml") for rule in yaml.safe_load(file.read_text())["rules"]]
    seen = {each.rule.removeprefix("semgrep:") for each in read(parse, SAMPLE)[0]}
    assert {rule["id"] for rule in rules} == seen


def test_what_ran_out_of_time_is_no_clean_result() -> None:
    note = {"descriptor": {"id": "Timeout"}, "level": "warning", "message": {"text": "Timeout when running x on\n y"}}
    found, error = read(parse, changed(invocation={"toolExecutionNotifications": [note]}))
    assert len(found) == 24
    assert "did not look everywhere: Timeout when running x on y" in str(error)
    assert "did not succeed" in str(read(parse, changed(invocation={"executionSuccessful": False}))[1])


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"runs": [{"results": []}]}', b"no JSON"])
def test_what_is_no_report_is_no_clean_result(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


def test_damage_is_survived() -> None:
    check_damage(parse, SAMPLE, 40)
    check_types(parse, SAMPLE, 100)


def test_nothing_of_the_code_decides_what_is_looked_at_and_no_pattern_becomes_a_flag() -> None:
    target = ToolTarget("--config=/etc/passwd", "", kind="repository")
    job = ToolJob("semgrep", target, {}, 60, Path("/nowhere"))
    arguments = command(job, Options(exclude=("--config", "*.min.js"))).arguments
    assert {"--exclude=--config", "--exclude=*.min.js", "--disable-nosem"} <= {*arguments}
    assert "--x-ignore-semgrepignore-files" in arguments
    assert arguments[-1] == "repository"
    assert target.host not in arguments
