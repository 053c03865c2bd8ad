"""The tree of business units as a whole, and what is in one."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, ColumnElement, Select, Uuid, bindparam, delete, func, literal, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import business_units, sla_rules, targets
from purple.domain.errors import PreconditionFailedError
from purple.domain.filters import NONE
from purple.domain.units import SEPARATOR, Tree, Unit, Use, key_of, normal

_COLUMNS = [business_units.c[field.name] for field in fields(Unit)]
_ROOM = 0x75_6E_69_74
"""Of the advisory lock on an organisation's tree."""
_LOCK = text(f"SELECT pg_advisory_xact_lock({_ROOM}, hashtext(:organisation))")
_IN_UNIT = "SELECT id FROM business_units WHERE CAST(:unit AS uuid) = ANY(lineage)"
TARGETS_IN = f"SELECT id FROM targets WHERE unit_id IN ({_IN_UNIT})"  # noqa: S608 - our own words
"""The targets of the unit `:unit` and of all below it."""
_TARGETS = text(TARGETS_IN)
_CARRY = text("""
    UPDATE business_units SET path = CAST(:path AS text) || substr(path, CAST(:cut AS int)),
        lineage = :lineage || lineage[CAST(:deep AS int) :]
    WHERE CAST(:unit AS uuid) = ANY(lineage) AND id <> :unit
""").bindparams(bindparam("lineage", type_=ARRAY(Uuid())))


def units_in(values: Iterable[str]) -> Select[Any]:
    """The units that these ids or paths name, and all below them."""
    return select(business_units.c.id).where(or_(*map(_named, values)))


def _named(value: str) -> ColumnElement[bool]:
    try:
        return literal(UUID(value), Uuid) == func.any(business_units.c.lineage)
    except ValueError:
        path, wanted = func.lower(business_units.c.path), normal(value)
        return or_(path == func.lower(wanted), func.starts_with(path, func.lower(wanted + SEPARATOR), type_=Boolean))


def in_units(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether a column names one of these units, or one below; `none` is no unit."""
    wanted = list(map(str, values))
    named = [each for each in wanted if each.lower() != NONE]
    ways = [column.is_(None)] if len(named) < len(wanted) else []
    return or_(*ways, column.in_(units_in(named))) if named else or_(*ways)


class UnitRows:
    """See `domain.units.UnitTree`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def all(self) -> tuple[Unit, ...]:
        """Those above come before those below."""
        rows = await self._connection.execute(select(*_COLUMNS))
        found = (Unit(**row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name for it
        return tuple(sorted(found, key=lambda each: key_of(each.path).split(SEPARATOR)))

    async def hold(self) -> Tree:
        """By a lock of its own, and then a statement that sees what was waited for."""
        await self._connection.execute(_LOCK, {"organisation": str(self._organisation_id)})
        return Tree(await self.all())

    async def carry(self, before: Unit, after: Unit) -> None:
        """In one statement."""
        values = {
            "unit": after.id,
            "path": after.path,
            "cut": len(before.path) + 1,
            "lineage": list(after.lineage),
            "deep": len(before.lineage) + 1,
        }
        await self._connection.execute(_CARRY, values)

    async def targets(self, unit_id: UUID) -> tuple[UUID, ...]:
        """By the lineage of their units."""
        return tuple((await self._connection.execute(_TARGETS, {"unit": unit_id})).scalars())

    async def counts(self) -> Mapping[UUID, int]:
        """By unit."""
        mine = targets.c.unit_id
        rows = await self._connection.execute(select(mine, func.count()).where(mine.is_not(None)).group_by(mine))
        return {row[0]: row[1] for row in rows}

    async def use(self, unit_id: UUID) -> Use:
        """Each counted."""
        hanging = (business_units.c.parent_id, targets.c.unit_id, sla_rules.c.unit_id)
        counted = [select(func.count()).where(column == unit_id).scalar_subquery() for column in hanging]
        row = (await self._connection.execute(select(*counted))).one()
        return Use(*row)

    async def remove(self, unit_id: UUID, version: int) -> None:
        """Compared and deleted in one statement."""
        mine = (business_units.c.id == unit_id, business_units.c.version == version)
        if (await self._connection.execute(delete(business_units).where(*mine))).rowcount != 1:
            raise PreconditionFailedError.since("business unit", version)
