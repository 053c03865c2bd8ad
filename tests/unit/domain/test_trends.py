"""Periods, and what is made of sums."""

from datetime import date, timedelta

import pytest

from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity
from purple.domain.trends import (
    MAX_DAYS,
    Book,
    Moved,
    Period,
    Standing,
    month_number,
    months_later,
    period,
    read_day,
    trend_of,
)

TODAY = date(2026, 3, 1)
KEPT = date(2024, 2, 1)


def test_a_period_is_the_last_ninety_days_unless_another_is_asked_for() -> None:
    assert len(period(None, None, TODAY, KEPT).days) == 90
    assert period(None, date(2026, 1, 31), TODAY, KEPT).until == date(2026, 1, 31)
    asked = period(date(2026, 2, 28), None, TODAY, KEPT)
    assert asked.days == [date(2026, 2, 28), TODAY]
    assert period(TODAY, TODAY, TODAY, KEPT).days == [TODAY]


def test_nothing_is_told_of_before_the_first_day_that_is_kept() -> None:
    assert period(date(2024, 1, 1), None, TODAY, KEPT).since == KEPT


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        (None, TODAY + timedelta(1), "until"),
        (None, KEPT - timedelta(1), "until"),
        (None, date(1, 1, 1), "until"),
        (TODAY, TODAY - timedelta(1), "since"),
        (TODAY - timedelta(MAX_DAYS), TODAY, "since"),
        (date(1, 1, 1), None, "since"),
        (date(9999, 12, 31), None, "since"),
    ],
)
def test_what_is_no_period_is_refused(since, until, field) -> None:
    with pytest.raises(InvalidInputError) as refused:
        period(since, until, TODAY, KEPT)
    assert refused.value.field == field
    assert refused.value.remedy


def test_a_day_is_read() -> None:
    assert read_day("", "since") is None
    assert read_day("2026-02-28", "since") == date(2026, 2, 28)
    with pytest.raises(InvalidInputError, match="no day"):
        read_day("2026-02-30", "since")


def test_months_are_counted_over_years() -> None:
    assert months_later(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert months_later(date(2025, 12, 1), 14) == date(2027, 2, 1)
    assert month_number(date(2026, 1, 31)) - month_number(date(2025, 11, 1)) == 2


def moved(day: int, severity: Severity, by: int, **told: int) -> Moved:
    nothing = dict.fromkeys(
        ("found", "reopened", "returned", "fixed", "dismissed", "days_to_fix", "fixed_with_date", "fixed_in_time"), 0
    )
    return Moved(date(2026, 2, day), severity, by, **nothing | told)


def test_a_trend_is_made_of_sums() -> None:
    wanted = Period(date(2026, 2, 1), date(2026, 2, 4))
    high, low = Severity.HIGH, Severity.LOW
    book = Book(
        before={high: 2},
        moved=[
            moved(2, high, -1, fixed=2, reopened=1, days_to_fix=10, fixed_with_date=2, fixed_in_time=1),
            moved(2, low, 3, found=3),
            moved(4, low, -1, dismissed=1),
        ],
        past_due={date(2026, 2, 1): 1, date(2026, 2, 2): -1, date(2026, 2, 4): 2},
        standing=[
            Standing(high, date(2025, 2, 4), past_due=True, number=1),
            Standing(low, date(2026, 2, 2), past_due=True, number=1),
            Standing(low, date(2026, 1, 28), past_due=False, number=1),
        ],
    )
    trend = trend_of(wanted, "tags:x", book)
    assert [(each.open[high], each.open[low], each.past_due) for each in trend.days] == [
        (2, 0, 1),
        (1, 3, 0),
        (1, 3, 0),
        (1, 2, 2),
    ]
    assert [(each.found, each.reopened, each.fixed, each.dismissed) for each in trend.days][1] == (3, 1, 2, 0)
    whole, of_high, of_low = trend.total, trend.severities[1], trend.severities[3]
    assert (whole.severity, of_high.severity, of_low.severity) == (None, high, low)
    assert (whole.open, whole.past_due, whole.mean_age) == (3, 2, (365 + 2 + 7) / 3)
    assert (of_high.days_to_fix, of_high.in_time, of_high.reopen_rate) == (5.0, 0.5, 0.5)
    assert (of_low.days_to_fix, of_low.in_time, of_low.reopen_rate) == (None, None, None)
    assert [sum(each.open.values()) for each in trend.ages] == [1, 1, 0, 0, 1]
