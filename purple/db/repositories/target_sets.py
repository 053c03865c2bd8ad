"""Many targets at once: they go to PostgreSQL as one JSON document, and become rows there."""

import json
from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import targets
from purple.domain.errors import ConflictError
from purple.domain.targets import Target

_COLUMNS = [targets.c[field.name] for field in fields(Target)]
_NAMES = ", ".join(column.name for column in _COLUMNS)
_ROWS = """jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    id uuid, organisation_id uuid, kind text, value text, name text, criticality text, tags text[],
    created_at timestamptz, version int, zone text, exposure text, data_class text, controls text[], unit_id uuid,
    environment text, category text, frameworks text[], custom text[],
    retired_at timestamptz, retired_by text, retirement uuid, machine_id uuid)"""
_ADD = text(f"INSERT INTO targets ({_NAMES}) SELECT {_NAMES} FROM {_ROWS} ON CONFLICT DO NOTHING")  # noqa: S608 - our own words
_CHANGED = (
    "name", "criticality", "tags", "zone", "exposure", "data_class", "controls", "unit_id", "environment", "category",
    "frameworks", "custom",
)  # fmt: skip
_CHANGE = text(f"""
    UPDATE targets t SET version = r.version, {", ".join(f"{name} = r.{name}" for name in _CHANGED)}
    FROM {_ROWS} WHERE t.id = r.id
""")  # noqa: S608 - our own words


class TargetSetRows:
    """See `domain.target_imports.TargetSets`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def written(self, values: Collection[str], *, lock: bool) -> tuple[Target, ...]:
        """The lock leaves room for what only refers to them, as an analysis does, and is taken in one order."""
        statement = select(*_COLUMNS).where(targets.c.value == func.any(list(values))).order_by(targets.c.id)
        if lock:
            statement = statement.with_for_update(key_share=True)
        rows = await self._connection.execute(statement)
        return tuple(Target(**row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name for it

    async def add(self, targets: Sequence[Target]) -> None:
        """In one statement."""
        if targets and (await self._connection.execute(_ADD, {"rows": _told(targets)})).rowcount != len(targets):
            raise ConflictError("somebody registered one of these targets meanwhile", remedy="import the file again")

    async def change(self, targets: Sequence[Target]) -> None:
        """In one statement."""
        if targets:
            await self._connection.execute(_CHANGE, {"rows": _told(targets)})


def _told(rows: Sequence[Target]) -> str:
    return json.dumps([{column.name: getattr(row, column.name) for column in _COLUMNS} for row in rows], default=_text)


def _text(value: Any) -> str:
    """Ids, and moments."""
    return str(value)
