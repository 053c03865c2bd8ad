"""Filters, orders and cursors of `domain.filters` as SQL.

A page continues after the sort values of the row before it (keyset pagination), so that rows which come or go between
two pages neither repeat nor hide others.
"""

import base64
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Row,
    Select,
    Subquery,
    Table,
    Text,
    and_,
    cast,
    func,
    literal,
    literal_column,
    or_,
    tuple_,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from purple.db.repositories.fields import Field, clause, field_of
from purple.domain.conditions import Condition, Fields, Kind
from purple.domain.errors import InvalidInputError
from purple.domain.filters import SortKey, parse_filter, parse_sort
from purple.domain.pages import Query, check_limit
from purple.domain.queries import Phrase, parse_query

_EMPTY = {Kind.TEXT: "''", Kind.NUMBER: "-2147483648", Kind.MOMENT: "'-infinity'::timestamptz"}
"""Where a row without a value stands in an order: before all others."""


@dataclass(frozen=True, slots=True)
class _Order:
    """One expression of an order, in the form in which rows without a value have a place."""

    expression: ColumnElement[Any]
    kind: Kind
    descending: bool

    def by(self, told: ColumnElement[Any]) -> ColumnElement[Any]:
        """This order, by the expression or by a column that holds it."""
        return told.desc() if self.descending else told.asc()


class Listing:
    """The fields of one list, and its own order."""

    def __init__(
        self,
        fields: Mapping[str, Field],
        key: ColumnElement[Any],
        *,
        sort: str = "",
        descending: bool = True,
        aliases: Mapping[str, str] | None = None,
        words: ColumnElement[Any] | None = None,
    ) -> None:
        """Take the fields, the unique key that ends every order, the default sort and the key's direction in it.

        Where PostgreSQL keeps an index of its rows' words, a filter may ask for words too.
        """
        self.fields = fields
        self.key = key
        self.known = Fields({name: field.shape for name, field in fields.items()}, aliases or {})
        self._sort = sort
        self._descending = descending
        self._words = words

    @property
    def names(self) -> tuple[str, ...]:
        """What it can be filtered by."""
        return tuple(self.fields)

    def conditions(self, query: Query) -> list[ColumnElement[bool]]:
        """What the query asks of a row, its cursor aside.

        Raises:
            InvalidInputError: the filter cannot be read, or names a field that the list lacks.
        """
        exact = [self.exactly(name, value) for name, value in query.where.items() if value is not None]
        if self._words is None:
            return exact + self.asked(self.known.conditions(parse_filter(query.filter)))
        written = parse_query(query.filter, "filter")
        held = [holding(self._words, written.phrases)] if written.phrases else []
        return [*exact, *self.asked(self.known.conditions(written.terms)), *held]

    def asked(self, conditions: Iterable[Condition]) -> list[ColumnElement[bool]]:
        """Conditions that were read before, as SQL."""
        return [clause(self.fields[each.name], each) for each in conditions]

    def exactly(self, name: str, value: Any) -> ColumnElement[bool]:
        """That a field has this value, or one of these."""
        field = self.fields[name]
        several = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
        if field.through is not None:
            return field.through(several)
        return field.expression.in_(several) if len(several) != 1 else field.expression == several[0]

    def page(self, statement: Select[Any], query: Query) -> Select[Any]:
        """The statement with the query's conditions, order, cursor and limit; one row more than a page tells of more.

        Raises:
            InvalidInputError: a part of the query cannot be read.
        """
        orders = self._orders(query)
        conditions = self.conditions(query)
        if query.cursor:
            conditions.append(_after(orders, _decode(query, orders)))
        told = [cast(each.expression, Text).label(f"cursor_{n}") for n, each in enumerate(orders)]
        ordered = [each.by(each.expression) for each in orders]
        return statement.add_columns(*told).where(*conditions).order_by(*ordered).limit(check_limit(query.limit) + 1)

    def inner_page(
        self, statement: Select[Any], query: Query
    ) -> tuple[Subquery, Sequence[ColumnElement[Any]], Sequence[ColumnElement[Any]]]:
        """A page for a statement around it, which looks up what is dear for its rows alone.

        Returns:
            The page, the columns of it that `cursor` reads, and the order of the statement around it.

        Raises:
            InvalidInputError: a part of the query cannot be read.
        """
        orders = self._orders(query)
        told = [each.expression.label(f"order_{n}") for n, each in enumerate(orders)]
        page = self.page(statement.add_columns(*told), query).subquery("page")
        cursors = [page.c[f"cursor_{n}"] for n in range(len(orders))]
        return page, cursors, [each.by(page.c[f"order_{n}"]) for n, each in enumerate(orders)]

    def cursor(self, rows: Sequence[Row[Any]], query: Query) -> str:
        """Where the next page starts; empty at the end."""
        if len(rows) <= query.limit:
            return ""
        last = rows[query.limit - 1]._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        values = [last[f"cursor_{n}"] for n in range(len(self._orders(query)))]
        return base64.urlsafe_b64encode(json.dumps([query.sort, *values]).encode()).decode().rstrip("=")

    def _orders(self, query: Query) -> list[_Order]:
        keys = parse_sort(query.sort or self._sort)
        found = [self._order(key) for key in keys]
        descending = keys[-1].descending if keys else self._descending
        kind = Kind.ID if self.key.type.python_type is UUID else Kind.NUMBER
        return [*found, _Order(self.key, kind, descending)]

    def _order(self, key: SortKey) -> _Order:
        field = self.fields[self.known.name(key.field, "sort")]
        if field.through is not None or field.kind is Kind.SEVERAL:
            raise InvalidInputError(
                f"nothing can be sorted by {key.field}", field="sort", value=key.field, remedy="use another field"
            )
        if field.kind is Kind.CHOICE:
            return _Order(func.coalesce(field.ordered, 0), Kind.NUMBER, key.descending)
        if field.kind is Kind.ID:
            return _Order(func.coalesce(cast(field.expression, Text), ""), Kind.TEXT, key.descending)
        if not field.nullable:
            return _Order(field.expression, field.kind, key.descending)
        missing: ColumnElement[Any] = literal_column(_EMPTY[field.kind])
        return _Order(func.coalesce(field.expression, missing), field.kind, key.descending)


