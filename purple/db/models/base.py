"""What all tables share: metadata with a naming convention, and columns that read as domain types."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, Dialect, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Mapped(TypeDecorator[Any]):
    """A column whose values are read and written through functions."""

    impl = Text
    cache_ok = True  # what a statement compiles to depends on `stored`, `write` and `read`, which are all in the key

    def __init__(self, stored: TypeEngine[Any], write: Callable[[Any], Any] | None, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self.stored = stored
        self.choices: tuple[str, ...] = ()
        self.write = write
        self.read = read

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type as PostgreSQL knows it."""
        return dialect.type_descriptor(self.stored)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        """Domain to column."""
        return value if value is None or self.write is None else self.write(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        """Column to domain."""
        return None if value is None else self.read(value)


def enum_text(kind: type[StrEnum]) -> Mapped:
    """Text that reads as a member of an enumeration."""
    made = Mapped(Text(), str, kind)
    made.choices = tuple(map(str, kind))
    return made


def tuple_of(item: TypeEngine[Any]) -> Mapped:
    """An array that reads as a tuple."""
    return Mapped(ARRAY(item), list, tuple)


def texts_of(read: Callable[[str], Any]) -> Mapped:
    """An array of texts that reads as a tuple of domain values, which are written by `str`."""
    return Mapped(ARRAY(Text()), lambda values: [*map(str, values)], lambda rows: tuple(map(read, rows)))


def json_as(write: Callable[[Any], Any], read: Callable[[Any], Any]) -> Mapped:
    """JSON that reads as a domain value."""
    return Mapped(JSONB(), write, read)


def organisation() -> "Column[UUID]":
    """The tenant; row-level security compares it with the transaction's."""
    return Column("organisation_id", Uuid, nullable=False)


def key() -> "Column[UUID]":
    """The primary key."""
    return Column("id", Uuid, primary_key=True)


def text(name: str) -> "Column[str]":
    """Text that is never null."""
    return Column(name, Text, nullable=False, server_default="")


def moment(name: str, *, nullable: bool = False) -> "Column[Any]":
    """An aware time."""
    return Column(name, DateTime(timezone=True), nullable=nullable)
