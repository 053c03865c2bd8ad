"""Test windows: the hours of a week in which a contract allows tests, by the clock on the wall of their time zone.

A window is written `Mon-Fri 22:00-06:00 Europe/Lisbon`: it opens on the days it names, and closes at the next time of
day that it names, on the next day where that is not later. `24:00` is the end of a day.

Clocks that change: a time of day that is left out in spring counts as the moment of the change. Of one that comes twice
in autumn, a window opens the second time and closes the first time; one that does both within that hour has its first
time only. So while a window is open, the clock on the wall never shows a time outside of it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from purple.domain.errors import InvalidInputError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EVERY = "daily"
_TEXT = re.compile(r"(\S+)\s+(\d{1,2}:\d{2}(?::\d{2})?)\s*-\s*(\d{1,2}:\d{2}(?::\d{2})?)\s+(\S+)\Z")
_ZONE = re.compile(r"(?!right/|posix/|localtime\Z|posixrules\Z|Factory\Z)[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*\Z")
_END_OF_DAY = re.compile(r"24:00(:00)?\Z")
_DAY = timedelta(days=1)
_BEFORE, _BEHIND = 8, 16
"""Days around a moment whose openings are looked at: a window opens once a week, unless its zone leaves the day out."""
_FAR = timedelta(days=13)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days of the week."""

    days: tuple[int, ...]
    """On which it opens, from 0 for Monday; sorted."""
    opens: time
    closes: time
    """On the next day where it is not after `opens`."""
    zone: str
    """By the IANA time zone database."""

    def __str__(self) -> str:
        """As users write it."""
        closes = "24:00" if self.closes == time() else _clock(self.closes)
        return f"{_days(self.days)} {_clock(self.opens)}-{closes} {self.zone}"


@dataclass(frozen=True, slots=True)
class Opening:
    """From when to when, in UTC; windows that touch are one opening."""

    opens: datetime
    closes: datetime
    endless: bool = False
    """Whether it does not close within a fortnight, as windows do that fill a week."""

    def left(self, at: datetime) -> timedelta | None:
        """How long until it closes; None where that is far away."""
        return None if self.endless else self.closes - at

    def has_room(self, at: datetime, needed: timedelta) -> bool:
        """Whether what needs so long ends in time; for what is too long, nine tenths of an opening must be left."""
        left = self.left(at)
        return left is None or left >= min(needed, (self.closes - self.opens) * 0.9)


def parse_window(text: str, field: str = "windows") -> Window:
    """Read a window as users write it.

    Raises:
        InvalidInputError: it is none, or there is no such time zone.
    """
    match = _TEXT.match(" ".join(text.split()))
    if match is None:
        raise _unreadable(text, field, "there are no days, hours and time zone in it")
    if not _ZONE.match(match[4]):
        raise _unreadable(text, field, f"there is no time zone {match[4]!r}")
    try:
        zone_of(match[4])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _unreadable(text, field, f"there is no time zone {match[4]!r}") from None
    opens, closes = (each if each.index(":") > 1 else f"0{each}" for each in (match[2], match[3]))
    try:
        hours = time.fromisoformat(opens), time() if _END_OF_DAY.match(closes) else time.fromisoformat(closes)
    except ValueError:
        raise _unreadable(text, field, "its hours are none") from None
    return Window(_read_days(match[1], text, field), *hours, match[4])


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """A time zone; read once."""
    return ZoneInfo(name)


def opening(windows: Sequence[Window], at: datetime) -> Opening | None:
    """The opening that holds a moment; None where all windows are closed then."""
    return next((each for each in _openings(windows, at) if each.opens <= at < each.closes), None)


def is_open(windows: Sequence[Window], at: datetime) -> bool:
    """Whether tests may run at a moment; without windows they always may."""
    return not windows or opening(windows, at) is not None


def next_opening(windows: Sequence[Window], at: datetime) -> Opening:
    """The first opening that begins after a moment.

    Raises:
        InvalidInputError: none does, since what is open never closes.
    """
    found = next((each for each in _openings(windows, at) if each.opens > at), None)
    if found is None:
        raise InvalidInputError("these windows do not open", field="windows", value=", ".join(map(str, windows)))
    return found


def _openings(windows: Sequence[Window], at: datetime) -> list[Opening]:
    """Those around a moment, in order, apart from each other."""
    found: list[Opening] = []
    for each in sorted(_single(windows, at), key=lambda one: one.opens):
        if found and each.opens <= found[-1].closes:
            found[-1] = Opening(found[-1].opens, max(found[-1].closes, each.closes))
        else:
            found.append(each)
    return [replace(each, endless=True) if each.closes - at > _FAR else each for each in found]


def _single(windows: Sequence[Window], at: datetime) -> Iterator[Opening]:
    for window in windows:
        zone = zone_of(window.zone)
        today = at.astimezone(zone).date()
        for ahead in range(-_BEFORE, _BEHIND):
            day = today + ahead * _DAY
            if day.weekday() in window.days:
                one = _on(window, day, zone)
                if one.opens < one.closes:
                    yield one


def _on(window: Window, day: date, zone: ZoneInfo) -> Opening:
    """The opening of a day; it closes no later than it opens where its hours are left out."""
    ends = day if window.closes > window.opens else day + _DAY
    first, second = _moments(day, window.opens, zone)
    closes, _ = _moments(ends, window.closes, zone)
    return Opening(second if second < closes else first, closes)


def _moments(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first and the second moment at which a clock on the wall shows a time; mostly they are one."""
    local = datetime.combine(day, at, zone)
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if first > second:  # the time is left out, and the change lies between the two
        change = _change(second, first, zone)
        return change, change
    return first, second


def _change(before: datetime, behind: datetime, zone: ZoneInfo) -> datetime:
    """The second at which a zone's clock is set, between two moments."""
    offset = behind.astimezone(zone).utcoffset()
    low, high = 0, round((behind - before).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle + 1
    return before + timedelta(seconds=high)


def _read_days(text: str, whole: str, field: str) -> tuple[int, ...]:
    if text.casefold() == _EVERY:
        return tuple(range(len(DAYS)))
    numbers = {name.casefold(): number for number, name in enumerate(DAYS)}
    found: set[int] = set()
    for part in text.casefold().split(","):
        first, dash, last = part.partition("-")
        if first not in numbers or (dash and last not in numbers):
            raise _unreadable(whole, field, f"{part!r} is no day of the week")
        start, end = numbers[first], numbers[last] if dash else numbers[first]
        found.update((start + n) % len(DAYS) for n in range((end - start) % len(DAYS) + 1))
    return tuple(sorted(found))


def _days(days: Sequence[int]) -> str:
    """Days as users write them, those in a row as a range."""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}" for run in runs)


def _clock(at: time) -> str:
    return at.isoformat("seconds" if at.second else "minutes")


def _unreadable(text: str, field: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"{text!r} is no test window: {why}",
        field=field,
        value=text,
        remedy="write it as Mon-Fri 22:00-06:00 Europe/Lisbon",
    )
