"""Hydra's JSON: real results of Hydra 9.4 against the lab, and damage to them."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.toolkit.tools.plugins import load_plugins
from purple.tools.hydra import parser
from purple.tools.hydra.adapter import Options, command
from purple.tools.hydra.parser import parse
from tests.support.damage import check, damaged
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
ANYBODY = (SAMPLES / "hydra-9.4-lab-vsftpd.json").read_bytes()
NOBODY = (SAMPLES / "hydra-9.4-lab-vsftpd-mended.json").read_bytes()
AWAY = (SAMPLES / "hydra-9.4-nobody-listens.json").read_bytes()
"""Hydra 9.4 of Debian 12: the FTP server of the lab of this project, the same once mended, and where nobody listens,
on 2026-11-25."""


def test_an_anonymous_login_is_the_flaw_that_nmap_sees_too() -> None:
    found, error = read(parse, ANYBODY)
    assert error is None
    assert [(each.weakness, each.severity, each.attributes) for each in found] == [
        ("anonymous-login", Severity.HIGH, {})
    ]
    assert found[0].location.host == "127.0.0.1"


def with_login(login: str, password: str) -> bytes:
    report = json.loads(ANYBODY)
    report["results"][0] |= {"login": login, "password": password}
    return json.dumps(report).encode()


def test_a_guessed_login_is_told_without_its_password() -> None:
    found, error = read(parse, with_login("root", "made-up-secret"))
    assert error is None
    assert [(each.weakness, each.attributes) for each in found] == [("login-guessed", {"login": "root"})]
    assert "made-up-secret" not in str(found)


def test_a_success_without_a_hit_is_a_clean_result() -> None:
    assert json.loads(NOBODY)["success"] is True
    assert read(parse, NOBODY) == ([], None)


def test_where_nobody_answers_only_the_exit_code_says_so() -> None:
    assert read(parse, AWAY) == ([], None)
    assert 255 not in load_plugins()["hydra"].spec.exit_codes


def test_what_could_not_be_tried_is_told() -> None:
    report = json.loads(NOBODY) | {"errormessages": ["[ERROR] the target refused"]}
    assert "could not try everything: [ERROR] the target" in str(read(parse, json.dumps(report).encode())[1])


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, ANYBODY)[1])


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"results": []}', ANYBODY[:-20]])
def test_what_is_no_result_is_an_error(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    assert read(parse, data)[1] is not None


@settings(max_examples=150, deadline=None)
@given(damaged(json.loads(ANYBODY)))
def test_no_damage_crashes_it(data: bytes) -> None:
    check(parse, data)


def job(port: int, address: str = "192.0.2.7") -> ToolJob:
    return ToolJob("hydra", ToolTarget("ftp.example.org", address, port), {}, 60, Path("/nowhere"))


def test_it_tries_a_bounded_list_on_the_checked_address() -> None:
    made = command(job(21), Options(max_attempts=2, tasks=3))
    assert made.arguments[-1] == "ftp://192.0.2.7"
    assert made.arguments[made.arguments.index("-t") + 1] == "3"
    assert made.files["logins.txt"] == "anonymous:anonymous\nadmin:admin\n"
    assert "-f" in made.arguments
    slow = command(job(22, "2001:db8::7"), Options(rate=5)).arguments
    assert slow[-1] == "ssh://[2001:db8::7]"
    assert slow[slow.index("-c") + 1] == "1"
    assert "-t" not in slow


def test_an_unknown_service_is_refused_with_a_remedy() -> None:
    with pytest.raises(InvalidInputError, match="port 4711") as caught:
        command(job(4711), Options())
    assert caught.value.field == "options.hydra.service"
