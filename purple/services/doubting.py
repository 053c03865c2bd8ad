"""Scores of false positives follow what they depend on, and a policy acts on them where there is one."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from purple.domain.false_positives import NO_DOUBT, NOTED, Abilities, Ability, Doubt, Model, assess
from purple.domain.life import MAX_AT_ONCE, Chosen, Operation, Told, Wanted
from purple.domain.ports import UnitOfWork
from purple.domain.tools import ToolCatalogue
from purple.domain.verdicts import Policy
from purple.domain.vulnerabilities import ChangeCause, VulnerabilityState, may_change
from purple.services.events import event
from purple.services.life import decide

BY = "policy"
"""Who did it, in the list of triages."""


def abilities_of(tools: ToolCatalogue) -> Abilities:
    """What each tool says of itself; results of tools that ran elsewhere tell of no coverage."""
    specs = (tools.spec(name) for name in tools.names())
    told = {each.name: Ability(frozenset(each.sees), frozenset(each.settles)) for each in specs}
    return {name: each for name, each in told.items() if each.sees or each.settles}


@dataclass(frozen=True, slots=True)
class Origin:
    """Of what scores are a part; it names their events once."""

    organisation_id: UUID
    at: datetime
    occasion: str


async def doubt(
    uow: UnitOfWork,
    abilities: Abilities,
    ids: Collection[UUID],
    origin: Origin,
    *,
    told: Collection[UUID] = (),
    lock: bool = False,
) -> int:
    """Score these, write what is another score than before, and tell of it; how many are.

    Args:
        uow: the transaction.
        abilities: what each tool looks for.
        ids: of findings.
        origin: of what it is a part.
        told: findings of which another event of the same transaction speaks.
        lock: whether their targets are locked first.
    """
    if not ids:
        return 0
    latest = await uow.verdicts.latest()
    model = latest.model if latest else Model()
    changed: dict[Doubt, list[UUID]] = {}
    for each in await uow.verdicts.cases(ids, abilities, model, lock=lock):
        made = _plain(assess(each.case, model))
        if (each.score, each.reasons) != (made.score if made.reasons else None, made.reasons):
            changed.setdefault(made, []).append(each.id)
    await uow.verdicts.put([(those, made) for made, those in changed.items()])
    silent = set(told)
    await uow.events.add(
        *(
            event(
                origin.organisation_id,
                "vulnerability.doubted",
                one,
                origin.at,
                data={"score": made.score},
                occasion=origin.occasion,
            )
            for made, those in changed.items()
            for one in those
            if one not in silent
        )
    )
    return sum(map(len, changed.values()))


def _plain(made: Doubt) -> Doubt:
    """As it is kept: without what is of one finding alone, so that thousands that are alike are written as one."""
    if made.score < NOTED:
        return NO_DOUBT
    return Doubt(made.score, tuple(replace(each, observation_ids=()) for each in made.reasons))


async def act(
    uow: UnitOfWork,
    organisation_id: UUID,
    policy: Policy,
    now: datetime,
    origin: UUID,
    ids: Collection[UUID] | None = None,
) -> int:
    """Mark what a policy is about as false positives, as a triage that can be undone; how many there were.

    Args:
        uow: the transaction.
        organisation_id: whose findings.
        policy: nothing happens where it is off.
        now: the time.
        origin: what this is part of, such as a campaign: the triage has its id by that and by what it is about.
        ids: of these only.
    """
    if policy.threshold is None:
        return 0
    chosen = await uow.verdicts.ruled(policy, ids, MAX_AT_ONCE)
    held = await uow.lives.select(Chosen(tuple(chosen)), MAX_AT_ONCE, lock=True) if chosen else ()
    wanted = Wanted(VulnerabilityState.FALSE_POSITIVE, why=policy.words)
    mine = [each for each in held if may_change(ChangeCause.POLICY, each.state, VulnerabilityState.FALSE_POSITIVE)]
    if not mine:
        return 0
    operation_id = uuid5(origin, f"{BY}/{mine[0].id}")
    told = Told(ChangeCause.POLICY, now, "", policy.words, operation_id)
    await decide(uow, organisation_id, [each.id for each in mine], wanted, told)
    states = [str(each.state) for each in mine]
    outcome = {"changed": len(mine), "changes": {each: states.count(each) for each in sorted(set(states))}}
    asked = {"state": str(wanted.state), "threshold": policy.threshold, "below": str(policy.below)}
    await uow.operations.add(
        Operation(operation_id, organisation_id, now, BY, policy.words, asked, outcome | {"refused": []})
    )
    data = {"by": BY, "changed": len(mine)}
    await uow.events.add(event(organisation_id, "triage.applied", operation_id, now, data=data))
    return len(mine)
