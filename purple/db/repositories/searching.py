"""Rows as documents of an index, and the same search by PostgreSQL itself."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    extract,
    func,
    literal,
    literal_column,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from purple.db.models import events, scans, sightings, targets, vulnerabilities
from purple.db.models.base import Mapped
from purple.db.repositories.fields import Field
from purple.db.repositories.listing import Listing, holding
from purple.db.repositories.listings import EVENTS, SAMPLES, SCANS, TEXTS, VULNERABILITIES, WORDS
from purple.db.repositories.units import units_in
from purple.domain.conditions import Among, Condition, Kind, Test
from purple.domain.queries import folded
from purple.domain.search import (
    AUDIT_LOGS,
    MOST_COUNTED,
    SAMPLED,
    SCAN_RESULTS,
    SYSTEM_METRICS,
    Document,
    Hits,
    Index,
    Wanted,
)
from purple.domain.search import VULNERABILITIES as VULNERABILITIES_INDEX
from purple.domain.units import MAX_UNITS

PUNCTUATION = string.punctuation
BLANKS = " " * len(PUNCTUATION)
UNIT = "unit"
"""The field whose values people name by a path."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What rows of a table are as documents."""

    index: Index
    table: Table
    listing: Listing
    texts: tuple[ColumnElement[Any], ...]
    """What words are searched in; the first is the heading."""
    words: ColumnElement[Any]
    """The same as PostgreSQL searches it."""
    indexed: bool = False
    """Whether PostgreSQL has an index of the words; else it looks for them in those that come first alone."""
    only: tuple[ColumnElement[bool], ...] = ()
    """Which rows of the table these are."""
    beside: FromClause | None = None
    """The table with what documents have of other tables, looked up once for all fields of a row."""
    shown: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    """Those fields, by name."""

    @property
    def order(self) -> list[ColumnElement[Any]]:
        """That of the index; an id ends it."""
        first = (self.listing.fields[name].expression for name in self.index.first)
        return [*(each.desc() for each in first), self.listing.key.desc()]

    def matching(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        """What is asked of a row."""
        asked = [*self.only, *self.listing.asked(wanted.conditions)]
        if wanted.phrases:
            if not self.indexed:
                first = select(self.listing.key).where(*asked).order_by(*self.order).limit(MOST_COUNTED)
                asked = [self.listing.key.in_(first)]
            asked.append(holding(self.words, wanted.phrases))
        return asked


_FEW, _ALL = 10, MAX_UNITS
_V = vulnerabilities.c
_SEEN = (
    select(
        func.array_agg(sightings.c.campaign_id.distinct()).label("campaign_id"),
        func.array_agg(sightings.c.tool.distinct()).label("tool"),
        func.min(sightings.c.seen_at).label("first_seen"),
        func.max(sightings.c.seen_at).label("last_seen"),
    )
    .where(sightings.c.vulnerability_id == _V.id)
    .lateral("seen")
)
_PLACE = select(targets.c.unit_id, targets.c.tags).where(targets.c.id == _V.target_id).lateral("place")
_NONE: ColumnElement[Any] = cast(array([]), ARRAY(Text))
_SHOWN: Mapping[str, ColumnElement[Any]] = {
    "campaign_id": func.coalesce(cast(_SEEN.c.campaign_id, ARRAY(Text)), _NONE, type_=ARRAY(Text)),
    "tool": func.coalesce(cast(_SEEN.c.tool, ARRAY(Text)), _NONE, type_=ARRAY(Text)),
    "first_seen": _SEEN.c.first_seen,
    "last_seen": _SEEN.c.last_seen,
    "unit": _PLACE.c.unit_id,
    "tags": type_coerce(_PLACE.c.tags, ARRAY(Text)),
}
_OF_VULNERABILITIES = Index(
    VULNERABILITIES_INDEX,
    VULNERABILITIES.known,
    dict.fromkeys(("severity", "state", "kev", "tool", "weakness", "target_id", UNIT, "tags"), _FEW) | {UNIT: _ALL},
    ("risk",),
)
_S, _E = scans.c, events.c
_SCANNED = (_S.tool, _S.host, _S.url, _S.reason)
_LOGGED = (_E.type, _E.data)


def _plain(
    name: str,
    table: Table,
    listing: Listing,
    texts: tuple[ColumnElement[Any], ...],
    facets: Sequence[str],
    first: tuple[str, ...],
    *only: ColumnElement[bool],
) -> Source:
    """Rows whose words PostgreSQL keeps no index of; events count once they have their position."""
    joined = func.concat_ws(" ", *(cast(each, Text) for each in texts))
    words = func.to_tsvector(literal_column("'simple'::regconfig"), func.translate(joined, PUNCTUATION, BLANKS))
    placed = (events.c.position.is_not(None),) if table is events else ()
    index = Index(name, listing.known, dict.fromkeys(facets, _FEW), first)
    return Source(index, table, listing, texts, words, only=(*placed, *only))


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        VULNERABILITIES_INDEX: Source(
            _OF_VULNERABILITIES,
            vulnerabilities,
            VULNERABILITIES,
            TEXTS,
            WORDS,
            indexed=True,
            beside=vulnerabilities.join(_SEEN, true()).outerjoin(_PLACE, true()),
            shown=_SHOWN,
        ),
        SCAN_RESULTS: _plain(SCAN_RESULTS, scans, SCANS, _SCANNED, ("tool", "state", "phase", "zone"), ("created_at",)),
        AUDIT_LOGS: _plain(
            AUDIT_LOGS, events, EVENTS, _LOGGED, ("object", "type", "actor"), ("at",), _E.type != SAMPLED
        ),
        SYSTEM_METRICS: _plain(SYSTEM_METRICS, events, SAMPLES, (_E.type,), (), ("at",), _E.type == SAMPLED),
    }
)
"""By index."""


