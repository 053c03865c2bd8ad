"""Present vulnerabilities by what causes them."""

from sqlalchemy import distinct, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import vulnerabilities
from purple.db.repositories.listings import VULNERABILITIES
from purple.domain.causes import Cause, Causes
from purple.domain.pages import Query, check_limit
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import PRESENT_STATES

_V = vulnerabilities.c
_PRESENT = _V.state.in_(PRESENT_STATES)
_RANKS = func.array_position([str(each) for each in Severity], _V.severity)


async def heaviest(connection: AsyncConnection, query: Query) -> Causes:
    """Groups first, then one row of each: its worst vulnerability is found by the index on causes."""
    mine = (_PRESENT, *VULNERABILITIES.conditions(query))
    groups = (
        select(
            _V.cause,
            func.count().label("vulnerabilities"),
            func.count(distinct(_V.target_id)).label("targets"),
            func.max(_RANKS).label("rank"),
            func.max(_V.risk).label("risk"),
            func.sum(_V.risk).label("total"),
            func.count().over().label("number"),
        )
        .where(*mine)
        .group_by(_V.cause)
        .order_by(func.sum(_V.risk).desc(), _V.cause)
        .limit(check_limit(query.limit))
        .subquery("groups")
    )
    worst = (
        select(_V.id, _V.title, _V.remediation)
        .where(*mine, _V.cause == groups.c.cause)
        .order_by(_V.risk.desc(), _V.id)
        .limit(1)
        .lateral("worst")
    )
    statement = select(groups, worst).join_from(groups, worst, true()).order_by(groups.c.total.desc(), groups.c.cause)
    rows = (await connection.execute(statement)).all()
    return Causes(
        tuple(
            Cause(
                cause=row.cause,
                vulnerabilities=row.vulnerabilities,
                targets=row.targets,
                severity=list(Severity)[row.rank - 1],
                risk=row.risk,
                total=row.total,
                worst=row.id,
                title=row.title,
                remediation=row.remediation,
            )
            for row in rows
        ),
        rows[0].number if rows else 0,
    )
