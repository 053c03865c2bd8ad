"""How many vulnerabilities there were, came and went, by day; see `docs/adr/0027-a-book-of-trends.md`.

What is kept is a book: each line says by how many the vulnerabilities of one target, severity, age and due date became
more or fewer on a day. Everything that is shown is a sum of lines. Days are those of UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Protocol
from uuid import UUID

from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity

MAX_DAYS = 800
"""Of one period."""
DAYS = 90
"""Of a period that nobody chose."""
AGES = ((7, "0-6 days"), (30, "7-29 days"), (90, "30-89 days"), (180, "90-179 days"))
OLDEST = "180 days or more"
WORST_FIRST = tuple(reversed(Severity))


def day_of(at: datetime) -> date:
    """The day of a moment."""
    return at.astimezone(UTC).date()


def read_day(text: str, field: str) -> date | None:
    """A day as people write it; None where nothing is written.

    Raises:
        InvalidInputError: it is none.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInputError(f"{text!r} is no day", field=field, value=text, remedy="write 2026-01-31") from None


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def months_later(month: date, months: int) -> date:
    """The first day of a month so many later, or earlier."""
    number = month_number(month) + months
    return date(number // 12, number % 12 + 1, 1)


def month_number(day: date) -> int:
    """Months are counted, so that they can be compared."""
    return day.year * 12 + day.month - 1


@dataclass(frozen=True, slots=True)
class Period:
    """From a day to a day, both of them in it."""

    since: date
    until: date

    @property
    def days(self) -> list[date]:
        """Each of them."""
        return [self.since + timedelta(n) for n in range((self.until - self.since).days + 1)]


def period(since: date | None, until: date | None, today: date, first: date) -> Period:
    """What was asked for, by default the last 90 days; it begins no sooner than the first day that is kept.

    Raises:
        InvalidInputError: it ends in the future or before that day, ends before it begins, or has more than 800 days.
    """
    end = today if until is None else until
    if not first <= end <= today:
        raise InvalidInputError(
            "a period ends on a day that is kept and not in the future",
            field="until",
            value=end,
            remedy=f"use a day from {first} to {today}",
        )
    begin = end - timedelta(DAYS - 1) if since is None else since
    if not begin <= end < begin + timedelta(MAX_DAYS):
        raise InvalidInputError(
            f"a period has 1 to {MAX_DAYS} days", field="since", value=begin, remedy=f"use a day shortly before {end}"
        )
    return Period(max(begin, first), end)


@dataclass(frozen=True, slots=True)
class Moved:
    """What happened on one day to vulnerabilities of one severity."""

    day: date
    severity: Severity
    moved: int
    """By how many the present ones became more; those that got another severity moved too."""
    found: int
    reopened: int
    returned: int
    """Present again after people had dismissed them."""
    fixed: int
    dismissed: int
    """As false positive, accepted risk or out of scope."""
    days_to_fix: int
    """Of those fixed, together."""
    fixed_with_date: int
    """Of those fixed, how many had a due date."""
    fixed_in_time: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Present ones at the end of a period that are alike."""

    severity: Severity
    since: date
    """Since when they are there: first seen, or reopened."""
    past_due: bool
    number: int


@dataclass(frozen=True, slots=True)
class Book:
    """The sums of lines that a trend is made of."""

    before: Mapping[Severity, int]
    """Present ones before the first day."""
    moved: Sequence[Moved]
    past_due: Mapping[date, int]
    """By how many the present ones past their due date became more on a day; the first one has all before it."""
    standing: Sequence[Standing]


@dataclass(frozen=True, slots=True)
class Day:
    """One day; `open` and `past_due` are at its end."""

    day: date
    open: Mapping[Severity, int]
    past_due: int
    found: int
    reopened: int
    returned: int
    fixed: int
    dismissed: int


@dataclass(frozen=True, slots=True)
class Totals:
    """A whole period, of one severity or of all."""

    severity: Severity | None
    open: int
    """At its end, as the next two are."""
    past_due: int
    mean_age: float | None
    """Days since first seen or reopened; None where none is open."""
    found: int
    reopened: int
    returned: int
    fixed: int
    dismissed: int
    days_to_fix: float | None
    """Mean time to remediate: days from first seen or reopened to fixed, of those fixed in the period."""
    in_time: float | None
    """Share fixed by their due date, of those fixed that had one; 0 to 1."""
    reopen_rate: float | None
    """Reopened for each that was fixed, both in the period."""


@dataclass(frozen=True, slots=True)
class Age:
    """Present ones of an age, at the end of the period."""

    name: str
    open: Mapping[Severity, int]


@dataclass(frozen=True, slots=True)
class Trend:
    """A period, day by day and as a whole."""

    period: Period
    filter: str
    days: Sequence[Day]
    total: Totals
    severities: Sequence[Totals]
    """The worst first."""
    ages: Sequence[Age]
    """The youngest first."""


def trend_of(wanted: Period, filter_: str, book: Book) -> Trend:
    """Make of sums what is shown."""
    return Trend(
        wanted,
        filter_,
        _days(wanted, book),
        _totals(None, wanted, book.moved, book.standing),
        tuple(
            _totals(
                each,
                wanted,
                [one for one in book.moved if one.severity is each],
                [one for one in book.standing if one.severity is each],
            )
            for each in WORST_FIRST
        ),
        _ages(wanted.until, book.standing),
    )


def _days(wanted: Period, book: Book) -> tuple[Day, ...]:
    by_day: dict[date, list[Moved]] = {}
    for each in book.moved:
        by_day.setdefault(each.day, []).append(each)
    days = wanted.days
    late = accumulate(book.past_due.get(day, 0) for day in days)
    present = {each: book.before.get(each, 0) for each in WORST_FIRST}
    found = []
    for day, past_due in zip(days, late, strict=True):
        lines = by_day.get(day, [])
        for one in lines:
            present[one.severity] += one.moved
        found.append(
            Day(
                day=day,
                open=dict(present),
                past_due=past_due,
                found=sum(one.found for one in lines),
                reopened=sum(one.reopened for one in lines),
                returned=sum(one.returned for one in lines),
                fixed=sum(one.fixed for one in lines),
                dismissed=sum(one.dismissed for one in lines),
            )
        )
    return tuple(found)


def _totals(severity: Severity | None, wanted: Period, moved: Iterable[Moved], standing: Iterable[Standing]) -> Totals:
    lines, left = list(moved), list(standing)
    present = sum(one.number for one in left)
    fixed, reopened = sum(one.fixed for one in lines), sum(one.reopened for one in lines)
    return Totals(
        severity=severity,
        open=present,
        past_due=sum(one.number for one in left if one.past_due),
        mean_age=_mean(sum(one.number * (wanted.until - one.since).days for one in left), present),
        found=sum(one.found for one in lines),
        reopened=reopened,
        returned=sum(one.returned for one in lines),
        fixed=fixed,
        dismissed=sum(one.dismissed for one in lines),
        days_to_fix=_mean(sum(one.days_to_fix for one in lines), fixed),
        in_time=_mean(sum(one.fixed_in_time for one in lines), sum(one.fixed_with_date for one in lines)),
        reopen_rate=_mean(reopened, fixed),
    )


def _mean(total: int, number: int) -> float | None:
    return total / number if number else None


def _ages(until: date, standing: Iterable[Standing]) -> tuple[Age, ...]:
    counts = {name: dict.fromkeys(WORST_FIRST, 0) for name in (*(name for _, name in AGES), OLDEST)}
    for one in standing:
        age = (until - one.since).days
        name = next((name for below, name in AGES if age < below), OLDEST)
        counts[name][one.severity] += one.number
    return tuple(Age(name, each) for name, each in counts.items())


class TrendBook(Protocol):
    """The book of an organisation: written by target and day, read as sums."""

    async def fill(self, target_ids: Sequence[UUID], first: date, last: date) -> None:
        """Write the lines of these targets anew, from a day to a day, by what is known now.

        What is done twice is done once. Lines before the first day stay; where they say otherwise than what is known
        now, such as after a due date was moved, the first day's lines set it right.
        """
        ...

    async def carry(self, month: date, target_ids: Sequence[UUID] | None = None) -> None:
        """Begin a month with what was present at the end of the one before; of these targets, or of all."""
        ...

    async def touched(self, vulnerability_ids: Sequence[UUID]) -> Sequence[UUID]:
        """The targets of these vulnerabilities."""
        ...

    async def late(self, campaign_ids: Sequence[UUID], before: date) -> Mapping[UUID, date]:
        """Targets of which these campaigns saw something before this day that nobody had seen sooner; since when."""
        ...

    async def began(self) -> date | None:
        """The day on which a vulnerability was first seen; None where none was."""
        ...

    async def targets(self, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Some targets, in order; those after one of them."""
        ...

    async def read(self, wanted: Period, filter_: str) -> Book:
        """The sums of a period, over all targets or over those that a filter finds.

        Raises:
            InvalidInputError: the filter cannot be read.
        """
        ...
