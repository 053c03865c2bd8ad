"""Why sightings are one flaw, and what a person says against it: split for good, joined for good, or neither again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError, InvalidInputError, NotFoundError, PreconditionFailedError
from purple.domain.fingerprints import fingerprint, identity, split_off
from purple.domain.identity import Actor
from purple.domain.life import Chosen, Held, Told, Wanted, checked_why
from purple.domain.ports import UnitOfWork, Work
from purple.domain.rulings import MAX_JOINED, Ruling, Witness, leads, reach
from purple.domain.tools import ToolCatalogue
from purple.domain.vulnerabilities import ChangeCause, Vulnerability, VulnerabilityState
from purple.services.doubting import Origin, abilities_of, doubt
from purple.services.events import event
from purple.services.life import events_of
from purple.services.weighing import weigh

_CLOSED = {VulnerabilityState.FIXED, VulnerabilityState.DUPLICATE}


@dataclass(frozen=True, slots=True)
class Explained:
    """Why all that was seen of a vulnerability is one flaw."""

    target_id: UUID
    parts: tuple[tuple[str, str], ...]
    """What its sightings have in common, by name; with the target these make the fingerprint."""
    witnesses: Sequence[Witness]
    rulings: tuple[Ruling, ...]
    """In force: those that brought sightings here or took some away."""
    duplicate_of: UUID | None
    """The vulnerability that has its sightings now."""


class Correlating:
    """One call is one transaction; an analysis of the same target waits."""

    def __init__(self, work: Work, tools: ToolCatalogue, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._tools = tools
        self._clock = clock
        self._ids = ids

    async def explain(self, organisation_id: UUID, vulnerability_id: UUID) -> Explained:
        """Why it is one flaw.

        Raises:
            NotFoundError: there is no such vulnerability.
        """
        async with self._work(organisation_id) as uow:
            found = await uow.findings.vulnerability(vulnerability_id)
            witnesses = await uow.correlations.witnesses(found.fingerprint)
            known = await uow.rulings.all()
            return Explained(
                target_id=found.target_id,
                parts=await self._parts(uow, found),
                witnesses=witnesses,
                rulings=tuple(
                    each
                    for each in known
                    if each.undone_at is None and found.fingerprint in {each.fingerprint, each.into}
                ),
                duplicate_of=await _kept(uow, known, found) if found.state is VulnerabilityState.DUPLICATE else None,
            )

    async def _parts(self, uow: UnitOfWork, found: Vulnerability) -> tuple[tuple[str, str], ...]:
        """Of what a fingerprint brought here, and not a ruling; of the best told, where there is none such."""
        parts: list[tuple[tuple[str, str], ...]] = []
        kind = (await uow.targets.get(found.target_id)).kind
        observed = await uow.findings.observed(found.observation_ids)
        for row in (observed[each] for each in found.observation_ids):
            known = row.tool in self._tools.names()
            fields = self._tools.spec(row.tool).fingerprint_fields if known else ()
            parts.append(identity(row.seen, fields, kind))
            if fingerprint(found.target_id, row.seen, fields, kind) == found.fingerprint:
                return parts[-1]
        return parts[0] if parts else ()

    async def split(
        self, vulnerability_id: UUID, version: int, tool: str, rule: str, why: str, actor: Actor
    ) -> Vulnerability:
        """What one rule of a tool saw becomes a vulnerability of its own, now and in every later scan.

        Raises:
            NotFoundError: there is no such vulnerability.
            PreconditionFailedError: somebody changed it since.
            InvalidInputError: nothing of it was seen by this rule, or it does not say why.
            ConflictError: it is fixed or a duplicate, or nothing else saw it.
        """
        why = checked_why(why)
        async with self._work(actor.organisation_id) as uow:
            (held,) = await _held(uow, (vulnerability_id,))
            if held.version != version:
                raise PreconditionFailedError.since("vulnerability", version)
            _check_open(held)
            known = (await uow.findings.vulnerability(vulnerability_id)).fingerprint
            others = [(each.tool, each.rule) for each in await uow.correlations.witnesses(known)]
            if (tool, rule) not in others:
                raise InvalidInputError(
                    f"{rule!r} of {tool!r} did not see it",
                    field="rule",
                    value=rule,
                    remedy=f"name one that did: {', '.join(' '.join(each) for each in others)}",
                )
            if len(others) == 1:
                raise ConflictError("nothing else saw it, so there is nothing to split", field="rule", value=rule)
            new = split_off(known, tool, rule)
            ruling = self._ruling(known, new, why, actor, tool=tool, rule=rule)
            await uow.rulings.add(ruling)
            await self._follow(uow, {known, new}, ruling, actor)
            made = await uow.correlations.ids([new])
            return await uow.findings.vulnerability(made[new])

    async def join(
        self, vulnerability_id: UUID, version: int, others: Sequence[UUID], why: str, actor: Actor
    ) -> Vulnerability:
        """Others are this flaw, now and in every later scan: it gets their sightings, and they become duplicates.

        Raises:
            NotFoundError: one of them does not exist.
            PreconditionFailedError: somebody changed it since.
            InvalidInputError: none or too many are named, or it itself, or it does not say why.
            ConflictError: one is a duplicate or an accepted risk, is of another target, or it is fixed and one is not.
        """
        why = checked_why(why)
        if not 0 < len(set(others)) <= MAX_JOINED or vulnerability_id in others:
            raise InvalidInputError(
                f"1 to {MAX_JOINED} others are joined with it", field="others", value=len(others), remedy="name them"
            )
        async with self._work(actor.organisation_id) as uow:
            kept, *joined = await _held(uow, (vulnerability_id, *dict.fromkeys(others)))
            if kept.version != version:
                raise PreconditionFailedError.since("vulnerability", version)
            for each in joined:
                _check_joins(kept, each)
            into = (await uow.findings.vulnerability(kept.id)).fingerprint
            for each in joined:
                known = (await uow.findings.vulnerability(each.id)).fingerprint
                ruling = self._ruling(known, into, why, actor)
                await uow.rulings.add(ruling)
                await self._follow(uow, {known, into}, ruling, actor)
            return await uow.findings.vulnerability(kept.id)

    async def undo(self, ruling_id: UUID, why: str, actor: Actor) -> Ruling:
        """Let fingerprints decide again; a flaw that was joined gets back its sightings and its state.

        Raises:
            NotFoundError: there is no such ruling.
            ConflictError: it is undone already.
        """
        why = checked_why(why)
        now = self._clock.now()
        async with self._work(actor.organisation_id) as uow:
            ruling = await uow.rulings.get(ruling_id)
            touched = reach(await uow.rulings.all(), [ruling.fingerprint])
            await _held(uow, tuple((await uow.correlations.ids(sorted(touched))).values()))
            undone = {"undone_at": now, "undone_by": actor.username}
            if not await uow.rulings.compare_and_set(ruling_id, {"undone_at": None}, **undone):
                raise ConflictError("this ruling is undone already", field="ruling_id", value=ruling_id)
            await self._follow(uow, touched, replace(ruling, why=why, undone_at=now), actor)
            return await uow.rulings.get(ruling_id)

    def _ruling(self, known: str, into: str, why: str, actor: Actor, *, tool: str = "", rule: str = "") -> Ruling:
        return Ruling(
            id=self._ids.new(),
            organisation_id=actor.organisation_id,
            fingerprint=known,
            tool=tool,
            rule=rule,
            into=into,
            created_at=self._clock.now(),
            actor=actor.username,
            why=why,
        )

    async def _follow(self, uow: UnitOfWork, known: Iterable[str], ruling: Ruling, actor: Actor) -> None:
        """Do what all rulings say to what these flaws, and those that rulings connect with them, are made of."""
        now = self._clock.now()
        fingerprints = sorted(reach(await uow.rulings.all(), known))
        merged = await uow.correlations.apply(fingerprints, now)
        await self._restate(uow, fingerprints, ruling.why, actor)
        await uow.due_dates.date(merged.moved)
        await weigh(uow, await uow.findings.weights(merged.moved))
        origin = Origin(actor.organisation_id, now, f"{ruling.id}/{ruling.undone_at or ''}")
        await doubt(uow, abilities_of(self._tools), merged.moved, origin)
        ids = set((await uow.correlations.ids(fingerprints)).values())
        data = {"by": actor.username, "ruling_id": str(ruling.id), "undone": ruling.undone_at is not None}
        kind = "vulnerability.joined" if ruling.joins else "vulnerability.split"
        occasion = f"{ruling.id}/{'undone' if ruling.undone_at else 'made'}"
        told = (event(actor.organisation_id, kind, each, now, data=data, occasion=occasion) for each in sorted(ids))
        await uow.events.add(*told)

    async def _restate(self, uow: UnitOfWork, fingerprints: Sequence[str], why: str, actor: Actor) -> None:
        """One without sightings is a duplicate; one that has some again is what it was."""
        wanted: dict[VulnerabilityState, list[UUID]] = {}
        for each in await uow.correlations.standings(fingerprints):
            if each.wanted is not each.state:
                wanted.setdefault(each.wanted, []).append(each.id)
        told = Told(ChangeCause.RULING, self._clock.now(), actor.username, why)
        for state, ids in wanted.items():
            changed = await uow.lives.change(ids, Wanted(state), told)
            await uow.events.add(*events_of(actor.organisation_id, changed, told))


async def _kept(uow: UnitOfWork, known: Sequence[Ruling], duplicate: Vulnerability) -> UUID | None:
    """Which one has a duplicate's sightings: it was joined with that, or split off and given back."""
    wanted = leads(known)(duplicate.fingerprint, "", "")
    if wanted == duplicate.fingerprint:
        wanted = next((each.fingerprint for each in reversed(known) if each.into == wanted), "")
    return (await uow.correlations.ids([wanted])).get(wanted)


