"""Targets from files: a look at what would change, and the change, all of it or nothing."""

import asyncio
from dataclasses import replace
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import InvalidInputError
from purple.domain.ports import UnitOfWork, Work
from purple.domain.target_files import Row, read
from purple.domain.target_imports import Becomes, Plan, Register, understand
from purple.domain.units import Tree
from purple.services.compliance.frameworks import Frameworks
from purple.services.grouping import Grouping
from purple.services.targets import created, follow


class TargetImport:
    """A row that names a target of the register changes what it tells of it; any other registers one.

    What a file says twice it says once: importing it again changes nothing.
    """

    def __init__(
        self, work: Work, frameworks: Frameworks, clock: Clock, ids: Ids, grouping: Grouping | None = None
    ) -> None:
        self._work = work
        self._grouping = grouping or Grouping()
        self._frameworks = frameworks
        self._clock = clock
        self._ids = ids

    async def look(self, organisation_id: UUID, data: bytes) -> Plan:
        """What a file would change, and what is wrong with it; nothing is written.

        Raises:
            InvalidInputError: it cannot be read as a file of targets.
            TooLargeError: it is too large.
        """
        rows = await asyncio.to_thread(read, data)
        async with self._work(organisation_id) as uow:
            return await self._plan(uow, organisation_id, rows, Tree(await uow.unit_tree.all()))

    async def take(self, organisation_id: UUID, data: bytes) -> Plan:
        """Change what a file says, in one transaction.

        Raises:
            InvalidInputError: it cannot be read, or one of its rows is refused: then nothing is changed.
            TooLargeError: it is too large.
            ConflictError: somebody registered one of its targets meanwhile.
        """
        rows = await asyncio.to_thread(read, data)
        async with self._work(organisation_id) as uow:
            plan = await self._plan(uow, organisation_id, rows, await uow.unit_tree.hold(), lock=True)
            _refuse(plan)
            await self._write(uow, plan)
        return plan

    async def _plan(
        self, uow: UnitOfWork, organisation_id: UUID, rows: tuple[Row, ...], tree: Tree, *, lock: bool = False
    ) -> Plan:
        wanted, refused = await asyncio.to_thread(understand, rows, tree, self._frameworks.names())
        known = await uow.target_sets.written([each.fields["value"] for each in wanted], lock=lock)
        register = Register(known, tree, organisation_id, self._ids, self._clock.now())
        return await asyncio.to_thread(register.plan, wanted, refused)

    async def _write(self, uow: UnitOfWork, plan: Plan) -> None:
        new = [line.target for line in plan.of(Becomes.CREATED)]
        await uow.target_sets.add(new)
        changed = [
            (replace(line.target, version=line.target.version + 1), line.fields) for line in plan.of(Becomes.CHANGED)
        ]
        await uow.target_sets.change([target for target, _ in changed])
        await uow.events.add(*map(created, new))
        moved = [target.id for target, names in changed if "zone" in names]
        if placed := [*(each.id for each in new), *moved]:
            await self._grouping.regroup(uow, placed, held=[target.id for target, _ in changed])
        await follow(uow, changed, self._clock.now())


def _refuse(plan: Plan) -> None:
    """Refuse a file of which a row is refused, by the first one."""
    if not plan.refused:
        return
    first = plan.refused[0]
    others = len({each.row for each in plan.refused}) - 1
    also = f", and {others} more row{'s are' if others > 1 else ' is'} refused" if others else ""
    raise InvalidInputError(
        f"row {first.row}: {first.detail}{also}; nothing was changed",
        field=f"rows.{first.row}.{first.field}",
        value=first.value,
        remedy=f"{first.remedy}; a preview names every row that is refused",
    )
