"""False positives: why a finding may be one, what is proposed, what verdicts taught, and the policy that may act."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from purple.domain.calibration import (
    FOLDS,
    MIN_ALL,
    MIN_EACH,
    Example,
    Figures,
    cross_validated,
    enough,
    figures,
    learned,
    past_of,
)
from purple.domain.clock import Clock, Ids
from purple.domain.errors import PreconditionFailedError
from purple.domain.false_positives import PROPOSED, SHIPPED, Abilities, Doubt, Model, Past, assess
from purple.domain.identity import Actor
from purple.domain.pages import Page, Query
from purple.domain.ports import Work
from purple.domain.verdicts import Learned, Policy, Standing
from purple.domain.vulnerabilities import Vulnerability, VulnerabilityState
from purple.services.events import event

LOOKED_AT = 2_000
"""The newest verdicts, from which is learned."""
UNDECIDED = (VulnerabilityState.OPEN, VulnerabilityState.REOPENED, VulnerabilityState.TRIAGED)


@dataclass(frozen=True, slots=True)
class Explained:
    """Why one finding may be a false positive, as everything stands now."""

    id: UUID
    doubt: Doubt
    proposed: bool
    model: int
    """Its version; 0 is the one that is shipped."""


@dataclass(frozen=True, slots=True)
class State:
    """By what findings are scored, and what is done with that."""

    learned: Learned | None
    """None before the first verdicts."""
    weights: Mapping[str, float]
    """In use."""
    standing: Standing


class FalsePositives:
    """It proposes; a person decides by triage, or the policy that the organisation wrote down."""

    def __init__(self, work: Work, abilities: Abilities, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._abilities = abilities
        self._clock = clock
        self._ids = ids

    async def explain(self, organisation_id: UUID, vulnerability_id: UUID) -> Explained:
        """Each reason with the observations that it rests on.

        Raises:
            NotFoundError: there is no such vulnerability.
        """
        async with self._work(organisation_id) as uow:
            found = await uow.findings.vulnerability(vulnerability_id)
            latest = await uow.verdicts.latest()
            model = latest.model if latest else Model()
            cases = await uow.verdicts.cases([found.id], self._abilities, model, every=True)
            made = assess(cases[0].case, model) if cases else Doubt(0.0, ())
            return Explained(found.id, made, made.score >= PROPOSED and found.state in UNDECIDED, model.version)

    async def proposals(self, organisation_id: UUID, query: Query) -> Page[Vulnerability]:
        """What nobody decided on yet and is likely false, the likeliest first by default.

        Raises:
            InvalidInputError: the filter, sort, cursor or limit cannot be used.
        """
        asked = Query(
            {**query.where, "state": list(UNDECIDED)},
            query.cursor,
            query.limit,
            f"false_positive:>={PROPOSED} {query.filter}".strip(),
            query.sort or "-false_positive,-risk",
        )
        async with self._work(organisation_id) as uow:
            return await uow.findings.vulnerabilities(asked)

    async def state(self, organisation_id: UUID) -> State:
        """The model with its figures, and the policy."""
        async with self._work(organisation_id) as uow:
            latest, standing = await uow.verdicts.latest(), await uow.verdicts.standing()
        return State(latest, latest.model.weights if latest else SHIPPED, standing)

    async def set_policy(self, policy: Policy, actor: Actor, version: int | None = None) -> Standing:
        """Put a policy in force, or none; the relay then acts on what is there, and each analysis on what it finds.

        Args:
            policy: the whole of it.
            actor: who asks.
            version: of the policy that the change was made from; None changes whatever there is.

        Raises:
            InvalidInputError: it would act on what is not proposed, or on what is high or critical.
            PreconditionFailedError: another is in force by now.
        """
        policy = policy.checked()
        async with self._work(actor.organisation_id) as uow:
            await uow.unit_tree.hold()  # one change of an organisation's rules at a time
            if version not in {None, (await uow.verdicts.standing()).version}:
                raise PreconditionFailedError.since("policy", version)
            standing = await uow.verdicts.set_policy(policy)
            told = event(
                actor.organisation_id,
                "false_positives.policy_changed",
                actor.organisation_id,
                self._clock.now(),
                data={"by": actor.username, "threshold": policy.threshold, "below": str(policy.below)},
                occasion=str(standing.version),
            )
            await uow.events.add(told)
            return standing

    async def learn(self, organisation_id: UUID) -> Learned | None:
        """Make a model of what people said; the relay then scores everything by it. None where nobody said anything.

        Raises:
            ConflictError: somebody else does it just now.
        """
        async with self._work(organisation_id) as uow:
            said = await uow.verdicts.said(LOOKED_AT)
            latest = await uow.verdicts.latest()
            cases = await uow.verdicts.cases(list(said), self._abilities, Model(), every=True)
        examples = [Example(each.case, said[each.id], each.id.int % FOLDS) for each in cases]
        if not examples and latest is None:
            return None
        weights, past, in_use, why, told = await asyncio.to_thread(teach, examples)
        now = self._clock.now()
        model = Learned(
            id=self._ids.new(),
            organisation_id=organisation_id,
            created_at=now,
            version=latest.version + 1 if latest else 1,
            n=len(examples),
            false=sum(each.false for each in examples),
            in_use=in_use,
            why=why,
            weights=weights,
            past=past,
            figures=told,
        )
        async with self._work(organisation_id) as uow:
            await uow.verdicts.keep(model)
            data = {"version": model.version, "verdicts": model.n, "in_use": in_use}
            kind = "false_positives.learned"
            await uow.events.add(event(organisation_id, kind, model.id, now, data=data))
        return model


def teach(examples: Sequence[Example]) -> tuple[Mapping[str, float], Past, bool, str, Figures]:
    """Weights and past, whether the weights are good enough to use and why, and figures of what is then used.

    Each verdict is told by what the others teach; weights are used where they tell them no worse than those that are
    shipped, with the same past beside them.
    """
    past = past_of(examples)
    shipped = figures(cross_validated(examples, lambda others: (SHIPPED, past_of(others))))
    if not enough(examples):
        why = (
            f"{len(examples)} verdicts, {shipped.false} of them false positives: "
            f"{MIN_ALL}, and {MIN_EACH} of each kind, are needed before weights follow them"
        )
        return SHIPPED, past, False, why, shipped
    own = figures(cross_validated(examples, lambda others: (learned(others, SHIPPED), past_of(others))))
    in_use = own.brier <= shipped.brier
    said = "better than" if in_use else "worse than"
    why = f"verdicts are told {said} by the shipped weights: Brier score {own.brier:.3f} against {shipped.brier:.3f}"
    return learned(examples, SHIPPED), past, in_use, why, own if in_use else shipped
