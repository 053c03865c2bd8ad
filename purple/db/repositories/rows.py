"""One table of entities: the columns carry the names of the entity's fields."""

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.repositories.listing import Listing
from purple.domain.errors import ConflictError, NotFoundError, PreconditionFailedError
from purple.domain.pages import Page, Query

E = TypeVar("E")
_ROW = "row_id"


class _Built:
    """What runs for every scan is built once: to build a statement costs more than to run it."""

    def __init__(self, table: Table, entity: type[Any]) -> None:
        self._table = table
        self.columns = [table.c[field.name] for field in dataclasses.fields(entity)]
        self._changes: dict[tuple[str, ...], Executable] = {}

    @cached_property
    def find(self) -> Select[Any]:
        """One row."""
        return select(*self.columns).where(self._table.c.id == bindparam(_ROW))

    @cached_property
    def lock(self) -> Select[Any]:
        """One row, which others change only after us."""
        return self.find.with_for_update()

    @cached_property
    def put(self) -> Executable:
        """Insert unless it is there; an INSERT tells no number of rows, so what it wrote is asked back."""
        values = {column.name: bindparam(column.name, type_=column.type) for column in self.columns}
        return upsert(self._table).values(values).on_conflict_do_nothing().returning(self._table.c.id)

    def change(self, names: tuple[str, ...]) -> Executable:
        """Change these columns of one row, and read it."""
        if names not in self._changes:
            values = {name: bindparam(f"new_{name}", type_=self._table.c[name].type) for name in names}
            statement = update(self._table).where(self._table.c.id == bindparam(_ROW)).values(values)
            self._changes[names] = statement.returning(*self.columns)
        return self._changes[names]


_built = lru_cache(_Built)


class TableRows(Generic[E]):
    """See `domain.ports.Rows`. Pages run from new to old by default: ids are ordered by time, or nearly so."""

    def __init__(
        self, connection: AsyncConnection, table: Table, entity: type[E], listing: Listing | None = None
    ) -> None:
        self._connection = connection
        self._listing = listing or Listing({}, table.c.id)
        self._table = table
        self._entity = entity
        self._built = _built(table, entity)  # type: ignore[arg-type]  # a class can be hashed
        self._columns = self._built.columns
        self._noun = table.name.removesuffix("s").replace("_", " ")

    def _values(self, row: E) -> dict[str, Any]:
        return {column.name: getattr(row, column.name) for column in self._columns}

    def _read(self, row: Any) -> E:
        return self._entity(**{column.name: getattr(row, column.name) for column in self._columns})

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
        return (await self._connection.execute(self._built.put, self._values(row))).first() is not None

    async def find(self, row_id: UUID, *, lock: bool = False) -> E | None:
        """One or None; a lock that is waited for reads the row as it is then."""
        statement = self._built.lock if lock else self._built.find
        row = (await self._connection.execute(statement, {_ROW: row_id})).one_or_none()
        return None if row is None else self._read(row)

    async def get(self, row_id: UUID, *, lock: bool = False) -> E:
        """One."""
        found = await self.find(row_id, lock=lock)
        if found is None:
            raise self._missing(row_id)
        return found

    def _missing(self, row_id: UUID) -> NotFoundError:
        return NotFoundError(f"there is no {self._noun} {row_id}", value=row_id, remedy="list those that exist")

    async def several(self, ids: Iterable[UUID]) -> tuple[E, ...]:
        """All of these."""
        wanted = list(ids)
        rows = await self._connection.execute(self._select(self._table.c.id == func.any(wanted)))
        found = {row.id: self._read(row) for row in rows}
        for row_id in wanted:
            if row_id not in found:
                raise self._missing(row_id)
        return tuple(found[row_id] for row_id in wanted)

    async def update(self, row_id: UUID, **changes: Any) -> E:
        """Change one, and read it in the same statement."""
        statement = self._built.change(tuple(sorted(changes)))
        told = {_ROW: row_id} | {f"new_{name}": value for name, value in changes.items()}
        row = (await self._connection.execute(statement, told)).one_or_none()
        if row is None:
            raise self._missing(row_id)
        return self._read(row)

    async def edit(self, row_id: UUID, version: int, **changes: Any) -> E:
        """Change one, compared and set in one statement."""
        mine = (self._table.c.id == row_id, self._table.c.version == version)
        statement = update(self._table).where(*mine).values({**changes, "version": version + 1})
        if (await self._connection.execute(statement)).rowcount == 1:
            return await self.get(row_id)
        await self.get(row_id)
        raise PreconditionFailedError.since(self._noun, version)

    async def compare_and_set(self, row_id: UUID, expected: Mapping[str, Any], **changes: Any) -> bool:
        """Change one that is still as expected; PostgreSQL holds the second of two until the first has committed."""
        same = [self._table.c[name].is_not_distinct_from(value) for name, value in expected.items()]
        statement = update(self._table).where(self._table.c.id == row_id, *same).values(changes)
        return (await self._connection.execute(statement)).rowcount == 1

    async def all(self, **filters: Any) -> tuple[E, ...]:
        """Every match, oldest first."""
        statement = self._select(*self._where(filters)).order_by(self._table.c.created_at, self._table.c.id)
        return tuple(self._read(row) for row in await self._connection.execute(statement))

    async def page(self, query: Query) -> Page[E]:
        """A page."""
        rows = (await self._connection.execute(self._listing.page(select(*self._columns), query))).all()
        return Page(tuple(map(self._read, rows[: query.limit])), self._listing.cursor(rows, query))

    def _where(self, filters: Any) -> list[ColumnElement[bool]]:
        return [self._table.c[name] == value for name, value in filters.items() if value is not None]

    def _select(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        return select(*self._columns).where(*conditions)
