"""Gitleaks' findings, as Gitleaks 8.30.1 wrote them by our template about the planted repository of the tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.gitleaks.adapter import Options, command
from purple.tools.gitleaks.parser import parse
from tests.support.parsers import check_damage, check_types, read

SAMPLE = (Path(__file__).parent / "samples/gitleaks-8.30.1-planted-repository.json").read_bytes()
"""`gitleaks git history.git --config rules.toml --report-template report.tmpl` on `tests/support/planted.py`."""


def changed(**parts: Any) -> bytes:
    document = json.loads(SAMPLE)
    document["findings"][0] |= parts
    return json.dumps(document).encode()


def test_the_real_output_gives_both_secrets_and_neither_in_clear() -> None:
    found, error = read(parse, SAMPLE)
    assert error is None
    assert {(each.rule, each.location.path, each.location.line, each.severity) for each in found} == {
        ("gitleaks:github-pat", "config/deploy.ini", 1, Severity.HIGH),
        ("gitleaks:aws-access-token", "config/settings.ini", 2, Severity.HIGH),
    }
    assert {each.flaw_class for each in found} == {FlawClass.SECRET}
    token = next(each for each in found if each.rule.endswith("github-pat"))
    assert token.evidence.startswith(f"ghp_{'*' * 36} (40 characters), committed in ")
    assert len(token.attributes["secret"]) == 32


def test_a_short_secret_shows_nothing_of_itself() -> None:
    found, _ = read(parse, changed(length=6, begins=""))
    assert found[0].evidence.startswith("****** (6 characters)")


def test_a_guess_is_less_sure() -> None:
    assert read(parse, changed(rule="generic-api-key"))[0][0].confidence == 0.5
    assert read(parse, SAMPLE)[0][0].confidence == 0.9


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"findings": []}', b'{"schema": "other", "findings": []}'])
def test_what_is_no_report_is_no_clean_result(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


def test_a_report_without_findings_is_clean() -> None:
    assert read(parse, b'{"schema": "purple.gitleaks/1", "findings": [\n]}') == ([], None)


def test_damage_is_survived() -> None:
    check_damage(parse, SAMPLE)
    check_types(parse, SAMPLE)


def test_nothing_of_the_code_decides_what_is_looked_at() -> None:
    target = ToolTarget("--config=/etc/passwd", "", kind="repository")
    arguments = command(ToolJob("gitleaks", target, {}, 60, Path("/nowhere")), Options()).arguments
    assert "--ignore-gitleaks-allow" in arguments
    assert target.host not in arguments
    assert "--redact" not in arguments, "it would put the same word in place of every secret, before they are hashed"
