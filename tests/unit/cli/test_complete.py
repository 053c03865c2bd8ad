"""What the shell is offered, asked through the protocol of each shell, with no stack anywhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.complete import severities

PURPLE = str(Path(sys.executable).with_name("purple"))
SUPPORT = Path(__file__).resolve().parents[2] / "support"


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PURPLE_")}
    return kept | {
        "PURPLE_STACK__HOME": str(tmp_path),
        "PURPLE_TOOLS__EXTRA": json.dumps([str(SUPPORT / "tools")]),
        "PURPLE_PROFILES__EXTRA": json.dumps([str(SUPPORT / "profiles")]),
        "PURPLE_DATABASE__URL": "postgresql://nobody@127.0.0.1:1/none",
    }


def run(arguments, environment, cwd, **extra):
    return subprocess.run(
        arguments, env=environment | extra, cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def offered(environment, cwd, words: str) -> list[str]:
    """As bash asks."""
    told = {"_PURPLE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = run([PURPLE], environment, cwd, **told)
    assert done.stderr == ""
    return done.stdout.split()


def test_profiles_and_tools_are_offered_without_a_stack(environment, tmp_path) -> None:
    assert {"standard", "web", "made"} <= set(offered(environment, tmp_path, "purple scan --profile "))
    assert offered(environment, tmp_path, "purple scan --profile st") == ["standard"]
    assert {"nmap", "made"} <= set(offered(environment, tmp_path, "purple tool install "))
    assert "critical" in offered(environment, tmp_path, "purple scan --fail-on ")
    assert {"list", "show", "start", "watch"} <= set(offered(environment, tmp_path, "purple campaign "))


def test_a_wrong_setting_leaves_the_shell_in_peace(environment, tmp_path) -> None:
    assert offered(environment | {"PURPLE_PROFILES__EXTRA": "nonsense"}, tmp_path, "purple scan --profile ") == []


def test_severities_come_in_their_order() -> None:
    assert severities("") == ["info", "low", "medium", "high", "critical"]
    assert severities("m") == ["medium"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script_and_its_form(shell, environment, tmp_path) -> None:
    done = run([PURPLE], environment, tmp_path, _PURPLE_COMPLETE=f"source_{shell}")
    assert "_PURPLE_COMPLETE" in done.stdout
    told = {
        "bash": {"COMP_WORDS": "purple scan --profile st", "COMP_CWORD": "3"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "purple scan --profile st"},
        "fish": {"_TYPER_COMPLETE_ARGS": "purple scan --profile st", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    answer = run([PURPLE], environment, tmp_path, _PURPLE_COMPLETE=f"complete_{shell}", **told)
    assert "standard" in answer.stdout
    assert answer.stderr == ""


def test_bash_itself_completes(environment, tmp_path) -> None:
    script = (
        'eval "$(_PURPLE_COMPLETE=source_bash purple)"; COMP_WORDS=(purple scan --profile st); COMP_CWORD=3; '
        '_purple_completion purple; echo "${COMPREPLY[@]}"'
    )
    path = f"{Path(PURPLE).parent}:{environment['PATH']}"
    bash = shutil.which("bash") or "bash"
    done = run([bash, "--norc", "-c", script], environment, tmp_path, PATH=path)
    assert done.stdout.split() == ["standard"], done.stderr


def test_the_script_can_be_shown_from_a_shell(environment, tmp_path) -> None:
    bash = shutil.which("bash") or "bash"
    done = run([bash, "--norc", "-c", f"{PURPLE} --show-completion; true"], environment, tmp_path)
    assert "complete -o default -F _purple_completion purple" in done.stdout, done.stderr
