"""Bandit's JSON, as Bandit 1.9.4 wrote it about the planted repository of the tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.bandit.adapter import Options, command
from purple.tools.bandit.parser import parse
from tests.support.parsers import check_damage, check_types, read

SAMPLE = (Path(__file__).parent / "samples/bandit-1.9.4-planted-repository.json").read_bytes()
"""`bandit --recursive repository --ini /dev/null --exclude // --ignore-nosec --format json` on the planted code."""


def changed(*, errors: object = (), **parts: Any) -> bytes:
    document = json.loads(SAMPLE)
    document["results"][0] |= parts
    document["errors"] = list(errors) if isinstance(errors, tuple) else errors
    return json.dumps(document).encode()


def test_the_real_output_gives_what_was_planted() -> None:
    found, error = read(parse, SAMPLE)
    assert error is None
    assert [(each.rule, each.severity, each.location.path, each.location.line) for each in found] == [
        ("bandit:B605", Severity.HIGH, ".github/check.py", 3),
        ("bandit:B202", Severity.HIGH, "app/server.py", 8),
        ("bandit:B306", Severity.MEDIUM, "app/server.py", 8),
        ("bandit:B501", Severity.HIGH, "app/server.py", 9),
        ("bandit:B113", Severity.MEDIUM, "app/server.py", 9),
        ("bandit:B307", Severity.MEDIUM, "app/server.py", 10),
        ("bandit:B404", Severity.LOW, "app/views.py", 2),
        ("bandit:B608", Severity.MEDIUM, "app/views.py", 8),
        ("bandit:B602", Severity.HIGH, "app/views.py", 12),
        ("bandit:B506", Severity.MEDIUM, "app/views.py", 16),
        ("bandit:B324", Severity.HIGH, "app/views.py", 20),
    ]
    assert {each.flaw_class for each in found} == {FlawClass.CODE}
    assert found[7].weakness == "sql-injection"
    assert found[8].evidence.strip().startswith('return subprocess.call("ping " + host')
    assert found[8].cwe == (78,)


def test_a_moved_line_is_the_same_code_and_another_line_is_not() -> None:
    code = "6 \n7 def f():\n8     eval(x)\n9 \n"
    here = read(parse, changed(code=code, line_number=8, line_range=[8]))[0][0]
    moved = read(parse, changed(code="90 if y:\n91 \teval(x)\n", line_number=91, line_range=[91]))[0][0]
    other = read(parse, changed(code="8     eval(z)\n", line_number=8, line_range=[8]))[0][0]
    assert here.evidence == "    eval(x)"
    assert here.attributes == moved.attributes != other.attributes


def test_files_that_were_not_read_are_no_clean_result() -> None:
    found, error = read(parse, changed(errors=[{"filename": "repository/old.py", "reason": "syntax error"}]))
    assert len(found) == 11
    assert "could not read 1 files: old.py" in str(error)


def test_a_suspected_password_is_not_copied() -> None:
    said = "Possible hardcoded password: 'hunter2'"
    found, _ = read(
        parse, changed(test_id="B105", test_name="hardcoded_password_string", issue_text=said, code="1 p='hunter2'")
    )
    assert found[0].title == "hardcoded password string"
    assert "hunter2" not in repr(found[0])


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"results": []}', b"no JSON"])
def test_what_is_no_report_is_no_clean_result(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


def test_damage_is_survived() -> None:
    check_damage(parse, SAMPLE)
    check_types(parse, SAMPLE)


@pytest.mark.parametrize("believe", [True, False])
def test_nothing_of_the_code_decides_what_is_looked_at(believe: bool) -> None:
    target = ToolTarget("--config=/etc/passwd", "", kind="repository")
    options = Options(severity="low", believe_comments=believe)
    arguments = command(ToolJob("bandit", target, {}, 60, Path("/nowhere")), options).arguments
    assert arguments[:5] == ("--recursive", "repository", "--ini", "/dev/null", "--exclude")
    assert ("--ignore-nosec" in arguments) is not believe
    assert target.host not in arguments
