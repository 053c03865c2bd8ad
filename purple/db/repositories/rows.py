"""One table of entities: the columns carry the names of the entity's fields."""

import base64
import dataclasses
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.domain.errors import ConflictError, InvalidInputError, NotFoundError
from purple.domain.pages import MAX_LIMIT, Page, Query

E = TypeVar("E")


def encode_cursor(*parts: object) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode("|".join(map(str, parts)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, size: int) -> list[str]:
    """The parts of a cursor.

    Raises:
        InvalidInputError: it is not one of ours.
    """
    try:
        parts = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split("|")
    except ValueError:
        parts = []
    if len(parts) != size:
        raise bad_cursor(cursor)
    return parts


def bad_cursor(cursor: str) -> InvalidInputError:
    """The refusal of a cursor that no page gave."""
    return InvalidInputError(
        "the cursor is not one that a page gave", field="cursor", value=cursor, remedy="use next_cursor of a page"
    )


def check_limit(limit: int) -> int:
    """A page size within bounds.

    Raises:
        InvalidInputError: it is not.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInputError(
            f"a page holds 1 to {MAX_LIMIT} rows", field="limit", value=limit, remedy="choose a limit in that range"
        )
    return limit


class TableRows(Generic[E]):
    """See `domain.ports.Rows`. Pages run from new to old: ids are ordered by time, or nearly so."""

    def __init__(self, connection: AsyncConnection, table: Table, entity: type[E]) -> None:
        self._connection = connection
        self._table = table
        self._entity = entity
        self._columns = [table.c[field.name] for field in dataclasses.fields(entity)]  # type: ignore[arg-type]  # entities are dataclasses
        self._noun = table.name.removesuffix("s").replace("_", " ")

    def _values(self, row: E) -> dict[str, Any]:
        return {column.name: getattr(row, column.name) for column in self._columns}

    def _read(self, row: Any) -> E:
        return self._entity(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

    async def add(self, row: E) -> None:
        """Insert."""
        try:
            await self._connection.execute(insert(self._table).values(self._values(row)))
        except IntegrityError as error:
            raise ConflictError(
                f"there is such a {self._noun} already, or it refers to what is not there",
                remedy=f"use the {self._noun} that exists",
            ) from error

    async def upsert(self, row: E) -> bool:
        """Insert unless it is there."""
        statement = upsert(self._table).values(self._values(row)).on_conflict_do_nothing()
        return (await self._connection.execute(statement)).rowcount == 1

    async def find(self, row_id: UUID) -> E | None:
        """One or None."""
        row = (await self._connection.execute(self._select(self._table.c.id == row_id))).one_or_none()
        return None if row is None else self._read(row)

    async def get(self, row_id: UUID) -> E:
        """One."""
        found = await self.find(row_id)
        if found is None:
            raise NotFoundError(f"there is no {self._noun} {row_id}", value=row_id, remedy="list those that exist")
        return found

    async def update(self, row_id: UUID, **changes: Any) -> E:
        """Change one."""
        statement = update(self._table).where(self._table.c.id == row_id).values(changes)
        await self._connection.execute(statement)
        return await self.get(row_id)

    async def all(self, **filters: Any) -> tuple[E, ...]:
        """Every match, oldest first."""
        statement = self._select(*self._where(filters)).order_by(self._table.c.created_at, self._table.c.id)
        return tuple(self._read(row) for row in await self._connection.execute(statement))

    async def page(self, query: Query) -> Page[E]:
        """A page, newest first."""
        limit = check_limit(query.limit)
        conditions = self._where(query.filters)
        if query.cursor:
            (last,) = decode_cursor(query.cursor, 1)
            try:
                conditions.append(self._table.c.id < UUID(last))
            except ValueError:
                raise bad_cursor(query.cursor) from None
        statement = self._select(*conditions).order_by(self._table.c.id.desc()).limit(limit + 1)
        rows = [self._read(row) for row in await self._connection.execute(statement)]
        more = len(rows) > limit
        return Page(tuple(rows[:limit]), encode_cursor(rows[limit - 1].id) if more else "")  # type: ignore[attr-defined]  # every entity has an id

    def _where(self, filters: Any) -> list[ColumnElement[bool]]:
        return [self._table.c[name] == value for name, value in filters.items() if value is not None]

    def _select(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        return select(*self._columns).where(*conditions)
