"""Cron expressions and calendars: which instants they mean in a time zone.

Each is fields of numbers. An instant is meant where its local date and time lie in every field, as Temporal reads
calendars. What the clocks leave out in spring never comes; what they repeat in autumn comes twice or once, see `_next`.

    30 3 * * mon-fri                            minute, hour, day of the month, month, day of the week
    hour=3 minute=30 day_of_week=mon-fri        a calendar; minute and hour are 0 where they are not named
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from purple.domain.errors import InvalidInputError

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Temporal looks no further."""
_BOUNDS = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day_of_month": (1, 31),
    "month": (1, 12),
    "day_of_week": (0, 7),
    "year": (FIRST_YEAR, LAST_YEAR),
}
_CRON = ("minute", "hour", "day_of_month", "month", "day_of_week")
_DEFAULTS = {"minute": "0", "hour": "0"}
_NAMES = {
    "month": {
        "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
        "dec": 12,
    },
    "day_of_week": {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6},
}  # fmt: skip
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_PART = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/(\d{1,4}))?\Z")
_MAX_TEXT = 300
_NONE, _HOUR, _DAY = timedelta(), timedelta(hours=1), timedelta(days=1)
_HOURS = 24
_END = datetime(LAST_YEAR, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The numbers of each field; an instant must lie in all of them. Sunday is 0."""

    minute: tuple[int, ...]
    hour: tuple[int, ...]
    day_of_month: tuple[int, ...]
    month: tuple[int, ...]
    day_of_week: tuple[int, ...]
    year: tuple[int, ...] = ()
    """Empty for every year."""

    def has(self, day: date) -> bool:
        """Whether anything is meant on a day."""
        return (
            day.month in self.month
            and day.day in self.day_of_month
            and day.isoweekday() % 7 in self.day_of_week
            and (not self.year or day.year in self.year)
        )


def parse_cron(text: str, field: str = "timing.cron") -> Calendar:
    """Read a cron expression of five fields, or one of @hourly, @daily, @weekly, @monthly, @yearly.

    Raises:
        InvalidInputError: names what is wrong with it.
    """
    parts = _MACROS.get(text.strip().lower(), text).split()
    if len(parts) != len(_CRON) or len(text) > _MAX_TEXT:
        raise InvalidInputError(
            f"{text[:_MAX_TEXT]!r} is no cron expression of five fields",
            field=field,
            value=text,
            remedy="write minute, hour, day of the month, month and day of the week, such as 30 3 * * mon-fri",
        )
    fields = dict(zip(_CRON, parts, strict=True))
    if not fields["day_of_month"].startswith("*") and not fields["day_of_week"].startswith("*"):
        raise InvalidInputError(
            f"{text!r} names both a day of the month and a day of the week, which programs read differently",
            field=field,
            value=text,
            remedy="write a calendar, where both must match, or two expressions",
        )
    return _calendar(fields, text, field)


def parse_calendar(text: str, field: str = "timing.calendar") -> Calendar:
    """Read a calendar, written as `hour=3 minute=30 day_of_week=mon-fri`.

    Raises:
        InvalidInputError: names what is wrong with it.
    """
    fields: dict[str, str] = {}
    for part in text[: _MAX_TEXT + 1].split():
        name, _, value = part.partition("=")
        if name not in _BOUNDS or not value or name in fields or len(text) > _MAX_TEXT:
            raise InvalidInputError(
                f"{part!r} is no field of a calendar, or there twice",
                field=field,
                value=text,
                remedy=f"write each of {', '.join(_BOUNDS)} at most once, such as hour=3 day_of_week=mon-fri",
            )
        fields[name] = value
    if not fields:
        raise InvalidInputError("a calendar is empty", field=field, value=text, remedy="write it as hour=3 minute=30")
    return _calendar(fields, text, field)


def _calendar(fields: dict[str, str], text: str, field: str) -> Calendar:
    read = {
        name: _numbers(name, fields.get(name, _DEFAULTS.get(name, "*")), text, field)
        for name in _BOUNDS
        if name != "year" or name in fields
    }
    return Calendar(**read)


def _numbers(name: str, written: str, text: str, field: str) -> tuple[int, ...]:
    """The numbers of one field: `*`, `3`, `1-5`, `*/15`, `mon-fri`, with commas between."""
    low, high = _BOUNDS[name]
    found: set[int] = set()
    for part in written.lower().split(","):
        match = _PART.match(part)
        start = end = None
        if match is not None and match[1] == "*" and match[2] is None:
            start, end = low, 6 if name == "day_of_week" else high
        elif match is not None:
            start = _number(name, match[1])
            end = _number(name, match[2]) if match[2] else (high if match[3] else start)
        step = int(match[3]) if match and match[3] else 1
        if start is None or end is None or not low <= start <= end <= high or not step:
            raise InvalidInputError(
                f"{part!r} is no {name.replace('_', ' ')} of {text!r}",
                field=field,
                value=text,
                remedy=f"write {low} to {high}" + (" or its name" if name in _NAMES else "") + ", a range, or */step",
            )
        found.update(range(start, end + 1, step))
    if name == "day_of_week":
        found = {each % 7 for each in found}
    return tuple(sorted(found))


def _number(name: str, text: str) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text[:5])
    return _NAMES.get(name, {}).get(text[:3]) if text.isalpha() else None


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(name: str, field: str = "timing.time_zone") -> ZoneInfo:
    """The time zone of an IANA name.

    Raises:
        InvalidInputError: there is none; the remedy names those that look like it.
    """
    if name not in _zones():
        last = name.rpartition("/")[2].replace(" ", "_").lower()
        near = sorted(each for each in _zones() if last and each.lower().endswith(last))[:3]
        raise InvalidInputError(
            f"{name!r} is no time zone",
            field=field,
            value=name,
            remedy=f"use {' or '.join(near)}" if near else "use an IANA name such as Europe/Berlin or UTC",
        )
    return ZoneInfo(name)


def instants(
    calendars: tuple[Calendar, ...], zone: ZoneInfo, after: datetime, until: datetime | None = None
) -> Iterator[datetime]:
    """The instants that any of the calendars means, after one and up to another, in UTC and in order; lazily."""
    last = min(until, _END) if until else _END
    while True:
        found = [at for each in calendars if (at := _next(each, zone, after, last)) is not None]
        if not found:
            return
        after = min(found)
        yield after


def _next(calendar: Calendar, zone: ZoneInfo, after: datetime, last: datetime) -> datetime | None:
    """The first instant of a calendar after one.

    Where clocks repeat an hour this is what Temporal's server does, which is not what one would think: it looks for
    the next time on the wall, whose instant is the first of the two west of Greenwich and the second east of it, and
    looks through an hour a second time where the next one begins two hours later.
    """
    local = after.astimezone(zone)
    day, hour, minute = local.date(), local.hour, local.minute + 1
    shift = _HOUR if (after - _HOUR).astimezone(zone).hour == hour else _NONE
    end = last.astimezone(zone).date()
    while day <= end:
        while hour < _HOURS and calendar.has(day):
            if hour not in calendar.hour:
                hour, minute, shift = hour + 1, 0, _NONE
                continue
            wall = datetime.combine(day, time(hour))
            chosen = next((each for each in calendar.minute if each >= minute), None)
            if chosen is not None:
                at = _instant(wall.replace(minute=chosen), zone)
                if at.astimezone(zone).hour == hour:
                    at += shift
                    return at if at <= last else None
                hour, minute = hour + 1, 0  # the clocks leave this hour out
            elif not shift and _instant(wall + _HOUR, zone) - _instant(wall, zone) > _HOUR:
                minute, shift = 0, _HOUR
            else:
                hour, minute, shift = hour + 1, 0, _NONE
        day, hour, minute = day + _DAY, 0, 0
        shift = shift if calendar.has(day) else _NONE
    return None


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a time on the wall; of two, the one whose offset holds when UTC itself shows that time."""
    as_utc = wall.replace(tzinfo=UTC)
    at = as_utc - _offset(as_utc, zone)
    return as_utc - _offset(at, zone) if at != as_utc else at


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or _NONE


def left_out(calendars: tuple[Calendar, ...], zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """Times on the wall that the calendars mean on these days, and that the clocks leave out."""
    day = after.astimezone(zone).date()
    while day <= until.astimezone(zone).date():
        midnight = datetime.combine(day, time()).replace(tzinfo=zone)
        if midnight.utcoffset() != (midnight + _DAY).utcoffset():
            meant = {
                (hour, minute) for each in calendars if each.has(day) for hour in each.hour for minute in each.minute
            }
            walls = (datetime.combine(day, time(*each)) for each in sorted(meant))
            yield from (wall for wall in walls if not any(_shows(at, wall, zone) for at in _copies(wall, zone)))
        day += _DAY


def copy_of(at: datetime, zone: ZoneInfo) -> int:
    """Of an instant whose time the clocks show twice, whether it is the first or the second; 0 for all others."""
    wall = at.astimezone(zone).replace(tzinfo=None)
    both = sorted(each for each in _copies(wall, zone) if _shows(each, wall, zone))
    return both.index(at) + 1 if len(both) > 1 else 0


def _copies(wall: datetime, zone: ZoneInfo) -> set[datetime]:
    return {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}


def _shows(at: datetime, wall: datetime, zone: ZoneInfo) -> bool:
    return at.astimezone(zone).replace(tzinfo=None) == wall
