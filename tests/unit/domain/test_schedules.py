"""Timings that cannot be kept to are refused by name; of each time that passed it is said why nothing happened."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from purple.domain.errors import InvalidInputError
from purple.domain.schedules import (
    Busy,
    Known,
    Overlap,
    RunOutcome,
    Schedule,
    ScheduleState,
    Timing,
    judge,
    occasion_of,
    preview_of,
    run_id_of,
    workflow_of,
)

NOW = datetime(2027, 1, 1, tzinfo=UTC)
DUE = datetime(2027, 1, 2, 3, tzinfo=UTC)
HOURLY = Timing(cron=("@hourly",))


def schedule(**changes) -> Schedule:
    made = Schedule(
        id=uuid4(),
        organisation_id=uuid4(),
        name="nightly",
        profile="made",
        target_ids=(uuid4(),),
        authorisation_id=uuid4(),
        options={},
        timing=replace(HOURLY, overlap=changes.pop("overlap", Overlap.SKIP), jitter_s=changes.pop("jitter_s", 0)),
        state=ScheduleState.ACTIVE,
        owner="owner",
        created_at=NOW,
        settled_until=NOW,
    )
    return replace(made, **changes)


WRONG = [
    (Timing(), "timing.cron"),
    (Timing(cron=("* * * * *",) * 21), "timing.cron"),
    (replace(HOURLY, time_zone="Mars"), "timing.time_zone"),
    (replace(HOURLY, jitter_s=-1), "timing.jitter_s"),
    (replace(HOURLY, jitter_s=3600), "timing.jitter_s"),
    (replace(HOURLY, jitter_s=90_000), "timing.jitter_s"),
    (replace(HOURLY, catch_up_s=5), "timing.catch_up_s"),
    (replace(HOURLY, catch_up_s=90_000), "timing.catch_up_s"),
    (replace(HOURLY, start_at=NOW.replace(tzinfo=None)), "timing.start_at"),
    (replace(HOURLY, start_at=datetime(1, 1, 1, tzinfo=UTC)), "timing.start_at"),
    (replace(HOURLY, start_at=DUE, end_at=DUE), "timing.end_at"),
    (replace(HOURLY, end_at=NOW - timedelta(days=1)), "timing.cron"),
    (Timing(cron=("0 0 31 2 *",)), "timing.cron"),
    (Timing(calendar=("year=2026",)), "timing.calendar"),
    (Timing(calendar=("hour=x",)), "timing.calendar"),
]


@pytest.mark.parametrize(("timing", "field"), WRONG)
def test_a_timing_that_cannot_be_kept_to_names_its_field_and_the_remedy(timing, field) -> None:
    with pytest.raises(InvalidInputError) as refused:
        timing.check(NOW)
    assert refused.value.field == field
    assert refused.value.remedy


def test_start_and_end_are_inside() -> None:
    timing = replace(HOURLY, start_at=DUE, end_at=DUE + timedelta(hours=2))
    timing.check(NOW)
    assert list(timing.due(NOW)) == [DUE, DUE + timedelta(hours=1), DUE + timedelta(hours=2)]


def test_a_preview_tells_what_the_clocks_leave_out_between() -> None:
    found = preview_of(
        Timing(cron=("30 2 * * *",), time_zone="Europe/Berlin"), datetime(2027, 3, 26, 12, tzinfo=UTC), 3
    )
    assert [each.day for each in found.runs] == [27, 29, 30]
    assert [each.day for each in found.left_out] == [28]


def test_a_workflow_id_tells_schedule_and_due_time() -> None:
    one = UUID("01900000-0000-7000-8000-000000000001")
    assert occasion_of(f"{workflow_of(one)}-2027-01-02T03:00:00Z") == (one, DUE)
    assert run_id_of(one, DUE) == run_id_of(one, DUE.astimezone(None))
    others = [
        "campaign/x",
        workflow_of(one),
        f"{workflow_of(one)}-2027-13-02T03:00:00Z",
        f"x{workflow_of(one)}-2027-01-02T03:00:00Z",
    ]
    others += [f"campaign/schedule/{'-' * 36}-2027-01-02T03:00:00Z"]
    assert [occasion_of(each) for each in others] == [None] * len(others)


MINUTE = timedelta(minutes=1)
RUNNING = Known(busy=(Busy(DUE - timedelta(hours=1), DUE - timedelta(hours=1), None, uuid4()),))
ENDED = Known(busy=(Busy(DUE - timedelta(hours=1), DUE - timedelta(hours=1), DUE - MINUTE, uuid4()),))
UNTAKEN = Known(busy=(Busy(DUE - timedelta(hours=1), DUE - timedelta(hours=1), None),))
STARTED = Known(started=frozenset({DUE}))
PAUSED = {"state": ScheduleState.PAUSED, "note": "holidays"}
JUDGED = [
    ("paused before", PAUSED | {"paused_at": DUE}, Known(), 0, RunOutcome.PAUSED, "paused: holidays"),
    ("paused after", PAUSED | {"paused_at": DUE + MINUTE}, Known(), 30, RunOutcome.MISSED, "300 s late"),
    ("a moment ago", {}, Known(), 0.1, None, ""),
    ("within the catch-up window", {}, Known(), 4, None, ""),
    ("after it", {}, Known(), 6, RunOutcome.MISSED, "was away or not told in time"),
    ("jitter not over", {"jitter_s": 600}, Known(), 9, None, ""),
    ("no worker", {}, STARTED, 1, RunOutcome.WAITING, "no worker has begun it"),
    ("the run before", {}, RUNNING, 1, RunOutcome.SKIPPED, "run of 2027-01-02 02:00 UTC still went on"),
    ("it ended in time", {}, ENDED, 1, None, ""),
    ("the run before waits", {}, UNTAKEN, 1, RunOutcome.SKIPPED, "waited for a worker"),
    ("buffered", {"overlap": Overlap.BUFFER_ALL}, RUNNING, 1, RunOutcome.WAITING, "begins after that"),
    ("buffered as the first", {"overlap": Overlap.BUFFER_ONE}, RUNNING, 1, RunOutcome.WAITING, "begins after that"),
    ("no room", {"overlap": Overlap.BUFFER_ONE}, replace(RUNNING, waiting=1), 1, RunOutcome.SKIPPED, "went on"),
    ("beside", {"overlap": Overlap.ALLOW_ALL}, RUNNING, 6, RunOutcome.MISSED, "away"),
    ("instead", {"overlap": Overlap.CANCEL_OTHER}, RUNNING, 1, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "known", "minutes", "outcome", "said"), [each[1:] for each in JUDGED], ids=[each[0] for each in JUDGED]
)
def test_it_is_said_why_nothing_happened(changes, known, minutes, outcome, said) -> None:
    verdict = judge(schedule(**changes), DUE, known, DUE + minutes * MINUTE)
    assert (verdict[0] if verdict else None) == outcome
    assert said in (verdict[1] if verdict else "")
