"""What a list can be filtered by: a column or expression, and conditions on it as SQL."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    DateTime,
    Float,
    Integer,
    Text,
    Uuid,
    and_,
    case,
    false,
    func,
    not_,
    or_,
    type_coerce,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import array

from purple.db.models.base import Mapped
from purple.domain.conditions import Among, Compared, Condition, Holds, Kind, Shape, Test, Without
from purple.domain.filters import NONE, Operator

_COMPARISONS = {
    Operator.ABOVE: operator.gt,
    Operator.FROM: operator.ge,
    Operator.BELOW: operator.lt,
    Operator.UP_TO: operator.le,
}
NO_YES = ("no", "yes")
_BETWEEN = "\x1f"
"""Between texts of an array that are searched as one: no text that people look for holds it."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field of a list."""

    kind: Kind
    expression: ColumnElement[Any]
    """Of a field of other tables: what a document has of it, one value or an array."""
    choices: tuple[str, ...] = ()
    nullable: bool = False
    through: Callable[[Sequence[Any]], ColumnElement[bool]] | None = None
    """For a field of other tables: whether one of its rows has one of the values."""

    @property
    def shape(self) -> Shape:
        """What it is, whoever keeps it."""
        kind = self.expression.type
        item = getattr(kind, "item_type", kind)
        related = self.through is not None
        return Shape(self.kind, self.choices, self.nullable, isinstance(item, Integer), related)

    @property
    def ordered(self) -> ColumnElement[Any]:
        """What rows are ordered by."""
        if self.kind is Kind.CHOICE:
            return func.array_position(array(self.choices), type_coerce(self.expression, Text), type_=Integer)
        return self.expression


def field_of(column: ColumnElement[Any], *, nullable: bool = False) -> Field:
    """The field of a column, its kind by the column's type."""
    kind = column.type
    choices: tuple[str, ...] = ()
    if isinstance(kind, Mapped):
        choices, kind = kind.choices, kind.stored
    if choices:
        return Field(Kind.CHOICE, column, choices, nullable)
    if isinstance(kind, ARRAY):
        return Field(Kind.SEVERAL, type_coerce(column, postgresql.ARRAY(kind.item_type)), nullable=nullable)
    for known, meaning in ((Uuid, Kind.ID), (DateTime, Kind.MOMENT)):
        if isinstance(kind, known):
            return Field(meaning, column, nullable=nullable)
    if isinstance(kind, Boolean):
        return Field(Kind.CHOICE, case((column, "yes"), else_="no"), NO_YES)
    if isinstance(kind, (Integer, Float)):
        return Field(Kind.NUMBER, column, nullable=nullable)
    return Field(Kind.TEXT, column, nullable=nullable)


def clause(field: Field, condition: Condition) -> ColumnElement[bool]:
    """What a condition asks of a row."""
    found = or_(*(_test(field, each) for each in condition.tests))
    if not condition.negated:
        return found
    return not_(func.coalesce(found, False) if field.nullable else found)


def _test(field: Field, test: Test) -> ColumnElement[bool]:
    if field.through is not None:
        return field.through(test.values if isinstance(test, Among) else (NONE,))
    match test:
        case Among():
            return _among(field, test.values)
        case Without():
            return _without_value(field)
        case Holds():
            return _holds(field, test.text)
        case Compared():
            value = test.value if test.ago is None else func.now() - test.ago
            found: ColumnElement[bool] = _COMPARISONS[test.operator](field.expression, value)
            return found
        case _:
            return and_(field.expression >= test.start, field.expression < test.end)


def _among(field: Field, values: Sequence[Any]) -> ColumnElement[bool]:
    if not values:
        return false()
    if field.kind is Kind.SEVERAL:
        return or_(*(field.expression.contains([each]) for each in values))
    return field.expression == values[0] if len(values) == 1 else field.expression.in_(values)


def _without_value(field: Field) -> ColumnElement[bool]:
    if field.nullable:
        return field.expression.is_(None)
    if field.kind is Kind.SEVERAL:
        return func.cardinality(field.expression) == 0
    return field.expression == ""


def _holds(field: Field, text: str) -> ColumnElement[bool]:
    if field.kind is Kind.SEVERAL:
        return func.array_to_string(field.expression, _BETWEEN, type_=Text).icontains(text, autoescape=True)
    return field.expression.icontains(text, autoescape=True)
