"""What a list can be filtered by: a column or expression, and how its values are read and compared."""

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, DateTime, Float, Integer, Text, Uuid, func, not_, or_, type_coerce
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import array

from purple.db.models.base import Mapped
from purple.domain.errors import InvalidInputError
from purple.domain.filters import NONE, Operator, Term

_AGE = re.compile(r"(\d{1,6})([mhdw])\Z")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_INTEGER = 2**31 - 1
_COMPARISONS = {
    Operator.ABOVE: operator.gt,
    Operator.FROM: operator.ge,
    Operator.BELOW: operator.lt,
    Operator.UP_TO: operator.le,
}


class Kind(Enum):
    """How values of a field are read and compared."""

    TEXT = auto()
    CHOICE = auto()
    """Of an enumeration, ordered as it is declared."""
    NUMBER = auto()
    MOMENT = auto()
    ID = auto()
    SEVERAL = auto()
    """An array of texts or numbers, one of which must match."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field of a list."""

    kind: Kind
    expression: ColumnElement[Any]
    choices: tuple[str, ...] = ()
    nullable: bool = False
    through: Callable[[Sequence[Any]], ColumnElement[bool]] | None = None
    """For a field of other tables: whether one of its rows has one of the values."""

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
    if isinstance(kind, (Integer, Float)):
        return Field(Kind.NUMBER, column, nullable=nullable)
    return Field(Kind.TEXT, column, nullable=nullable)


def condition(field: Field, term: Term) -> ColumnElement[bool]:
    """What a term asks of a row.

    Raises:
        InvalidInputError: a value is not of the field's kind, or the comparison makes no sense for it.
    """
    found = or_(*(_one(field, term, value) for value in term.values))
    if not term.negated:
        return found
    return not_(func.coalesce(found, False) if field.nullable else found)


def _one(field: Field, term: Term, text: str) -> ColumnElement[bool]:
    if field.through is not None:
        if term.operator is not Operator.IS:
            raise _senseless(term)
        return field.through([_read(field, term, text)])
    if text == NONE and term.operator is Operator.IS and (field.nullable or field.kind in {Kind.TEXT, Kind.SEVERAL}):
        return _without_value(field)
    if term.operator is Operator.HOLDS:
        return _holds(field, term, text)
    if field.kind is Kind.MOMENT:
        return _moment(field, term, text)
    value = _read(field, term, text)
    return _is(field, value) if term.operator is Operator.IS else _ranked(field, term, value)


def _is(field: Field, value: Any) -> ColumnElement[bool]:
    return field.expression.contains([value]) if field.kind is Kind.SEVERAL else field.expression == value


def _ranked(field: Field, term: Term, value: Any) -> ColumnElement[bool]:
    if field.kind is Kind.CHOICE:
        return _compare(field.ordered, term.operator, field.choices.index(value) + 1)
    if field.kind is Kind.NUMBER:
        return _compare(field.expression, term.operator, value)
    raise _senseless(term)


def _without_value(field: Field) -> ColumnElement[bool]:
    if field.nullable:
        return field.expression.is_(None)
    if field.kind is Kind.SEVERAL:
        return func.cardinality(field.expression) == 0
    return field.expression == ""


def _holds(field: Field, term: Term, text: str) -> ColumnElement[bool]:
    if field.kind is Kind.SEVERAL:
        return func.array_to_string(field.expression, " ", type_=Text).icontains(text, autoescape=True)
    if field.kind is Kind.TEXT:
        return field.expression.icontains(text, autoescape=True)
    raise _senseless(term)


def _compare(expression: ColumnElement[Any], how: Operator, value: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = _COMPARISONS[how](expression, value)
    return found


def _moment(field: Field, term: Term, text: str) -> ColumnElement[bool]:
    if age := _AGE.match(text):
        if term.operator is Operator.IS:
            raise _senseless(term)
        ago = timedelta(**{_UNITS[age[2]]: int(age[1])})
        return _compare(field.expression, term.operator.turned, func.now() - ago)
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        end = moment + timedelta(days=1) if term.operator is Operator.IS and _DAY.match(text) else moment
    except (ValueError, OverflowError):
        raise _unreadable(term, text, "write 2026-01-31, 2026-01-31T18:00:00Z, or an age such as 7d") from None
    if term.operator is not Operator.IS:
        return _compare(field.expression, term.operator, moment)
    if end > moment:
        return (field.expression >= moment) & (field.expression < end)
    return field.expression == moment


def _read(field: Field, term: Term, text: str) -> Any:
    """A value of the field's kind."""
    match field.kind:
        case Kind.CHOICE:
            if text not in field.choices:
                raise _unreadable(term, text, f"use one of {', '.join(field.choices)}")
            return text
        case Kind.NUMBER:
            return _number(term, text, whole=isinstance(field.expression.type, Integer))
        case Kind.ID:
            try:
                return UUID(text)
            except ValueError:
                raise _unreadable(term, text, "give a whole id") from None
        case Kind.SEVERAL if isinstance(getattr(field.expression.type, "item_type", None), Integer):
            return _number(term, text, whole=True)
        case _:
            return text


def _number(term: Term, text: str, *, whole: bool) -> float:
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or abs(number) > _INTEGER:
        raise _unreadable(term, text, "give a whole number" if whole else "give a number")
    return number


def _unreadable(term: Term, text: str, remedy: str) -> InvalidInputError:
    return InvalidInputError(f"{term.field} cannot be {text!r}", field="filter", value=text, remedy=remedy)


def _senseless(term: Term) -> InvalidInputError:
    written = f"{term.field}:{term.operator}"
    return InvalidInputError(
        f"{written} makes no sense for {term.field}", field="filter", value=written, remedy="compare it otherwise"
    )
