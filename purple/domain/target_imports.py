"""What a file of targets would change of the register."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

from purple.domain.clock import Ids
from purple.domain.errors import InvalidInputError
from purple.domain.target_fields import (
    checked_category,
    checked_zone,
    custom_fields,
    custom_pairs,
    known_frameworks,
    labels,
)
from purple.domain.target_files import Row
from purple.domain.targets import (
    MAX_NAME,
    MAX_VALUE,
    Control,
    Criticality,
    DataClass,
    Environment,
    Exposure,
    Target,
    TargetKind,
    normalise,
    recognise,
)
from purple.domain.units import Tree

E = TypeVar("E", bound=StrEnum)


class Becomes(StrEnum):
    """What a row does to the register."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with a row."""

    row: int
    field: str
    value: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a target, before and after; a business unit by its path."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Line:
    """What one row does."""

    row: int
    becomes: Becomes
    target: Target
    """As it is afterwards."""
    changes: tuple[FieldChange, ...] = ()
    fields: tuple[str, ...] = ()
    """Of the target, those that change."""


@dataclass(slots=True)
class Plan:
    """What a file does to the register, row by row."""

    lines: list[Line] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def of(self, becomes: Becomes) -> list[Line]:
        """The rows that do this."""
        return [line for line in self.lines if line.becomes is becomes]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row as it was understood."""

    row: int
    kind: TargetKind
    kind_said: bool
    fields: Mapping[str, Any]
    """By field of the target, `value` in normal form among them."""


def understand(rows: Iterable[Row], tree: Tree, frameworks: Collection[str] = ()) -> tuple[list[Wanted], list[Refusal]]:
    """Rows with values of their kinds, and what is wrong with the others: each field that is."""
    wanted: list[Wanted] = []
    refused: list[Refusal] = []
    for row in rows:
        found, wrong = _understood(row, tree, frameworks)
        refused += wrong
        if found is not None and not wrong:
            wanted.append(found)
    return wanted, refused


def _understood(row: Row, tree: Tree, frameworks: Collection[str]) -> tuple[Wanted | None, list[Refusal]]:
    fields: dict[str, Any] = {}
    wrong: list[Refusal] = []
    kind: TargetKind | None = None
    for name, cell in row.cells.items():
        try:
            if name == "kind":
                kind = _one_of(TargetKind, name, cell)
            elif name == "unit":
                fields["unit_id"] = _unit(tree, cell)
            elif name == "frameworks":
                fields[name] = known_frameworks(_texts(name, cell), frameworks)
            elif name != "value":
                fields[name] = _READ[name](cell)
        except InvalidInputError as error:
            wrong.append(refusal(row.number, name, cell, error))
    value = row.cells.get("value", "")
    try:
        if "kind" in row.cells and kind is None:
            return None, wrong
        text = _text("value", MAX_VALUE, value)
        known, normal = (kind, normalise(kind, text)) if kind else recognise(text, "value")
    except InvalidInputError as error:
        return None, [*wrong, refusal(row.number, "value", value, error)]
    return Wanted(row.number, known, kind is not None, fields | {"value": normal}), wrong


def refusal(row: int, name: str, cell: object, error: InvalidInputError) -> Refusal:
    """An error of one field, with its row."""
    shown = ", ".join(map(str, cell)) if isinstance(cell, tuple) else str(cell)
    return Refusal(row, name, shown[:200], error.detail, error.remedy)


def _text(name: str, most: int, cell: object) -> str:
    if not isinstance(cell, str) or len(cell) > most or any("\ud800" <= c <= "\udfff" or c == "\x00" for c in cell):
        raise InvalidInputError(
            f"{name} is no text of at most {most} characters", field=name, value=cell, remedy="write it shorter"
        )
    return cell.strip()


def _name(cell: object) -> str:
    text = _text("name", MAX_NAME, cell)
    if not text:
        raise InvalidInputError("a target has a name", field="name", remedy="leave it out for that which it has")
    return text


def _texts(name: str, cell: object) -> tuple[str, ...]:
    if not isinstance(cell, tuple):
        raise InvalidInputError(f"{name} is no list", field=name, value=cell, remedy="give a list of texts")
    return tuple(_text(name, MAX_VALUE, each) for each in cell)


def _pairs(cell: object) -> object:
    """Custom fields as CSV has them, of those that JSON has by name."""
    return tuple(custom_pairs(cell)) if isinstance(cell, Mapping) else cell


def _one_of(kind: type[E], name: str, cell: object) -> E:
    try:
        return kind(str(cell).strip().lower().replace(" ", "_"))
    except ValueError:
        raise InvalidInputError(
            f"{cell!r} is no {name}", field=name, value=cell, remedy=f"use one of {', '.join(kind)}"
        ) from None


def _controls(cell: object) -> tuple[Control, ...]:
    return tuple(sorted({_one_of(Control, "controls", each) for each in _texts("controls", cell)}))


def _unit(tree: Tree, cell: object) -> UUID | None:
    path = _text("unit", MAX_VALUE, cell)
    unit = tree.named(path) if path else None
    if path and unit is None:
        raise InvalidInputError(
            f"there is no business unit {path!r}", field="unit", value=path, remedy=f"`purple unit add {path!r}` first"
        )
    return unit.id if unit else None


_READ: Mapping[str, Callable[[object], object]] = {
    "name": _name,
    "criticality": partial(_one_of, Criticality, "criticality"),
    "exposure": partial(_one_of, Exposure, "exposure"),
    "data_class": partial(_one_of, DataClass, "data_class"),
    "tags": lambda cell: labels(_texts("tags", cell)),
    "zone": lambda cell: checked_zone(_text("zone", MAX_NAME, cell)),
    "controls": _controls,
    "environment": partial(_one_of, Environment, "environment"),
    "category": lambda cell: checked_category(_text("category", MAX_NAME, cell)),
    "custom": lambda cell: custom_fields(_texts("custom", _pairs(cell))),
}


class Register:
    """The targets that a file may be about, and those that it makes."""

    def __init__(self, known: Iterable[Target], tree: Tree, organisation_id: UUID, ids: Ids, now: datetime) -> None:
        self._by_value: dict[str, list[Target]] = {}
        for each in known:
            self._by_value.setdefault(each.value, []).append(each)
        self._tree = tree
        self._organisation_id = organisation_id
        self._ids = ids
        self._now = now
        self._rows: dict[tuple[TargetKind, str], int] = {}

    def plan(self, wanted: Sequence[Wanted], refused: Collection[Refusal]) -> Plan:
        """What each row does, in their order."""
        plan = Plan(refused=list(refused))
        for each in wanted:
            try:
                plan.lines.append(self._line(each))
            except InvalidInputError as error:
                plan.refused.append(refusal(each.row, error.field, each.fields["value"], error))
        plan.refused.sort(key=lambda one: one.row)
        return plan

    def _line(self, wanted: Wanted) -> Line:
        known = self._find(wanted)
        key = (known.kind if known else wanted.kind, wanted.fields["value"])
        first = self._rows.setdefault(key, wanted.row)
        if first != wanted.row:
            raise InvalidInputError(f"row {first} is the same target", field="value", remedy="keep one of the two rows")
        if known is None:
            return Line(wanted.row, Becomes.CREATED, self._new(wanted))
        after = replace(known, **wanted.fields)
        names = tuple(name for name, value in wanted.fields.items() if getattr(known, name) != value)
        becomes = Becomes.CHANGED if names else Becomes.UNCHANGED
        changes = tuple(self._change(name, getattr(known, name), getattr(after, name)) for name in names)
        return Line(wanted.row, becomes, after, changes, names)

    def _find(self, wanted: Wanted) -> Target | None:
        """The target that a row names; without a kind, the one that is written so, whatever kind it has."""
        same = self._by_value.get(wanted.fields["value"], [])
        of_kind = [each for each in same if each.kind is wanted.kind]
        if of_kind or wanted.kind_said or not same:
            return of_kind[0] if of_kind else None
        if len(same) > 1:
            raise InvalidInputError(
                f"there are {len(same)} targets of that value", field="value", remedy="say which kind it is"
            )
        return same[0]

    def _new(self, wanted: Wanted) -> Target:
        told = {"name": wanted.fields["value"], "criticality": Criticality.MEDIUM, "tags": ()}
        return Target(
            id=self._ids.new(),
            organisation_id=self._organisation_id,
            kind=wanted.kind,
            created_at=self._now,
            **(told | dict(wanted.fields)),
        )

    def _change(self, name: str, before: object, after: object) -> FieldChange:
        if name != "unit_id":
            return FieldChange(name, before, after)
        paths = {unit.id: unit.path for unit in self._tree.by_id.values()}
        return FieldChange("unit", *(paths.get(each, "") if isinstance(each, UUID) else "" for each in (before, after)))


class TargetSets(Protocol):
    """Many targets at once, each in one statement."""

    async def written(self, values: Collection[str], *, lock: bool) -> tuple[Target, ...]:
        """Those of these values, whatever their kinds; with the lock nobody changes them until the transaction ends."""
        ...

    async def add(self, targets: Sequence[Target]) -> None:
        """Insert them.

        Raises:
            ConflictError: one of them is registered by now.
        """
        ...

    async def change(self, targets: Sequence[Target]) -> None:
        """Write what may change of them, and count their versions up."""
        ...
