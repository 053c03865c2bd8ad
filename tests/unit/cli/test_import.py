"""What `purple import` says without a stack."""

import json
from pathlib import Path

import pytest

from cli.main import main

TOOLS = Path(__file__).resolve().parents[3] / "purple/tools"


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PURPLE_STACK__HOME", str(tmp_path))


def test_formats_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "--list-formats", "-o", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["schema"] == "purple.import-formats/1"
    assert {each["name"] for each in listed["items"]} >= {"nmap", "sarif", "zap", "nessus", "csv"}


def test_a_file_is_checked_and_kept_nowhere(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sample = TOOLS / "burp/samples/burp-1.6.05-bodgeit.xml"
    assert main(["import", str(sample), "--check", "-o", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["format"], said["results"], said["severities"], said["hosts"]) == ("burp", 3, {"high": 3}, 1)
    table = tmp_path / "table"
    table.write_text("Befund,Stufe\neins,P1\nzwei,P2\n")
    columns = 'columns={"title": "Befund", "severity": "Stufe"}'
    words = 'severities={"P1": "high"}'
    arguments = ["import", str(table), "--format", "csv", "--check", "--option", columns, "--option", words]
    assert main([*arguments, "-o", "json"]) == 5
    said = json.loads(capsys.readouterr().out)
    assert said["results"] == 1
    assert "row 3: severity 'p2'" in said["trouble"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import"], "there is no FILE"),
        (["import", "none"], "none is no file"),
        (["import", __file__, "--check"], "the file is of no known format: it is text that begins with"),
        (["import", __file__, "--format", "csv", "--check", "--option", "x"], "'x' is not an option"),
        (["import", __file__, "--format", "csv", "--check", "--option", "colums={}"], "csv takes artifact, series"),
    ],
)
def test_mistakes_are_named(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
