"""Machines follow what they depend on: the hosts of targets, and what people say of them."""

from collections.abc import Collection, Mapping
from functools import cached_property
from uuid import UUID

from purple.domain.machines import machines
from purple.domain.ports import UnitOfWork
from purple.domain.tools import ToolCatalogue


class Grouping:
    """A part of the transaction of whatever changes targets, rulings or flaws."""

    def __init__(self, tools: ToolCatalogue | None = None) -> None:
        self._tools = tools

    @cached_property
    def _fields(self) -> Mapping[str, tuple[str, ...]]:
        """By which facts each tool tells flaws apart, as it says of itself."""
        specs = (self._tools.spec(name) for name in self._tools.names()) if self._tools else ()
        return {each.name: each.fingerprint_fields for each in specs if each.fingerprint_fields}

    async def regroup(
        self, uow: UnitOfWork, target_ids: Collection[UUID], held: Collection[UUID] = ()
    ) -> dict[UUID, UUID | None]:
        """Find of which machine these targets and those around them are now, and mark the flaws of those that moved.

        Args:
            uow: the transaction.
            target_ids: targets that are new, have another zone, or of which something else was said.
            held: targets whose vulnerabilities the same transaction changes after this.
        """
        await uow.machines.lock()
        members, rulings = await uow.machines.around(target_ids)
        found = machines(members, rulings)
        moves = {each.id: found[each.id] for each in members if found[each.id] != each.machine_id}
        if moves:
            await uow.machines.place(moves, held)
            await uow.machines.mark([each for each, machine in moves.items() if machine], self._fields)
        return found

    async def follow(self, uow: UnitOfWork, campaign_id: UUID) -> None:
        """Keep what names resolved to, and mark what a campaign found."""
        await uow.machines.note_addresses(campaign_id)
        if grouped := await uow.machines.unmarked(campaign_id=campaign_id):
            await uow.machines.mark(grouped, self._fields)
