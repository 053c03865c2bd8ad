"""Business units: the parts of an organisation, who answers for each, and how it stands."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError, NotFoundError
from purple.domain.pages import Page, Query
from purple.domain.ports import UnitOfWork, Work
from purple.domain.units import Standing, Tree, Unit, Use, checked_name, unknown
from purple.services.events import event
from purple.services.life import check_owner
from purple.services.risking import standings

_PLACED = frozenset({"name", "parent_id"})
"""What the place of a unit in the tree follows from."""


class Units:
    """Whoever changes the tree, or puts something into it, waits for whoever else does."""

    def __init__(self, work: Work, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def create(self, organisation_id: UUID, name: str, *, parent_id: UUID | None = None, owner: str = "") -> Unit:
        """Add a unit to the tree.

        Raises:
            InvalidInputError: it is no name, there is no such parent or owner, or the tree would be too deep.
            ConflictError: its parent has one of that name, or there are too many.
        """
        wanted = Unit(
            id=self._ids.new(),
            organisation_id=organisation_id,
            name=checked_name(name),
            created_at=self._clock.now(),
            parent_id=parent_id,
            owner=owner.strip(),
        )
        async with self._work(organisation_id) as uow:
            unit = (await uow.unit_tree.hold()).placed(wanted)
            await check_owner(uow, unit.owner)
            await uow.units.add(unit)
            data = {"path": unit.path, "owner": unit.owner}
            await uow.events.add(event(organisation_id, "unit.created", unit.id, unit.created_at, data=data))
        return unit

    async def edit(self, organisation_id: UUID, unit_id: UUID, version: int, **changes: Any) -> Unit:
        """Change `name`, `parent_id` or `owner` of the version read; what is below moves with it, due dates follow.

        Raises:
            InvalidInputError: as of one that is new, or it would be below itself.
            NotFoundError: there is no such unit.
            PreconditionFailedError: somebody changed it since.
            ConflictError: its parent has one of that name.
        """
        if "name" in changes:
            changes["name"] = checked_name(changes["name"])
        if "owner" in changes:
            changes["owner"] = changes["owner"].strip()
        async with self._work(organisation_id) as uow:
            tree = await uow.unit_tree.hold()
            before = await uow.units.get(unit_id)
            await check_owner(uow, changes.get("owner", ""))
            after = replace(before, **changes)
            if _PLACED & set(changes):
                after = tree.placed(after)
                changes |= {"path": after.path, "lineage": after.lineage}
            unit = await uow.units.edit(unit_id, version, **changes)
            if (after.path, after.lineage) != (before.path, before.lineage):
                await uow.unit_tree.carry(before, unit)
            if after.lineage != before.lineage:
                await uow.due_dates.date(target_ids=await uow.unit_tree.targets(unit_id))
            told = event(
                organisation_id,
                "unit.changed",
                unit_id,
                self._clock.now(),
                data={"path": unit.path, "owner": unit.owner, "before": before.path},
                occasion=str(unit.version),
            )
            await uow.events.add(told)
            return unit

    async def delete(self, organisation_id: UUID, unit_id: UUID, version: int) -> None:
        """Take an empty unit out of the tree.

        Raises:
            NotFoundError: there is no such unit.
            PreconditionFailedError: somebody changed it since.
            ConflictError: there are units below it, targets in it, or rules of due dates that name it.
        """
        async with self._work(organisation_id) as uow:
            await uow.unit_tree.hold()
            unit = await uow.units.get(unit_id)
            _refuse(unit, await uow.unit_tree.use(unit_id))
            await uow.unit_tree.remove(unit_id, version)
            data = {"path": unit.path}
            await uow.events.add(event(organisation_id, "unit.deleted", unit_id, self._clock.now(), data=data))

    async def get(self, organisation_id: UUID, unit_id: UUID) -> Unit:
        """One unit.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.units.get(unit_id)

    async def named(self, organisation_id: UUID, text: str) -> Unit:
        """A unit by its id or its path.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            tree = Tree(await uow.unit_tree.all())
        found = tree.named(text) or next((each for each in tree.by_id.values() if str(each.id) == text.lower()), None)
        if found is not None:
            return found
        raise NotFoundError(f"there is no business unit {text!r}", value=text, remedy="see those that there are")

    async def page(self, organisation_id: UUID, query: Query) -> Page[Unit]:
        """By default in the order of their paths."""
        async with self._work(organisation_id) as uow:
            return await uow.units.page(query)

    async def all(self, organisation_id: UUID) -> tuple[Unit, ...]:
        """Every one, those above before those below."""
        async with self._work(organisation_id) as uow:
            return await uow.unit_tree.all()

    async def tree(self, organisation_id: UUID) -> tuple[Standing, ...]:
        """Every one, those above before those below, and how it stands with all that is below it."""
        async with self._work(organisation_id) as uow:
            units = await uow.unit_tree.all()
            return standings(units, await uow.unit_tree.counts(), await uow.risks.tallies(once=True))


def _refuse(unit: Unit, use: Use) -> None:
    """Refuse to delete a unit on which something hangs."""
    hanging = (
        ("business unit", "below it", use.units),
        ("target", "in it", use.targets),
        ("rule", "of due dates", use.rules),
    )
    told = [f"{count} {noun}{'s' * (count > 1)} {where}" for noun, where, count in hanging if count]
    if told:
        raise ConflictError(
            f"{unit.path} is not empty: {', '.join(told)}",
            value=unit.id,
            remedy="move what is in it to another unit, and take it out of the rules",
        )


async def check_unit(uow: UnitOfWork, unit_id: UUID | None) -> None:
    """Refuse a unit that is not there; one that is stays until the transaction ends.

    Raises:
        InvalidInputError: the organisation has no such unit.
    """
    if unit_id is not None and unit_id not in (await uow.unit_tree.hold()).by_id:
        raise unknown(unit_id, "unit_id")