def _after(orders: Sequence[_Order], values: Sequence[str]) -> ColumnElement[bool]:
    """Rows behind these values in the order."""
    last = [cast(literal(value, Text), each.expression.type) for each, value in zip(orders, values, strict=True)]
    whole = [each.expression for each in orders]
    if all(each.descending for each in orders):
        return tuple_(*whole) < tuple_(*last)
    if not any(each.descending for each in orders):
        return tuple_(*whole) > tuple_(*last)
    ways = []
    for n, each in enumerate(orders):
        same = [whole[i] == last[i] for i in range(n)]
        ways.append(and_(*same, each.expression < last[n] if each.descending else each.expression > last[n]))
    return or_(*ways)


def _decode(query: Query, orders: Sequence[_Order]) -> list[str]:
    """The sort values of the row before, as text that PostgreSQL can read.

    Raises:
        InvalidInputError: it is not a cursor that a page of this order gave.
    """
    refusal = InvalidInputError(
        "the cursor is not one that a page of this sort gave",
        field="cursor",
        value=query.cursor,
        remedy="use next_cursor of a page with the same sort",
    )
    try:
        told = json.loads(base64.urlsafe_b64decode(query.cursor + "=" * (-len(query.cursor) % 4)))
        sort: str = told[0]
        values: list[str] = told[1:]
        for order, value in zip(orders, values, strict=True):
            _READABLE[order.kind](value)
    except (ValueError, TypeError, AttributeError, LookupError):
        raise refusal from None
    if sort != query.sort:
        raise refusal
    return values


def _text(value: str) -> None:
    if "\x00" in value:
        raise ValueError(value)
    value.encode()


def _number(value: str) -> None:
    if not math.isfinite(float(value)) or abs(float(value)) > 2**62:
        raise ValueError(value)


def _moment(value: str) -> None:
    if value != "-infinity":
        datetime.fromisoformat(value)


_READABLE: dict[Kind, Callable[[str], object]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.MOMENT: _moment,
    Kind.ID: UUID,
}


def fields_of(table: Table, names: Iterable[str]) -> dict[str, Field]:
    """Fields that are columns of one table."""
    return {name: field_of(table.c[name], nullable=bool(table.c[name].nullable)) for name in names}


def holding(words: ColumnElement[Any], phrases: Sequence[Phrase]) -> ColumnElement[bool]:
    """That a row's words hold these; tokens are letters and digits, so that nothing in them needs care."""
    asked = " & ".join(
        f"{'!' if each.negated else ''}({' <-> '.join(each.tokens)}{':*' if each.open else ''})" for each in phrases
    )
    return words.op("@@", return_type=Boolean())(cast(asked, TSQUERY))
