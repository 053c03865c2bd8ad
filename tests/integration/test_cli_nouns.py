"""The nouns of the command line from the outside, on real servers."""

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest


@pytest.fixture
def told(purple_command):
    """What a command that succeeds writes as JSON."""

    def run(*arguments: str, code: int = 0) -> Any:
        done = purple_command(*arguments, "-o", "json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    return run


ASSET = ("--exposure", "internet", "--data-class", "restricted", "--control", "waf", "--control", "monitoring")


def test_targets_are_added_listed_edited_and_shown(purple_command, told) -> None:
    added = told("target", "add", "127.11.0.1", "127.11.0.2", "--tag", "nouns", "--criticality", "high", *ASSET)
    rows = added.get("items", [added])
    assert {row["value"] for row in rows} == {"127.11.0.1", "127.11.0.2"}
    assert {(row["exposure"], row["data_class"], *row["controls"]) for row in rows} == {
        ("internet", "restricted", "monitoring", "waf")
    }
    found = told("target", "list", "--filter", "tags:nouns", "--sort", "-value")
    assert found["schema"] == "purple.targets/1"
    assert [row["value"] for row in found["items"]] == ["127.11.0.2", "127.11.0.1"]
    edited = told("target", "edit", "127.11.0.1", "--name", "first", "--tag", "more", "--untag", "nouns")
    assert (edited["name"], edited["tags"], edited["criticality"]) == ("first", ["more"], "high")
    assert told("target", "show", edited["id"])["version"] == 2
    lines = purple_command("target", "list", "--filter", "tags:nouns,more", "-o", "jsonl").stdout.splitlines()
    assert {json.loads(line)["value"] for line in lines} == {"127.11.0.1", "127.11.0.2"}
    table = purple_command("target", "list", "--filter", "tags:more", COLUMNS="140").stdout
    assert "127.11.0.1" in table
    assert "first" in table


def test_authorisations_are_added_listed_and_revoked(told, purple_command, admin, tmp_path) -> None:
    added = told(
        "authorisation", "add", "--name", "nouns", "--signed-by", "owner", "--include", "127.11.1.0/24",
        "--valid-until", "12h",
    )  # fmt: skip
    assert (added["state"], added["include"]) == ("valid", ["127.11.1.0/24"])
    signed, fetched = tmp_path / "signed.pdf", tmp_path / "fetched.pdf"
    signed.write_bytes(b"%PDF made")
    attached = told("authorisation", "attach", added["id"], str(signed))
    assert (attached["document"], attached["digest"] == added["digest"]) == (
        hashlib.sha256(b"%PDF made").hexdigest(),
        False,
    )
    fetch = ("authorisation", "document", added["id"], "--to", str(fetched))
    assert purple_command(*fetch).returncode == 0
    assert fetched.read_bytes() == b"%PDF made"
    for wrong in (fetch, ("authorisation", "attach", added["id"], str(tmp_path))):
        done = purple_command(*wrong)
        assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    told("authorisation", "revoke", added["id"])
    events = admin.execute("SELECT type, data ->> 'by' FROM events WHERE subject_id = %s", [added["id"]]).fetchall()
    assert sorted(events) == [(f"authorisation.{did}", "admin") for did in ("changed", "created", "revoked")]
    assert told("authorisation", "show", added["id"])["state"] == "revoked"
    listed = told("authorisation", "list", "--filter", "-revoked_at:none")
    assert added["id"] in {row["id"] for row in listed["items"]}


def test_a_campaign_from_its_start_to_its_reports(purple_command, told, tmp_path) -> None:
    asked = ("campaign", "start", "127.11.2.1", "--profile", "made", "--authorised-by", "owner")
    flaws = ("--option", "made.flaws=[7,8]")
    first = purple_command(*asked, *flaws, "--fail-on-new", "-o", "json")
    assert first.returncode == 3, first.stderr
    result = json.loads(first.stdout)
    assert result["counts"]["high"] == 2
    again = purple_command(*asked, *flaws, "--fail-on-new", "-o", "json")
    assert again.returncode == 0, "what an earlier campaign saw is not new: " + again.stderr
    campaign = result["campaign_id"]
    assert told("campaign", "show", campaign)["id"] == campaign
    assert told("campaign", "watch", campaign)["state"] == "completed"
    listed = told("campaign", "list", "--filter", f"id:{campaign}")
    assert [row["state"] for row in listed["items"]] == ["completed"]
    runs = told("run", "list", "--campaign", campaign)["items"]
    assert [(row["tool"], row["state"], row["observations"]) for row in runs] == [("made", "complete", 2)]
    assert told("run", "show", runs[0]["id"])["host"] == "127.11.2.1"
    sarif = json.loads(purple_command("vulnerability", "list", "--campaign", campaign, "-o", "sarif").stdout)
    assert sarif["version"] == "2.1.0"
    assert sum(len(run["results"]) for run in sarif["runs"]) == 2
    one = told("vulnerability", "list", "--campaign", campaign, "--sort", "port")["items"][0]
    assert (one["port"], told("vulnerability", "show", one["id"])["risk"]) == (7, one["risk"])
    assert len(told("report", "list", "--campaign", campaign)["items"]) == 3
    saved = purple_command("report", "save", "--campaign", campaign, "--to", str(tmp_path))
    assert saved.returncode == 0, saved.stderr
    files = [Path(line) for line in saved.stdout.splitlines()]
    assert {file.suffix for file in files} == {".pdf", ".html", ".json"}
    assert next(file for file in files if file.suffix == ".pdf").read_bytes().startswith(b"%PDF-")


def test_what_failed_runs_again_and_what_ended_is_not_steered(purple_command, told, tmp_path) -> None:
    marker = tmp_path / "marker"
    marker.write_text("127.11.3.1")
    started = purple_command(
        "campaign", "start", "127.11.3.1", "--profile", "made", "--authorised-by", "owner",
        "--option", "made.mode=fragile", "--option", f"made.marker={marker}", "-o", "json",
    )  # fmt: skip
    assert started.returncode == 5, started.stderr
    campaign = json.loads(started.stdout)["campaign_id"]
    marker.unlink()
    asked = purple_command("campaign", "retry", campaign)
    assert asked.returncode == 0, asked.stderr
    assert told("campaign", "watch", campaign)["state"] == "completed"
    for verb in ("pause", "resume", "retry"):
        refused = purple_command("campaign", verb, campaign)
        assert refused.returncode == 1
        assert len(refused.stderr.strip().splitlines()) == 1
    assert purple_command("campaign", "cancel", campaign).returncode == 0, "one that ended is left alone"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("campaign", "show", "not-an-id"), 2),
        (("campaign", "show", str(uuid4())), 1),
        (("target", "list", "--filter", "colour:red"), 2),
        (("target", "list", "--filter", "open("), 2),
        (("target", "list", "--sort", "colour"), 2),
        (("target", "list", "--limit", "0"), 2),
        (("target", "list", "-o", "sarif"), 2),
        (("target", "add", "a b"), 2),
        (("authorisation", "add", "--name", "x"), 2),
        (("tool", "show", "no-such-tool"), 2),
        (("campaign", "start", "127.11.4.1", "--authorised-by", "x", "--option", "sarif.artifact=@/no/file"), 2),
    ],
)
def test_what_is_wrong_is_one_line(purple_command, arguments, code) -> None:
    done = purple_command(*arguments)
    assert done.returncode == code, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_settings_are_checked_shown_and_described(purple_command, told) -> None:
    wrong = purple_command("config", "check", PURPLE_AI__PROVIDR="x", PURPLE_API__PORT="-1")
    assert wrong.returncode == 2
    assert "PURPLE_AI__PROVIDER" in wrong.stderr
    assert "PURPLE_API__PORT" in wrong.stderr
    assert purple_command("config", "check").returncode == 0
    assert "properties" in json.loads(purple_command("config", "schema").stdout)
    shown = {row["name"]: row["value"] for row in told("config", "show")["items"]}
    assert shown["PURPLE_IDENTITY__ACTOR_KEY"] == "********"


def test_a_setting_stands_for_an_option(purple_command) -> None:
    done = purple_command("target", "list", "--limit", "1", PURPLE_CLI__OUTPUT="json")
    assert json.loads(done.stdout)["schema"] == "purple.targets/1"
