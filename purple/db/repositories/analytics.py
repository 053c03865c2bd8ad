"""Sums over parts of the register, from what is kept by month."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Integer, Text, case, cast, func, literal, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import scan_metrics, targets, vulnerability_trends
from purple.db.repositories import booking
from purple.db.repositories.listings import TARGETS
from purple.domain.analytics import By, Flow, Held, Share
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.domain.targets import in_use
from purple.domain.tools import ScanState
from purple.domain.trends import Period, month_of

_T, _M = vulnerability_trends.c, scan_metrics.c


class AnalyticsRows:
    """See `domain.analytics.Analytics`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def shares(self, by: By, wanted: Period, filter_: str) -> Sequence[Share]:
        """In one statement."""
        looked = select(_M.target_id).where(_M.day.between(wanted.since, wanted.until), _M.state == ScanState.COMPLETE)
        key = _key(by)
        covered = func.count().filter(targets.c.id.in_(looked))
        statement = select(key, func.count().label("targets"), covered.label("covered")).where(*_of(filter_))
        return [Share(*row) for row in await self._connection.execute(statement.group_by(key))]

    async def held(self, by: By, wanted: Period, filter_: str) -> Sequence[Held]:
        """In one statement; no month but the last one is read."""
        await self._connection.execute(booking.PLAIN)
        key, number = _key(by), _T.carried + _T.moved
        statement = (
            select(
                key,
                _T.severity,
                func.sum(number).label("open"),
                func.sum(case((_T.due <= wanted.until, number), else_=0)).label("past_due"),
                func.sum(number * (type_coerce(literal(wanted.until, Date) - _T.since, Integer))).label("days"),
            )
            .join(targets, targets.c.id == _T.target_id)
            .where(_T.day.between(month_of(wanted.until), wanted.until), *_of(filter_))
            .group_by(key, _T.severity)
        )
        rows = await self._connection.execute(statement)
        return [Held(row.key, Severity(row.severity), row.open, row.past_due, row.days) for row in rows if row.open]

    async def flows(self, by: By, wanted: Period, filter_: str) -> Sequence[Flow]:
        """In one statement; no month that the period does not touch is read."""
        await self._connection.execute(booking.PLAIN)
        key = _key(by)
        days = _T.fixed * type_coerce(_T.day - _T.since, Integer)
        statement = (
            select(key, *(func.sum(each) for each in (_T.found, _T.reopened, _T.fixed, _T.dismissed, days)))
            .join(targets, targets.c.id == _T.target_id)
            .where(_T.day.between(wanted.since, wanted.until), *_of(filter_))
            .group_by(key)
        )
        return [Flow(*row) for row in await self._connection.execute(statement)]

    async def keys(self, by: By, target_ids: Sequence[UUID], filter_: str) -> Mapping[UUID, str]:
        """In one statement."""
        some = targets.c.id == func.any(list(target_ids))
        found = await self._connection.execute(select(targets.c.id, _key(by)).where(some, *_of(filter_)))
        return {row.id: row.key for row in found}


def _key(by: By) -> ColumnElement[str]:
    column = targets.c.unit_id if by is By.UNIT else targets.c[by]
    return func.coalesce(cast(type_coerce(column, column.type), Text), "").label("key")


def _of(filter_: str) -> list[ColumnElement[bool]]:
    return TARGETS.conditions(Query(filter=in_use(filter_)))
