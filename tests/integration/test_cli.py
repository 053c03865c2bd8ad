"""The command line from the outside: exit codes, streams, no stack traces."""

import json
import re
import subprocess

import pytest


def scan(run, target: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("scan", target, "--profile", "made", "--authorised-by", "test", *arguments)


def test_a_scan_that_passes_exits_0_with_data_on_stdout_alone(purple_started) -> None:
    done = scan(purple_started, "127.3.0.1", "--option", "made.flaws=[80]", "-o", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["schema"] == "purple.scan/1"
    assert told["counts"]["high"] == 1
    assert [each["port"] for each in told["vulnerabilities"]] == [80]
    assert "phase analysis" in done.stderr


def test_a_failed_gate_exits_3(purple_command) -> None:
    done = scan(purple_command, "127.3.0.2", "--option", "made.flaws=[80]", "--fail-on", "high")
    assert done.returncode == 3, done.stderr
    assert "<script>" in done.stdout, "text of a tool is shown as it is, and never as markup"


def test_a_gap_exits_5(purple_started) -> None:
    done = scan(purple_started, "127.3.0.3", "--option", "made.mode=crash")
    assert done.returncode == 5, done.stderr
    assert "not covered: made 127.3.0.3: failed" in done.stderr


def test_without_an_authorisation_it_exits_4(purple_started) -> None:
    done = purple_started("scan", "198.51.100.44", "--profile", "made")  # a network that no other test authorises
    assert done.returncode == 4
    assert "--authorised-by" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "not a host", "--authorised-by", "x"),
        ("scan", "127.3.0.5", "--profile", "no-such", "--authorised-by", "x"),
        ("scan", "127.3.0.5", "--fail-on", "awful"),
        ("scan", "127.3.0.5", "--option", "nonsense"),
        ("scan",),
        ("no-such-command",),
        ("tool", "install", "no-such-tool"),
        ("tool", "install"),
    ],
)
def test_wrong_usage_exits_2_with_one_line(purple_command, arguments) -> None:
    done = purple_command(*arguments)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named(purple_started) -> None:
    done = purple_started("tool", "list", PURPLE_AI__PROVIDER="oracle")
    assert done.returncode == 2
    assert "PURPLE_AI__PROVIDER" in done.stderr


def test_a_database_that_is_away_is_one_line(purple_started) -> None:
    done = purple_started(
        "scan", "127.3.0.6", "--authorised-by", "x", PURPLE_DATABASE__URL="postgresql://a:b@127.0.0.1:1/none"
    )
    assert done.returncode == 1
    assert "PostgreSQL is away" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_says_what_a_missing_tool_would_add(purple_command) -> None:
    done = purple_command("tool", "list", "-o", "json")
    tools = {each["name"]: each for each in json.loads(done.stdout)}
    assert tools["made"]["usable"] is True
    assert tools["made-missing"]["usable"] is False
    assert "no-such-program-anywhere" in tools["made-missing"]["detail"]
    doctor = purple_command("doctor", COLUMNS="200").stdout
    assert "Missing tool" in doctor
    assert re.search(r"Isolation of tools .* off .*PURPLE_TOOLS__ISOLATION is none", doctor)


def test_bootstrap_prints_a_token_that_works(purple_command) -> None:
    done = purple_command("bootstrap")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pp_")
