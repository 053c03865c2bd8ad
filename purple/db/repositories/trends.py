"""The book of vulnerabilities: written by `booking`, read as sums."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, case, func, literal_column, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import sightings, targets, vulnerabilities, vulnerability_trends
from purple.db.repositories import booking
from purple.db.repositories.listings import TARGETS
from purple.domain.pages import Query
from purple.domain.trends import Book, Moved, Period, Standing, day_of, month_of, months_later

_T = vulnerability_trends.c
_NEVER: ColumnElement[date] = literal_column("'infinity'::date")


def of_targets(column: ColumnElement[Any], filter_: str) -> list[ColumnElement[bool]]:
    """That a column holds one of the targets that a filter finds.

    Raises:
        InvalidInputError: the filter cannot be read.
    """
    if not filter_:
        return []
    return [column.in_(select(targets.c.id).where(*TARGETS.conditions(Query(filter=filter_))))]


class TrendRows:
    """See `domain.trends.TrendBook`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def fill(self, target_ids: Sequence[UUID], first: date, last: date) -> None:
        """The lines in one statement, then what each month begins with."""
        await self._lock()
        run = self._connection.execute
        mine = {"targets": list(target_ids), "first": first}
        await run(booking.MAKE_MONTHS, {"first": month_of(first), "last": last})
        await run(booking.CLEAR, mine)
        before = {"last": last, "month": month_of(first - timedelta(1)), "organisation": self._organisation_id}
        await run(booking.WRITE, mine | before)
        month = month_of(first) if first.day == 1 else months_later(first, 1)
        while month <= last:
            await self.carry(month, target_ids)
            month = months_later(month, 1)

    async def carry(self, month: date, target_ids: Sequence[UUID] | None = None) -> None:
        """In one statement."""
        await self._lock()
        await self._connection.execute(booking.MAKE_MONTHS, {"first": month, "last": month})
        told = {"month": month, "before": months_later(month, -1)}
        if target_ids is None:
            await self._connection.execute(booking.CARRY_ALL, told)
        else:
            await self._connection.execute(booking.CARRY_SOME, told | {"targets": list(target_ids)})

    async def _lock(self) -> None:
        await self._connection.execute(booking.PLAIN)
        await self._connection.execute(booking.LOCK, {"organisation": str(self._organisation_id)})

    async def touched(self, vulnerability_ids: Sequence[UUID]) -> Sequence[UUID]:
        """By the primary key."""
        mine = vulnerabilities.c.id == func.any(list(vulnerability_ids))
        found = await self._connection.execute(select(vulnerabilities.c.target_id).where(mine).distinct())
        return found.scalars().all()

    async def late(self, campaign_ids: Sequence[UUID], before: date) -> Mapping[UUID, date]:
        """By the index on campaigns."""
        told = {"campaigns": list(campaign_ids), "before": before}
        return {row.target_id: row.day for row in await self._connection.execute(booking.LATE, told)}

    async def began(self) -> date | None:
        """Over all sightings: only who writes everything anew asks."""
        first = (await self._connection.execute(select(func.min(sightings.c.seen_at)))).scalar_one()
        return None if first is None else day_of(first)

    async def targets(self, after: UUID | None, limit: int) -> Sequence[UUID]:
        """By the primary key."""
        statement = select(targets.c.id).order_by(targets.c.id).limit(limit)
        if after is not None:
            statement = statement.where(targets.c.id > after)
        return (await self._connection.execute(statement)).scalars().all()

    async def read(self, wanted: Period, filter_: str) -> Book:
        """Four sums; no month that the period does not touch is read."""
        mine = of_targets(_T.target_id, filter_)
        run = self._connection.execute
        await run(booking.PLAIN)
        before = {row[0]: row[1] for row in await run(_before(wanted).where(*mine))}
        moved = [Moved(**row._mapping) for row in await run(_moved(wanted).where(*mine))]  # noqa: SLF001 - SQLAlchemy's public name for it
        past_due = {row[0]: row[1] for row in await run(_past_due(wanted).where(*mine))}
        standing = [Standing(**row._mapping) for row in await run(_standing(wanted).where(*mine))]  # noqa: SLF001 - as above
        return Book(before, moved, past_due, standing)


def _between(first: date, last: date) -> ColumnElement[bool]:
    return _T.day.between(first, last)


def _before(wanted: Period) -> Select[Any]:
    """What the month began with, and what came and went in it before the first day."""
    moved = case((_T.day < wanted.since, _T.moved), else_=0)
    return (
        select(_T.severity, func.sum(_T.carried + moved))
        .where(_between(month_of(wanted.since), wanted.since))
        .group_by(_T.severity)
    )


def _moved(wanted: Period) -> Select[Any]:
    has_date = _T.due < _NEVER
    sums = {
        "moved": _T.moved,
        "found": _T.found,
        "reopened": _T.reopened,
        "returned": _T.returned,
        "fixed": _T.fixed,
        "dismissed": _T.dismissed,
        "days_to_fix": _T.fixed * type_coerce(_T.day - _T.since, Integer),
        "fixed_with_date": case((has_date, _T.fixed), else_=0),
        "fixed_in_time": case((has_date & (_T.day <= _T.due), _T.fixed), else_=0),
    }
    return (
        select(_T.day, _T.severity, *(func.sum(each).label(name) for name, each in sums.items()))
        .where(_between(wanted.since, wanted.until))
        .group_by(_T.day, _T.severity)
    )


def _past_due(wanted: Period) -> Select[Any]:
    """What stands in a line is past due from its day or its due date on, whichever is later."""
    month = month_of(wanted.since)
    number = _T.moved + case((_T.day == month, _T.carried), else_=0)
    day = func.greatest(_T.day, _T.due, wanted.since)
    return (
        select(day.label("since"), func.sum(number))
        .where(_between(month, wanted.until), _T.due <= wanted.until)
        .group_by(day)
    )


def _standing(wanted: Period) -> Select[Any]:
    number = func.sum(_T.carried + _T.moved)
    past_due = _T.due <= wanted.until
    return (
        select(_T.severity, _T.since, past_due.label("past_due"), number.label("number"))
        .where(_between(month_of(wanted.until), wanted.until))
        .group_by(_T.severity, _T.since, past_due)
        .having(number != 0)
    )
