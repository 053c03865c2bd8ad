"""Business units: the parts of an organisation, as a tree whose owners answer for the targets in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from purple.domain.errors import ConflictError, InvalidInputError
from purple.domain.filters import NONE

MAX_NAME = 100
MAX_DEPTH = 10
MAX_UNITS = 1_000
"""Of one organisation, so that its whole tree is looked at at once."""
SEPARATOR = "/"


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of an organisation."""

    id: UUID
    organisation_id: UUID
    name: str
    created_at: datetime
    parent_id: UUID | None = None
    owner: str = ""
    """A user name, or empty for nobody."""
    version: int = 1
    path: str = ""
    """The names from the root to it, such as `Retail/Payments`; follows from the tree."""
    lineage: tuple[UUID, ...] = ()
    """The ids from the root to it, itself the last; likewise."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a unit stands, with all that is below it."""

    unit: Unit
    targets: int
    present: Mapping[str, int]
    """Present vulnerabilities by severity, the worst first; severities without any are left out."""
    risk: int
    """0 to 100."""


@dataclass(frozen=True, slots=True)
class Use:
    """What keeps a unit from being deleted."""

    units: int
    targets: int
    rules: int


def checked_name(text: str) -> str:
    """A unit's name with single blanks.

    Raises:
        InvalidInputError: it is empty, too long, or would be read as something else in a path.
    """
    name = " ".join(text.split())
    if not 1 <= len(name) <= MAX_NAME or SEPARATOR in name or not name.isprintable() or name.lower() == NONE:
        raise InvalidInputError(
            f"{name[:MAX_NAME]!r} is no name of a business unit",
            field="name",
            value=text,
            remedy=f"use 1 to {MAX_NAME} characters, no {SEPARATOR}, and not the word {NONE}",
        )
    return name


def normal(path: str) -> str:
    """A path without blanks around its names."""
    return SEPARATOR.join(" ".join(name.split()) for name in path.split(SEPARATOR))


def key_of(path: str) -> str:
    """How a path is compared: whatever its case."""
    return normal(path).lower()


class Tree:
    """Every unit of an organisation."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.by_id = {each.id: each for each in units}
        self.by_path = {key_of(each.path): each for each in self.by_id.values()}

    def named(self, path: str) -> Unit | None:
        """The unit of a path such as `Retail/Payments`; None where there is none."""
        return self.by_path.get(key_of(path))

    def placed(self, unit: Unit) -> Unit:
        """A unit, new or changed, with the path and lineage that its parent gives it.

        Raises:
            InvalidInputError: its parent is not there, is below it, or so deep that it would be too deep.
            ConflictError: its parent has another one of that name, or there are too many.
        """
        above = self._parent(unit)
        path = f"{above.path}{SEPARATOR}{unit.name}" if above else unit.name
        lineage = (*above.lineage, unit.id) if above else (unit.id,)
        if len(lineage) - 1 + self._height(unit.id) > MAX_DEPTH:
            raise InvalidInputError(
                f"the tree would be more than {MAX_DEPTH} levels deep",
                field="parent_id",
                value=path,
                remedy="put it higher up",
            )
        known = self.named(path)
        if known is not None and known.id != unit.id:
            raise ConflictError(
                f"there is a business unit {known.path} already", field="name", value=unit.name, remedy="name it else"
            )
        if unit.id not in self.by_id and len(self.by_id) >= MAX_UNITS:
            raise ConflictError(
                f"an organisation has at most {MAX_UNITS} business units", remedy="delete those that are empty"
            )
        return replace(unit, path=path, lineage=lineage)

    def _parent(self, unit: Unit) -> Unit | None:
        if unit.parent_id is None:
            return None
        above = self.by_id.get(unit.parent_id)
        if above is None:
            raise unknown(unit.parent_id, "parent_id")
        if unit.id in above.lineage:
            raise InvalidInputError(
                f"{above.path} is {'the unit itself' if above.id == unit.id else 'below it'}",
                field="parent_id",
                value=unit.parent_id,
                remedy="put it under one that is not part of it",
            )
        return above

    def _height(self, unit_id: UUID) -> int:
        """How many levels there are from a unit down, itself among them."""
        depths = [len(each.lineage) for each in self.by_id.values() if unit_id in each.lineage]
        return max(depths) - len(self.by_id[unit_id].lineage) + 1 if depths else 1


def unknown(unit_id: object, field: str) -> InvalidInputError:
    """What names a unit that is not there."""
    return InvalidInputError(
        f"there is no business unit {unit_id}", field=field, value=unit_id, remedy="use one of those that are listed"
    )


class UnitTree(Protocol):
    """The units of an organisation as a whole."""

    async def all(self) -> tuple[Unit, ...]:
        """Each, in the order of their paths."""
        ...

    async def hold(self) -> Tree:
        """The tree, which stays so until the transaction ends: who would change it, or lean on it, waits."""
        ...

    async def carry(self, before: Unit, after: Unit) -> None:
        """Give all that is below a unit the path and lineage that follow from its own."""
        ...

    async def targets(self, unit_id: UUID) -> tuple[UUID, ...]:
        """The targets of a unit and of all below it."""
        ...

    async def counts(self) -> Mapping[UUID, int]:
        """How many targets each has itself; units without any are left out."""
        ...

    async def use(self, unit_id: UUID) -> Use:
        """What hangs on one."""
        ...

    async def remove(self, unit_id: UUID, version: int) -> None:
        """Delete one that has this version and on which nothing hangs.

        Raises:
            PreconditionFailedError: it has another version by now.
        """
        ...
