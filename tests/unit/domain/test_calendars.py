"""Cron expressions and calendars mean what clocks on the wall show, also where the clocks change."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.calendars import copy_of, instants, left_out, parse_calendar, parse_cron, zone_of
from purple.domain.errors import InvalidInputError

ALL_DAYS = tuple(range(1, 32))
READ = [
    ("30 3 * * mon-fri", {"minute": (30,), "hour": (3,), "day_of_week": (1, 2, 3, 4, 5), "day_of_month": ALL_DAYS}),
    ("*/20 0-2,22 1 */6 *", {"minute": (0, 20, 40), "hour": (0, 1, 2, 22), "day_of_month": (1,), "month": (1, 7)}),
    ("5/25 * * JAN,Dec 7", {"minute": (5, 30, 55), "month": (1, 12), "day_of_week": (0,)}),
    ("0 0 * * 5-7", {"day_of_week": (0, 5, 6)}),
    ("@daily", {"minute": (0,), "hour": (0,), "month": tuple(range(1, 13)), "day_of_week": tuple(range(7))}),
]


@pytest.mark.parametrize(("text", "fields"), READ)
def test_a_cron_expression_is_read(text, fields) -> None:
    found = parse_cron(text)
    assert {name: getattr(found, name) for name in fields} == fields


def test_a_calendar_needs_all_its_fields_to_match() -> None:
    found = parse_calendar("hour=3 day_of_month=1-7 day_of_week=sun year=2027")
    assert (found.minute, found.hour, found.day_of_week, found.year) == ((0,), (3,), (0,), (2027,))
    due = instants((found,), zone_of("UTC"), datetime(2026, 1, 1, tzinfo=UTC))
    assert [f"{each:%d.%m.%Y %H:%M}" for each in itertools.islice(due, 2)] == [
        "03.01.2027 03:00",
        "07.02.2027 03:00",
    ]


REFUSED = [
    "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
    "5-1 * * * *", "*/0 * * * *", "a * * * *", "* * * foo *", "1,,2 * * * *", "*-5 * * * *", "@every 5m", "-1 * * * *",
    "1/2/3 * * * *", "0 0 1 * mon", "٣ * * * *", "0 " * 400, "mon * * * *", "99999999999 * * * *",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_cron_expression_is_refused_by_name(text) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_cron(text)
    assert refused.value.field == "timing.cron"
    assert refused.value.value == text[:200]
    assert refused.value.remedy


@pytest.mark.parametrize("text", ["", "hour", "hour=", "second=1", "hour=1 hour=2", "hour=25", "year=1999", "x=1"])
def test_what_is_no_calendar_is_refused_by_name(text) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_calendar(text)
    assert (refused.value.field, refused.value.value) == ("timing.calendar", text)


@pytest.mark.parametrize(
    "name", ["", "Berlin", "europe/berlin", "../../etc/passwd", "/etc/passwd", "Mars/Olympus", "Europe"]
)
def test_what_is_no_time_zone_is_refused(name) -> None:
    with pytest.raises(InvalidInputError) as refused:
        zone_of(name)
    assert refused.value.field == "timing.time_zone"
    assert "Europe/Berlin" in refused.value.remedy


def due(text: str, zone: str, after: datetime, count: int) -> list[str]:
    found = itertools.islice(instants((parse_cron(text),), zone_of(zone), after), count)
    return [f"{each:%d %H:%M}" for each in found]


def test_what_the_clocks_leave_out_never_comes_and_is_told() -> None:
    start = datetime(2027, 3, 27, 12, tzinfo=UTC)
    assert due("30 2 * * *", "Europe/Berlin", start, 2) == ["29 00:30", "30 00:30"]
    told = left_out((parse_cron("30 2 * * *"),), zone_of("Europe/Berlin"), start, start + timedelta(days=3))
    assert [each.isoformat() for each in told] == ["2027-03-28T02:30:00"]


def test_what_the_clocks_repeat_comes_twice_in_the_west_and_once_in_the_east() -> None:
    """As Temporal's server does it: `test_schedules` asks a real one."""
    assert due("30 1 * * *", "America/New_York", datetime(2027, 11, 6, 12, tzinfo=UTC), 3) == [
        "07 05:30",
        "07 06:30",
        "08 06:30",
    ]
    assert due("30 2 * * *", "Europe/Berlin", datetime(2027, 10, 30, 12, tzinfo=UTC), 2) == ["31 01:30", "01 01:30"]
    berlin = zone_of("Europe/Berlin")
    copies = [copy_of(datetime(2027, 10, 31, hour, 30, tzinfo=UTC), berlin) for hour in (0, 1, 2)]
    assert copies == [1, 2, 0]


def test_an_end_is_kept_to_without_looking_through_a_century() -> None:
    start = datetime(2027, 1, 1, tzinfo=UTC)
    assert list(instants((parse_cron("0 0 31 2 *"),), zone_of("UTC"), start)) == []
    found = instants((parse_cron("@daily"),), zone_of("UTC"), start, datetime(2027, 1, 3, tzinfo=UTC))
    assert [each.day for each in found] == [2, 3]


@settings(max_examples=40, deadline=None)
@given(
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=4),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=6),
    days=st.sets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/St_Johns"]),
    start=st.sampled_from([(2027, 3, 27), (2027, 3, 13), (2027, 7, 4), (2028, 2, 28)]),
    offset=st.integers(0, 86_399),
)
def test_but_for_repeated_hours_it_is_every_minute_that_matches(minutes, hours, days, zone, start, offset) -> None:
    after = datetime(*start, tzinfo=UTC) + timedelta(seconds=offset)
    until = after + timedelta(days=2)
    text = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * {','.join(map(str, days))}"
    found = list(instants((parse_cron(text),), zone_of(zone), after, until))
    first = after.replace(second=0)
    expected = []
    for number in range(1 + 2 * 24 * 60):
        at = first + timedelta(minutes=number)
        local = at.astimezone(zone_of(zone))
        if after < at <= until and local.minute in minutes and local.hour in hours and local.isoweekday() % 7 in days:
            expected.append(at)
    assert found == expected
