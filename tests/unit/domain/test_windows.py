"""Test windows by the clock on the wall: when they are open, when they open next, across changes of the clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purple.domain.errors import InvalidInputError
from purple.domain.windows import Window, is_open, next_opening, opening, parse_window

ZONES = ("Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu", "UTC")
"""Among them one whose clock changes by half an hour, and one that changes it at midnight."""
CHANGES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 5, tzinfo=UTC),
)
"""When clocks of these zones are set."""
clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))
windows = st.builds(
    Window,
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    clocks,
    clocks,
    st.sampled_from(ZONES),
)
moments = st.one_of(
    st.integers(0, 730 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
    st.builds(
        lambda change, seconds: change + timedelta(seconds=seconds),
        st.sampled_from(CHANGES),
        st.integers(-8 * 3600, 8 * 3600),
    ),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def on_the_wall(window: Window, moment: datetime) -> bool:
    """What the clock on the wall says of a window, by the plainest reading there is."""
    local = moment.astimezone(ZoneInfo(window.zone))
    now, today, yesterday = local.time(), local.weekday(), (local.weekday() - 1) % 7
    if window.opens < window.closes:
        return today in window.days and window.opens <= now < window.closes
    return (today in window.days and now >= window.opens) or (yesterday in window.days and now < window.closes)


def clock_is_steady(window: Window, moment: datetime) -> bool:
    zone = ZoneInfo(window.zone)
    around = (moment + timedelta(hours=hours) for hours in range(-26, 27))
    return len({each.astimezone(zone).utcoffset() for each in around}) == 1


@given(windows, moments)
def test_while_a_window_is_open_the_clock_on_the_wall_shows_a_time_in_it(window: Window, moment: datetime) -> None:
    if is_open([window], moment):
        assert on_the_wall(window, moment)
    elif clock_is_steady(window, moment):
        assert not on_the_wall(window, moment)


@given(st.lists(windows, min_size=1, max_size=4), moments)
def test_openings_begin_and_end_where_they_say(several: list[Window], moment: datetime) -> None:
    now = opening(several, moment)
    assert (now is not None) is is_open(several, moment)
    assert is_open(several, moment) is any(is_open([each], moment) for each in several)
    if now and now.endless:
        return
    assert next_opening(several, moment).opens > moment
    for one in filter(None, (now, next_opening(several, moment))):
        assert one.opens < one.closes
        assert is_open(several, one.opens)
        if not one.endless:
            assert is_open(several, one.closes - timedelta(seconds=1))
            assert not is_open(several, one.closes)
            assert not is_open(several, one.opens - timedelta(seconds=1)) or one.opens < moment - timedelta(days=7)


@given(windows)
def test_a_window_reads_as_it_is_written(window: Window) -> None:
    assert parse_window(str(window)) == window


@pytest.mark.parametrize(
    ("window", "moment", "opens", "closes"),
    [
        # over night, and from the weekend to Monday
        ("Mon-Fri 22:00-06:00 Europe/Lisbon", "2026-01-05T12:00", "2026-01-05T22:00", "2026-01-06T06:00"),
        ("Mon-Fri 22:00-06:00 Europe/Lisbon", "2026-01-10T07:00", "2026-01-12T22:00", "2026-01-13T06:00"),
        # spring: from 01:00 UTC on Lisbon is an hour ahead, so that night is an hour shorter
        ("Sat 22:00-06:00 Europe/Lisbon", "2026-03-28T12:00", "2026-03-28T22:00", "2026-03-29T05:00"),
        # 01:30 is left out: it opens when the clock is set, and closes then
        ("Sun 01:30-04:00 Europe/Lisbon", "2026-03-28T12:00", "2026-03-29T01:00", "2026-03-29T03:00"),
        ("Sun 00:30-01:30 Europe/Lisbon", "2026-03-28T12:00", "2026-03-29T00:30", "2026-03-29T01:00"),
        # all of it is left out: the next week
        ("Sun 01:15-01:45 Europe/Lisbon", "2026-03-28T12:00", "2026-04-05T00:15", "2026-04-05T00:45"),
        # autumn: 01:00 to 02:00 comes twice, at 00:00 UTC and at 01:00 UTC
        ("Sat 22:00-06:00 Europe/Lisbon", "2026-10-24T12:00", "2026-10-24T21:00", "2026-10-25T06:00"),
        ("Sun 01:30-04:00 Europe/Lisbon", "2026-10-24T12:00", "2026-10-25T01:30", "2026-10-25T04:00"),
        ("Sun 00:30-01:30 Europe/Lisbon", "2026-10-24T12:00", "2026-10-24T23:30", "2026-10-25T00:30"),
        ("Sun 01:15-01:45 Europe/Lisbon", "2026-10-24T12:00", "2026-10-25T00:15", "2026-10-25T00:45"),
        # windows that touch are one
        ("Mon 20:00-24:00 UTC; Tue 00:00-04:00 UTC", "2026-01-05T12:00", "2026-01-05T20:00", "2026-01-06T04:00"),
    ],
)
def test_when_a_window_opens_next(window: str, moment: str, opens: str, closes: str) -> None:
    found = next_opening([parse_window(each) for each in window.split(";")], at(moment))
    assert (found.opens, found.closes) == (at(opens), at(closes))


def test_what_fills_the_week_never_closes() -> None:
    always = [parse_window("daily 00:00-24:00 Asia/Kathmandu")]
    found = opening(always, at("2026-05-05T05:05"))
    assert found is not None
    assert found.left(at("2026-05-05T05:05")) is None
    assert found.has_room(at("2026-05-05T05:05"), timedelta(days=400))


@pytest.mark.parametrize(
    ("moment", "needed", "fits"),
    [("22:00", 8, True), ("22:01", 8, True), ("05:00", 1, True), ("05:01", 1, False), ("23:00", 12, False)],
)
def test_what_cannot_end_in_time_has_no_room(moment: str, needed: int, fits: bool) -> None:
    day = "2026-01-06" if moment < "12" else "2026-01-05"
    now = at(f"{day}T{moment}")
    found = opening([parse_window("Mon 22:00-06:00 UTC")], now)
    assert found is not None
    assert found.has_room(now, timedelta(hours=needed)) is fits


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("mon-fri 22:00-6:00 Europe/Lisbon", "Mon-Fri 22:00-06:00 Europe/Lisbon"),
        ("Sat,Sun 00:00-24:00 UTC", "Sat-Sun 00:00-24:00 UTC"),
        ("fri-mon 8:00 - 9:00:30 Asia/Kathmandu", "Mon,Fri-Sun 08:00-09:00:30 Asia/Kathmandu"),
        ("daily 12:00-12:00 UTC", "Mon-Sun 12:00-12:00 UTC"),
    ],
)
def test_windows_are_read_leniently_and_written_in_one_form(text: str, normal: str) -> None:
    assert str(parse_window(text)) == normal


@pytest.mark.parametrize(
    "text",
    [
        "", "always", "Mon 22:00-06:00", "Mon 22:00-06:00 Europe/Nowhere", "Mon 22:00-06:00 ../../etc/passwd",
        "Mon 22:00-06:00 right/Europe/Lisbon", "Mon 22:00-06:00 localtime", "Mon 22:00-06:00 Europe",
        "Moon 1:00-2:00 UTC", "Mon 25:00-26:00 UTC", "Mon 24:00-06:00 UTC", "Mon-Fri-Sun 1:00-2:00 UTC",
        "Mon, 1:00-2:00 UTC",
    ],
)  # fmt: skip
def test_what_is_no_window_is_refused_with_its_remedy(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_window(text)
    assert refused.value.field == "windows"
    assert "Mon-Fri 22:00-06:00 Europe/Lisbon" in refused.value.remedy


def test_every_week_of_two_years_opens_once_a_day_that_is_named() -> None:
    window = Window((0, 3), time(23, 30), time(0, 30), "America/Havana")
    moment, found = at("2026-01-01T00:00"), []
    while moment < at("2028-01-01T00:00"):
        one = next_opening([window], moment)
        found.append(one.opens)
        moment = one.opens
    local = [each.astimezone(ZoneInfo(window.zone)) for each in found]
    assert {each.weekday() for each in local} == {0, 3}
    assert {each.time() for each in local} == {time(23, 30)}
    assert len({each.date() for each in local}) == len(local) == 210
