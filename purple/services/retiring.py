"""Targets that are tested no more: retired with what is known of them, and restored with it."""

from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError
from purple.domain.identity import Actor
from purple.domain.life import MAX_AT_ONCE, Chosen, Operation, Told, Wanted, checked_why
from purple.domain.pages import Query
from purple.domain.ports import UnitOfWork, Work
from purple.domain.targets import Target
from purple.domain.vulnerabilities import ChangeCause, VulnerabilityState
from purple.services.events import event
from purple.services.life import decide, take_back


class Retiring:
    """A target is never deleted: scans, sightings and decisions speak of it."""

    def __init__(self, work: Work, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def retire(self, target_id: UUID, version: int, why: str, actor: Actor) -> Target:
        """Test it no more; its present vulnerabilities go out of scope, as one triage.

        Raises:
            NotFoundError: there is no such target.
            PreconditionFailedError: somebody changed it since.
            ConflictError: it is retired already.
            InvalidInputError: nobody said why.
        """
        why, now = checked_why(why, needed=True), self._clock.now()
        async with self._work(actor.organisation_id) as uow:
            if (await uow.targets.get(target_id)).retired_at is not None:
                raise ConflictError("it is retired already", value=target_id, remedy="restore it, where that is meant")
            operation_id = self._ids.new()
            changes = {"retired_at": now, "retired_by": actor.username, "retirement": operation_id}
            target = await uow.targets.edit(target_id, version, **changes)
            told = Told(ChangeCause.PERSON, now, actor.username, why, operation_id)
            changed = await _put_out_of_scope(uow, target, told)
            if changed:
                asked = {"filter": f"target_id:{target_id}", "state": str(VulnerabilityState.OUT_OF_SCOPE)}
                outcome = {"changed": changed, "changes": {}, "refused": []}
                await uow.operations.add(
                    Operation(operation_id, target.organisation_id, now, actor.username, why, asked, outcome)
                )
            data = {"by": actor.username, "value": target.value, "out_of_scope": changed}
            await uow.events.add(event(target.organisation_id, "target.retired", target_id, now, data=data))
        return target

    async def restore(self, target_id: UUID, version: int, actor: Actor) -> Target:
        """Test it again; what went out of scope with it is what it was, but for what somebody changed since.

        Raises:
            NotFoundError: there is no such target.
            PreconditionFailedError: somebody changed it since.
            ConflictError: it is not retired.
        """
        now = self._clock.now()
        async with self._work(actor.organisation_id) as uow:
            before = await uow.targets.get(target_id)
            if before.retired_at is None or before.retirement is None:
                raise ConflictError("it is not retired", value=target_id, remedy="it can be tested as it is")
            changes = {"retired_at": None, "retired_by": "", "retirement": None}
            target = await uow.targets.edit(target_id, version, **changes)
            mine = {"undone_at": now, "undone_by": actor.username}
            restored = 0
            if await uow.operations.compare_and_set(before.retirement, {"undone_at": None}, **mine):
                told = Told(ChangeCause.UNDO, now, actor.username, "the target is restored")
                restored = len((await take_back(uow, actor.organisation_id, before.retirement, told)).restored)
            data = {"by": actor.username, "value": target.value, "restored": restored}
            occasion = str(target.version)
            await uow.events.add(
                event(target.organisation_id, "target.restored", target_id, now, data=data, occasion=occasion)
            )
        return target


async def _put_out_of_scope(uow: UnitOfWork, target: Target, told: Told) -> int:
    """All present vulnerabilities of a target, some at a time; how many there were."""
    states = ",".join(str(each) for each in VulnerabilityState if each.counts)
    chosen = Chosen(query=Query(filter=f"target_id:{target.id} state:{states}"))
    wanted = Wanted(VulnerabilityState.OUT_OF_SCOPE, why=told.why)
    number = 0
    while held := await uow.lives.select(chosen, MAX_AT_ONCE, lock=True):
        await decide(uow, target.organisation_id, [each.id for each in held], wanted, told)
        number += len(held)
    return number
