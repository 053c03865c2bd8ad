"""What the terms of a filter ask of a row, read once by the kinds of its fields.

PostgreSQL and Elasticsearch each say the same conditions in their own words; what neither has to do is read a value.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any
from uuid import UUID

from purple.domain.errors import InvalidInputError
from purple.domain.filters import NONE, Operator, Term

_AGE = re.compile(r"(\d{1,6})([mhdw])\Z")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_INTEGER = 2**31 - 1
_OLDEST = timedelta(days=365_000)
"""No age is older: a moment of the year 0 is none that a database keeps."""


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


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field is, whoever keeps it."""

    kind: Kind
    choices: tuple[str, ...] = ()
    nullable: bool = False
    whole: bool = False
    """Of numbers: without fractions."""
    related: bool = False
    """Of rows of other tables, one of which must have the value: nothing but equality makes sense."""


@dataclass(frozen=True, slots=True)
class Among:
    """The value, or one of the array's, is one of these; of none of them where there are none."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """There is no value: null, an empty text or an empty array."""


@dataclass(frozen=True, slots=True)
class Holds:
    """The text, or one of the array's, holds this one, whatever its case."""

    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A number or a moment, beside a value or the present moment less an age."""

    operator: Operator
    value: Any = None
    ago: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """A moment of this time; the end is not part of it."""

    start: datetime
    end: datetime


Test = Among | Without | Holds | Compared | Within


@dataclass(frozen=True, slots=True)
class Condition:
    """One of the tests must hold of a field; or, negated, none."""

    name: str
    shape: Shape
    tests: tuple[Test, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """What a list can be filtered by, by name, and other names of the same."""

    shapes: Mapping[str, Shape]
    aliases: Mapping[str, str] = field(default_factory=dict)

    def name(self, written: str, parameter: str = "filter") -> str:
        """A field's own name.

        Raises:
            InvalidInputError: there is none that is called so; those that there are are named.
        """
        name = self.aliases.get(written, written)
        if name not in self.shapes:
            raise InvalidInputError(
                f"this list has no field {written!r}",
                field=parameter,
                value=written,
                remedy=f"use {', '.join(self.shapes)}",
            )
        return name

    def conditions(self, terms: Sequence[Term]) -> tuple[Condition, ...]:
        """What they ask.

        Raises:
            InvalidInputError: a field is not known, a value is not of its kind, or a comparison makes no sense for it.
        """
        return tuple(_condition(self.name(term.field), self.shapes[self.name(term.field)], term) for term in terms)


def _condition(name: str, shape: Shape, term: Term) -> Condition:
    return Condition(name, shape, tuple(_test(shape, term, value) for value in term.values), term.negated)


def _test(shape: Shape, term: Term, text: str) -> Test:
    if shape.related and term.operator is not Operator.IS:
        raise _senseless(term)
    if _is_none(shape, term, text):
        return Without()
    if term.operator is Operator.HOLDS:
        if shape.kind not in {Kind.TEXT, Kind.SEVERAL}:
            raise _senseless(term)
        return Holds(text)
    if shape.kind is Kind.MOMENT:
        return _moment(term, text)
    value = _read(shape, term, text)
    if term.operator is Operator.IS:
        return Among((value,))
    if shape.kind is Kind.CHOICE:
        return Among(_ranked(shape.choices, term.operator, value))
    if shape.kind is Kind.NUMBER:
        return Compared(term.operator, value)
    raise _senseless(term)


def _is_none(shape: Shape, term: Term, text: str) -> bool:
    if term.operator is not Operator.IS:
        return False
    if shape.related:
        return shape.nullable and text.lower() == NONE
    return text == NONE and (shape.nullable or shape.kind in {Kind.TEXT, Kind.SEVERAL})


def _ranked(choices: Sequence[str], how: Operator, value: str) -> tuple[str, ...]:
    at = choices.index(value)
    parts = {
        Operator.ABOVE: choices[at + 1 :],
        Operator.FROM: choices[at:],
        Operator.BELOW: choices[:at],
        Operator.UP_TO: choices[: at + 1],
    }
    return tuple(parts[how])


def _moment(term: Term, text: str) -> Test:
    if age := _AGE.match(text):
        if term.operator is Operator.IS:
            raise _senseless(term)
        ago = timedelta(**{_UNITS[age[2]]: int(age[1])})
        if ago > _OLDEST:
            raise _unreadable(term, text, "give a shorter age")
        return Compared(term.operator.turned, ago=ago)
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        end = moment + timedelta(days=1) if term.operator is Operator.IS and _DAY.match(text) else moment
    except (ValueError, OverflowError):
        raise _unreadable(term, text, "write 2026-01-31, 2026-01-31T18:00:00Z, or an age such as 7d") from None
    if term.operator is not Operator.IS:
        return Compared(term.operator, moment)
    return Within(moment, end) if end > moment else Among((moment,))


def _read(shape: Shape, term: Term, text: str) -> Any:
    """A value of the field's kind."""
    match shape.kind:
        case Kind.CHOICE:
            if text not in shape.choices:
                raise _unreadable(term, text, f"use one of {', '.join(shape.choices)}")
            return text
        case Kind.NUMBER:
            return _number(term, text, whole=shape.whole)
        case Kind.ID:
            try:
                return UUID(text)
            except ValueError:
                raise _unreadable(term, text, "give a whole id") from None
        case Kind.SEVERAL if shape.whole:
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
