"""The live view, drawn without a terminal."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from rich.console import Console

from cli.watch import View, age, fitting, render
from purple.domain.campaigns import Campaign, CampaignState, Phase, Scan
from purple.domain.tools import ScanState

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def campaign(**changes) -> Campaign:
    made = Campaign(
        id=UUID(int=1),
        organisation_id=UUID(int=2),
        workflow_id="campaign/1",
        name="a campaign",
        profile="standard",
        profile_version=1,
        plan={},
        authorisation_id=UUID(int=3),
        authorisation_digest="",
        target_ids=(),
        state=CampaignState.RUNNING,
        created_at=NOW,
        phase=Phase.TOOLS,
        started_at=NOW - timedelta(minutes=2),
    )
    return replace(made, **changes)


def scan(number: int, state: ScanState, **changes) -> Scan:
    made = Scan(
        id=uuid4(),
        organisation_id=UUID(int=2),
        campaign_id=UUID(int=1),
        target_id=UUID(int=4),
        key=f"tools/{number}",
        phase=Phase.TOOLS,
        tool="made",
        host=f"h{number}",
        port=0,
        url="",
        options={},
        state=state,
        created_at=NOW,
        started_at=NOW - timedelta(seconds=75) if state is not ScanState.PENDING else None,
    )
    return replace(made, **changes)


def drawn(view: View, room: int = 20, width: int = 80) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(render(view, room, "http://127.0.0.1/ui"))
    return file.getvalue()


def test_a_running_tool_shows_its_state_its_time_and_its_silence() -> None:
    running, waiting = scan(1, ScanState.RUNNING), scan(2, ScanState.PENDING)
    progress = {"done": 3, "known": 7, "paused": True}
    text = drawn(View(campaign(), NOW, [running, waiting], progress, {running.id: NOW - timedelta(seconds=9)}))
    line = next(each for each in text.splitlines() if "h1" in each)
    assert "running" in line
    assert "1 min 15 s" in line
    assert "9 s ago" in line
    assert "pending" in next(each for each in text.splitlines() if "h2" in each)
    assert "3 of 7 known steps done" in text
    assert "paused" in text
    assert "%" not in text
    assert f"purple campaign cancel {UUID(int=1)}" in " ".join(text.split())


def test_silence_from_the_start_is_said_and_so_is_a_worker_that_does_not_answer() -> None:
    text = drawn(View(campaign(), NOW, [scan(1, ScanState.RUNNING)]))
    assert "none yet" in text
    assert "no worker answers" in text


def test_text_of_tools_is_neither_markup_nor_control() -> None:
    hostile = scan(1, ScanState.FAILED, reason="[bold]\x1b[31m[/]", tool="[red]x")
    text = drawn(View(campaign(), NOW, [hostile]), width=200)
    assert "[bold]" in text
    assert "[red]x" in text
    assert "\x1b" not in text


def test_an_end_has_no_word_on_how_to_stop_it() -> None:
    ended = campaign(state=CampaignState.COMPLETED, phase=None, ended_at=NOW)
    text = drawn(View(ended, NOW, [scan(1, ScanState.COMPLETE, ended_at=NOW, observations=4)]))
    assert "4 observations" in text
    assert "cancel" not in text


def test_what_runs_or_failed_is_shown_before_what_is_done() -> None:
    done = [scan(number, ScanState.COMPLETE) for number in range(10)]
    eyes = [scan(10, ScanState.RUNNING), scan(11, ScanState.FAILED)]
    shown, left = fitting([*done, *eyes], 3)
    assert {each.id for each in eyes} <= {each.id for each in shown}
    assert (len(shown), left) == (3, 9)
    assert "and 9 more" in drawn(View(campaign(), NOW, [*done, *eyes]), room=3)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (59.9, "59 s"), (61, "1 min 01 s"), (3600, "1 h 00 min"), (90000, "25 h 00 min")],
)
def test_lengths_of_time(seconds, words) -> None:
    assert age(NOW, NOW + timedelta(seconds=seconds)) == words