class DocumentRows:
    """See `domain.search.Documents`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ids(
        self, index: str, after: UUID | None, limit: int, where: Mapping[str, Sequence[UUID]] | None = None
    ) -> Sequence[UUID]:
        """By the primary key."""
        listing = SOURCES[index].listing
        wanted = [*SOURCES[index].only, *(listing.exactly(name, values) for name, values in (where or {}).items())]
        if after is not None:
            wanted.append(listing.key > after)
        statement = select(listing.key).where(*wanted).order_by(listing.key).limit(limit)
        return (await self._connection.execute(statement)).scalars().all()

    async def some(self, index: str, ids: Sequence[UUID]) -> Sequence[Document]:
        """Each field as the list of the rows has it, and as JSON takes it: to make that of it here costs most."""
        rows = await self._connection.execute(_reading(index), {"ids": list(ids)})
        names = [*SOURCES[index].listing.fields, "organisation_id"]
        return [dict(zip(names, row, strict=False), words=folded(row[-1]), heading=folded(row[-2])) for row in rows]

    async def find(self, index: str, wanted: Wanted) -> Hits:
        """Those with the highest risk are counted, and no more than can be counted while somebody waits."""
        source = SOURCES[index]
        matched = _matched(source, source.matching(wanted))
        parts = [_first(matched, wanted.limit), *(_counts(source, matched, *each) for each in wanted.facets.items())]
        rows = (await self._connection.execute(union_all(*parts))).all()
        counts: dict[str, dict[str, int]] = {name: {} for name in wanted.facets}
        for name, value, number in sorted(rows, key=lambda row: (-row[2], row[1])):
            if name:
                counts[name][value] = number
        first = sorted((place, value) for name, value, place in rows if not name and value)
        total = next(number for name, value, number in rows if not name and not value)
        ids = tuple(UUID(value) for _, value in first)
        bounded = total > MOST_COUNTED or (bool(wanted.phrases) and not source.indexed)
        return Hits(ids, min(total, MOST_COUNTED), counts, bounded)

    async def settled(self, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
        """A unit with all below it."""
        return tuple([await self._settled(each) if each.name == UNIT else each for each in conditions])

    async def _settled(self, condition: Condition) -> Condition:
        tests: list[Test] = []
        for each in condition.tests:
            if isinstance(each, Among):
                known = (await self._connection.execute(units_in(each.values))).scalars()
                tests.append(Among(tuple(sorted(map(str, known)))))
            else:
                tests.append(each)
        return replace(condition, tests=tuple(tests))


def _matched(source: Source, conditions: Sequence[ColumnElement[bool]]) -> CTE:
    place = func.row_number().over(order_by=source.order).label("place")
    found = select(source.listing.key.label("id"), place).where(*conditions)
    return found.order_by(*source.order).limit(MOST_COUNTED + 1).cte("matched")


def _first(matched: CTE, limit: int) -> Select[Any]:
    """The first ids in their order, and a row without one that says how many there are."""
    rows = (
        select(literal("", Text), cast(matched.c.id, Text), cast(matched.c.place, Integer))
        .where(matched.c.place <= limit)
        .order_by(matched.c.place)
        .union_all(select(literal("", Text), literal("", Text), cast(func.count(), Integer)).select_from(matched))
        .subquery()
    )
    return select(*rows.c)


def _counts(source: Source, matched: CTE, name: str, most: int) -> Select[Any]:
    mine = source.table.join(matched, (source.listing.key == matched.c.id) & (matched.c.place <= MOST_COUNTED))
    values = select(_values(source.listing.fields[name]).label("value")).select_from(mine).subquery()
    number = func.count()
    rows = (
        select(literal(name, Text), values.c.value, cast(number, Integer))
        .where(values.c.value.is_not(None))
        .group_by(values.c.value)
        .order_by(number.desc(), values.c.value.collate("C"))
        .limit(most)
        .subquery()
    )
    return select(*rows.c)


def _values(field: Field) -> ColumnElement[Any]:
    if isinstance(field.expression.type, ARRAY):
        return cast(func.unnest(field.expression), Text)
    return cast(type_coerce(field.expression, Text) if field.choices else field.expression, Text)


@cache
def _reading(index: str) -> Select[Any]:
    """Some rows of an index by their ids; the last two columns are what words are in."""
    source = SOURCES[index]
    shown = source.shown
    fields = [
        _told(replace(each, expression=shown[name]) if name in shown else each)
        for name, each in source.listing.fields.items()
    ]
    texts = [_text(each) for each in source.texts]
    ids = bindparam("ids", type_=ARRAY(Uuid()))
    told = select(*fields, cast(source.table.c.organisation_id, Text), texts[0], func.concat_ws(" ", *texts))
    if source.beside is not None:
        told = told.select_from(source.beside)
    return told.where(source.listing.key == func.any(ids), *source.only)


def _told(field: Field) -> ColumnElement[Any]:
    """A field as JSON takes it; a moment as microseconds since 1970, exactly."""
    if isinstance(field.expression.type, ARRAY):
        return type_coerce(cast(field.expression, ARRAY(Text)), NullType())  # the driver's list need not be copied
    match field.kind:
        case Kind.MOMENT:
            return cast(extract("epoch", field.expression) * 1_000_000, BigInteger)
        case Kind.NUMBER:
            return field.expression
        case _:
            return cast(field.expression, Text)


def _text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    stored = column.type.stored if isinstance(column.type, Mapped) else column.type
    return func.array_to_string(column, " ") if isinstance(stored, ARRAY) else cast(column, Text)


__all__ = ["SOURCES", "DocumentRows", "Source"]
