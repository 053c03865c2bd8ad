"""What attack paths are looked for in."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from uuid import UUID

from sqlalchemy import Integer, and_, func, or_, select, text, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import targets, vulnerabilities
from purple.db.models.findings import PRESENT
from purple.db.repositories.listings import TARGETS
from purple.domain.openings import RULES, WEAKNESSES, Finding
from purple.domain.pages import Query
from purple.domain.targets import Target, in_use
from purple.domain.weaknesses import CATALOGUE

_V = vulnerabilities.c
_COLUMNS = [targets.c[field.name] for field in fields(Target)]
_REMEDY = 500
"""Characters of a remedy: a page tells it of a few alone."""
_MADE = {
    "remediation": func.left(_V.remediation, _REMEDY),
    "confidence": func.coalesce(_V.weighed_confidence, 1.0),
}
_READ = [_MADE[name].label(name) if name in _MADE else _V[name] for name in (field.name for field in fields(Finding))]


class AttackSurfaceRows:
    """See `domain.attack_paths.AttackSurface`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def targets(self) -> Sequence[Target]:
        """In one statement."""
        statement = select(*_COLUMNS).where(*TARGETS.conditions(Query(filter=in_use(""))))
        rows = await self._connection.execute(statement.order_by(targets.c.id))
        return [Target(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it

    async def chosen(self, filter_: str) -> Collection[UUID]:
        """In one statement."""
        mine = TARGETS.conditions(Query(filter=in_use(filter_)))
        return set((await self._connection.execute(select(targets.c.id).where(*mine))).scalars())

    async def findings(self, most: int) -> Sequence[Finding]:
        """By the index on risk; those that `domain.openings` can say nothing of are left out here already."""
        cwe = type_coerce(_V.cwe, ARRAY(Integer()))
        told = or_(func.cardinality(_V.cve) > 0, _V.cvss_vector != "", cwe.overlap(list(RULES)))
        statement = (
            select(*_READ)
            .where(
                text(f"state IN ({PRESENT})"),
                or_(_V.weakness.in_(WEAKNESSES), and_(_V.weakness.not_in(list(CATALOGUE)), told)),
            )
            .order_by(_V.risk.desc(), _V.id.desc())
            .limit(most)
        )
        return [Finding(**row._mapping) for row in await self._connection.execute(statement)]  # noqa: SLF001 - as above