async def _held(uow: UnitOfWork, ids: Sequence[UUID]) -> Sequence[Held]:
    """All of these in their order, with their targets locked until the transaction ends."""
    found = {each.id: each for each in await uow.lives.select(Chosen(tuple(ids)), len(ids), lock=True)}
    for each in ids:
        if each not in found:
            raise NotFoundError(f"there is no vulnerability {each}", value=each, remedy="list those that exist")
    return [found[each] for each in ids]


def _check_open(one: Held) -> None:
    if one.state in _CLOSED:
        raise ConflictError(
            f"a vulnerability that is {one.state} is neither split nor joined",
            field="state",
            value=one.state,
            remedy="undo what joined it" if one.state is VulnerabilityState.DUPLICATE else "scan it again first",
        )


def _check_joins(kept: Held, one: Held) -> None:
    """Refuse what would lose a decision or a way to find out that it is fixed."""
    if kept.target_id != one.target_id:
        raise ConflictError(
            f"{one.id} is of another target",
            field="others",
            value=one.id,
            remedy="flaws of one target can be joined: only there a scan can tell that they are fixed",
        )
    _check_open(kept)
    _check_open(one)
    if one.state is VulnerabilityState.RISK_ACCEPTED:
        raise ConflictError(
            f"the risk of {one.id} is accepted for a time",
            field="others",
            value=one.id,
            remedy="end that first, or join the other one with it",
        )
