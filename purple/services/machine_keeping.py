"""Which targets are one machine, why, and what a person says of that: joined, kept apart, or neither again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError, InvalidInputError
from purple.domain.identity import Actor
from purple.domain.life import checked_why
from purple.domain.machines import (
    MAX_PROPOSALS,
    MAX_SHOWN,
    Link,
    MachineRuling,
    Proposal,
    Twin,
    against,
    links,
)
from purple.domain.ports import UnitOfWork, Work
from purple.domain.targets import Target, TargetKind
from purple.services.events import event
from purple.services.grouping import Grouping

_HOSTLESS = {TargetKind.NETWORK, TargetKind.REPOSITORY, TargetKind.IMAGE}


@dataclass(frozen=True, slots=True)
class Machine:
    """A target with the others that are one machine with it."""

    target: Target
    others: tuple[tuple[Target, Link], ...]
    """The oldest first, at most `MAX_SHOWN`."""
    count: int
    """How many others there are."""
    rulings: tuple[MachineRuling, ...]
    """In force, that speak of the target."""
    names: dict[UUID, str]
    """Of every target that is spoken of, how it is written."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal with its two targets."""

    proposal: Proposal
    target: Target
    other: Target


class MachineKeeping:
    """One call is one transaction; of two that make machines of an organisation at once the second waits."""

    def __init__(self, work: Work, grouping: Grouping, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._grouping = grouping
        self._clock = clock
        self._ids = ids

    async def of(self, organisation_id: UUID, target_id: UUID) -> Machine:
        """The machine of a target.

        Raises:
            NotFoundError: there is no such target.
        """
        async with self._work(organisation_id) as uow:
            return await _told(uow, target_id)

    async def proposals(self, organisation_id: UUID, limit: int = MAX_PROPOSALS) -> tuple[Proposed, ...]:
        """Targets that may be one machine by what a name resolved to, the newest evidence first.

        Raises:
            InvalidInputError: the limit is out of bounds.
        """
        if not 1 <= limit <= MAX_PROPOSALS:
            raise InvalidInputError(
                f"1 to {MAX_PROPOSALS} are told at once", field="limit", value=limit, remedy="choose one in that range"
            )
        async with self._work(organisation_id) as uow:
            found = await uow.machines.proposals(limit)
            ids = {end for each in found for end in (each.target_id, each.other_id)}
            known = {each.id: each for each in await uow.targets.several(ids)}
            return tuple(Proposed(each, known[each.target_id], known[each.other_id]) for each in found)

    async def twins(self, organisation_id: UUID, vulnerability_id: UUID) -> Sequence[Twin]:
        """Under which other targets of its machine a vulnerability stands as well, the highest risk first.

        Raises:
            NotFoundError: there is no such vulnerability.
        """
        async with self._work(organisation_id) as uow:
            found = await uow.findings.vulnerability(vulnerability_id)
            return await uow.machines.twins(found.id, MAX_SHOWN) if found.twin else ()

    async def join(self, target_id: UUID, other_id: UUID, why: str, actor: Actor) -> Machine:
        """Two targets, and with them their machines, are one machine.

        Raises:
            NotFoundError: one of them is not there.
            InvalidInputError: they are one target, one has no host, or nobody said why.
            ConflictError: they were joined before, or somebody said that two of them are not the same.
        """
        return await self._rule(target_id, other_id, why, actor, same=True)

    async def split(self, target_id: UUID, other_id: UUID, why: str, actor: Actor) -> Machine:
        """Two targets are not one machine, whatever their hosts and addresses say.

        Raises:
            NotFoundError: one of them is not there.
            InvalidInputError: they are one target, one has no host, or nobody said why.
            ConflictError: it was said before, or people joined them, if over others.
        """
        return await self._rule(target_id, other_id, why, actor, same=False)

    async def undo(self, ruling_id: UUID, why: str, actor: Actor) -> MachineRuling:
        """Let hosts, and what else people said, decide again.

        Raises:
            NotFoundError: there is no such ruling.
            InvalidInputError: nobody said why.
            ConflictError: it is undone already.
        """
        why, now = checked_why(why), self._clock.now()
        async with self._work(actor.organisation_id) as uow:
            await uow.machines.lock()
            ruling = await uow.machine_rulings.get(ruling_id)
            undone = {"undone_at": now, "undone_by": actor.username}
            if not await uow.machine_rulings.compare_and_set(ruling_id, {"undone_at": None}, **undone):
                raise ConflictError("this ruling is undone already", field="ruling_id", value=ruling_id)
            await self._grouping.regroup(uow, ruling.pair)
            await self._tell(uow, replace(ruling, undone_at=now), actor, why)
            return await uow.machine_rulings.get(ruling_id)

    async def _rule(self, target_id: UUID, other_id: UUID, why: str, actor: Actor, *, same: bool) -> Machine:
        why = checked_why(why)
        async with self._work(actor.organisation_id) as uow:
            await uow.machines.lock()
            await _check_pair(uow, target_id, other_id)
            ruling = MachineRuling(
                id=self._ids.new(),
                organisation_id=actor.organisation_id,
                target_id=target_id,
                other_id=other_id,
                same=same,
                created_at=self._clock.now(),
                actor=actor.username,
                why=why,
                evidence=await uow.machines.evidence(target_id, other_id),
            )
            await _check_ruling(uow, ruling)
            await uow.machine_rulings.add(ruling)
            await self._grouping.regroup(uow, ruling.pair)
            await self._tell(uow, ruling, actor, why)
            return await _told(uow, target_id)

    @staticmethod
    async def _tell(uow: UnitOfWork, ruling: MachineRuling, actor: Actor, why: str) -> None:
        """An event of each of the two."""
        at = ruling.undone_at or ruling.created_at
        undone = ruling.undone_at is not None
        kind = "target.joined" if ruling.same else "target.split"
        occasion = f"{ruling.id}/{'undone' if undone else 'made'}"
        for one, other in ((ruling.target_id, ruling.other_id), (ruling.other_id, ruling.target_id)):
            data = {
                "by": actor.username,
                "why": why,
                "other": str(other),
                "ruling_id": str(ruling.id),
                "undone": undone,
            }
            await uow.events.add(event(actor.organisation_id, kind, one, at, data=data, occasion=occasion))


async def _check_pair(uow: UnitOfWork, target_id: UUID, other_id: UUID) -> None:
    """Refuse what cannot be two names of a machine."""
    if target_id == other_id:
        raise InvalidInputError("that is the target itself", field="other", value=other_id, remedy="name another one")
    for each in await uow.targets.several((target_id, other_id)):
        if each.kind in _HOSTLESS:
            raise InvalidInputError(
                f"{each.value} is a {each.kind}, not one host",
                field="other",
                value=each.value,
                remedy="name a host, domain, web application or API",
            )


async def _check_ruling(uow: UnitOfWork, ruling: MachineRuling) -> None:
    """Refuse what people's rulings in force do not let be: each stands until it is undone."""
    before = against(ruling, *await uow.machines.around(ruling.pair))
    if before is None:
        return
    known = {each.id: each.value for each in await uow.targets.several(before.pair)}
    said = "the same machine" if before.same else "not the same machine"
    raise ConflictError(
        f"{before.actor} said that {known[before.target_id]} and {known[before.other_id]} are {said}: {before.why}",
        field="other",
        value=ruling.other_id,
        remedy=f"undo ruling {before.id} first, where that no longer holds",
    )


async def _told(uow: UnitOfWork, target_id: UUID) -> Machine:
    target = await uow.targets.get(target_id)
    members, rulings = await uow.machines.around([target_id])
    mine = [each for each in members if each.machine_id is not None and each.machine_id == target.machine_id]
    found = links(target_id, mine, rulings) if mine else {}
    shown = sorted((each for each in mine if each.id in found), key=lambda each: each.age)[:MAX_SHOWN]
    spoken = tuple(each for each in rulings if target_id in each.pair)
    ids = (
        {each.id for each in shown}
        | {found[each.id].via for each in shown}
        | {end for each in spoken for end in each.pair}
    )
    known = {each.id: each for each in await uow.targets.several(ids)}
    return Machine(
        target=target,
        others=tuple((known[each.id], found[each.id]) for each in shown),
        count=len(found),
        rulings=spoken,
        names={each.id: each.value for each in known.values()},
    )
