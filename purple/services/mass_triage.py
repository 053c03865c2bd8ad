"""Triage of many vulnerabilities at once: looked at before it is done, and taken back where nobody changed it since."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError, InvalidInputError
from purple.domain.idempotency import check_key, check_repeated
from purple.domain.identity import Actor
from purple.domain.life import MAX_AT_ONCE, Chosen, Held, Operation, TakenBack, Told, Verdict, Wanted, judge
from purple.domain.pages import Page, Query
from purple.domain.ports import UnitOfWork, Work
from purple.domain.vulnerabilities import ChangeCause
from purple.services.events import event
from purple.services.life import check_owner, decide, take_back


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a triage would do, or has done."""

    operation_id: UUID | None
    """None of one that is only looked at."""
    changed: int
    changes: dict[str, int]
    """How many, by the state they have before."""
    refused: tuple[dict[str, Any], ...]
    """State, why and ids of what is left alone."""


class MassTriage:
    """One call is one transaction; the same key does a thing once."""

    def __init__(self, work: Work, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def preview(self, chosen: Chosen, wanted: Wanted, actor: Actor) -> Outcome:
        """What it would change, and what it would leave alone; nothing happens.

        Raises:
            InvalidInputError: as `apply` does.
        """
        wanted = _checked(wanted.checked(self._clock.now()))
        async with self._work(actor.organisation_id) as uow:
            await check_owner(uow, wanted.owner or "")
            return _outcome(None, judge(await _chosen(uow, chosen), wanted))

    async def apply(self, chosen: Chosen, wanted: Wanted, actor: Actor, key: str = "") -> Outcome:
        """Change all that may be changed so.

        Raises:
            InvalidInputError: too many are chosen or none, it asks for nothing or does not say why, a filter that
                cannot be read.
            ConflictError: the key came with another request before.
        """
        check_key(key)
        asked = _asked(chosen, wanted)
        digest = hashlib.sha256(json.dumps(["triage", asked, wanted.why]).encode()).hexdigest()
        async with self._work(actor.organisation_id) as uow:
            known = await uow.idempotency.find(key) if key else None
            if known is not None:
                return await _repeated(uow, known, digest)
            now = self._clock.now()
            wanted = _checked(wanted.checked(now))
            await check_owner(uow, wanted.owner or "")
            verdict = judge(await _chosen(uow, chosen, lock=True), wanted)
            outcome = _outcome(self._ids.new(), verdict)
            told = Told(ChangeCause.PERSON, now, actor.username, wanted.why, outcome.operation_id)
            await decide(uow, actor.organisation_id, verdict.ids, wanted, told)
            await self._keep(uow, outcome, asked, told, actor)
            if key and outcome.operation_id:
                await uow.idempotency.add(key, digest, outcome.operation_id)
            return outcome

    @staticmethod
    async def _keep(uow: UnitOfWork, outcome: Outcome, asked: dict[str, Any], told: Told, actor: Actor) -> None:
        if outcome.operation_id is None:
            return
        kept = {"changed": outcome.changed, "changes": outcome.changes, "refused": list(outcome.refused)}
        operation = Operation(
            outcome.operation_id, actor.organisation_id, told.at, actor.username, told.why, asked, kept
        )
        await uow.operations.add(operation)
        data = {"by": actor.username, "changed": outcome.changed}
        await uow.events.add(event(actor.organisation_id, "triage.applied", operation.id, told.at, data=data))

    async def past(self, organisation_id: UUID, query: Query) -> Page[Operation]:
        """What was done, newest first by default."""
        async with self._work(organisation_id) as uow:
            return await uow.operations.page(query)

    async def undo(self, operation_id: UUID, actor: Actor, why: str = "") -> TakenBack:
        """Give back to each that nobody changed since what it was.

        Raises:
            NotFoundError: there was no such triage.
            ConflictError: it was undone before.
        """
        now = self._clock.now()
        async with self._work(actor.organisation_id) as uow:
            operation = await uow.operations.get(operation_id)
            mine = {"undone_at": now, "undone_by": actor.username}
            if not await uow.operations.compare_and_set(operation_id, {"undone_at": None}, **mine):
                raise ConflictError(
                    f"this triage was undone by {operation.undone_by or 'somebody'}",
                    field="operation_id",
                    value=operation_id,
                    remedy="look at the history of what it changed",
                )
            told = Told(ChangeCause.UNDO, now, actor.username, " ".join(why.split()) or f"undone: {operation.why}")
            done = await take_back(uow, actor.organisation_id, operation_id, told)
            data = {"by": actor.username, "restored": len(done.restored), "left": len(done.left)}
            await uow.events.add(event(actor.organisation_id, "triage.undone", operation_id, now, data=data))
            return done


def _checked(wanted: Wanted) -> Wanted:
    if not wanted.why:
        raise InvalidInputError("say why", field="why", remedy="write what made you sure")
    return wanted


async def _chosen(uow: UnitOfWork, chosen: Chosen, *, lock: bool = False) -> list[Held]:
    """All that are chosen, if they are not too many."""
    if not chosen.ids and chosen.query is None:
        raise InvalidInputError("nothing is chosen", field="ids", remedy="give ids, or a filter")
    found = list(await uow.lives.select(chosen, MAX_AT_ONCE + 1, lock=lock))
    if len(found) > MAX_AT_ONCE:
        raise InvalidInputError(
            f"more than {MAX_AT_ONCE} vulnerabilities are chosen",
            field="filter" if chosen.query else "ids",
            value=chosen.query.filter if chosen.query else len(chosen.ids),
            remedy="narrow the filter, for example by severity or target, and do one part at a time",
        )
    return found


def _asked(chosen: Chosen, wanted: Wanted) -> dict[str, Any]:
    """What was asked for, as it is kept."""
    asked: dict[str, Any] = {"ids": [str(one) for one in chosen.ids]}
    if chosen.query:
        where = {name: str(value) for name, value in chosen.query.where.items() if value is not None}
        asked |= {"filter": chosen.query.filter, "where": where}
    until = wanted.accepted_until
    asked |= {
        "state": wanted.state and str(wanted.state),
        "accepted_until": until and until.isoformat(),
        "owner": wanted.owner,
    }
    return asked | {"due_at": wanted.due_at and wanted.due_at.isoformat()} if wanted.sets_due else asked


def _outcome(operation_id: UUID | None, verdict: Verdict) -> Outcome:
    refused = [dataclasses.asdict(each) for each in verdict.refused]
    told = tuple(each | {"ids": [str(one) for one in each["ids"]]} for each in refused)
    return Outcome(operation_id, len(verdict.ids), verdict.changes, told)


async def _repeated(uow: UnitOfWork, known: tuple[str, UUID], digest: str) -> Outcome:
    before, operation_id = known
    check_repeated(before, digest)
    kept = (await uow.operations.get(operation_id)).outcome
    return Outcome(operation_id, kept["changed"], kept["changes"], tuple(kept["refused"]))
