"""The policy of due dates."""

from collections.abc import Sequence
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.deadlines import Rule, checked, edition_of
from purple.domain.errors import PreconditionFailedError
from purple.domain.identity import Actor
from purple.domain.ports import Work
from purple.domain.units import unknown
from purple.services.events import event


class Deadlines:
    """Its rules are one thing: whoever changes them gives all, and every present vulnerability is dated anew."""

    def __init__(self, work: Work, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def rules(self, organisation_id: UUID) -> tuple[Rule, ...]:
        """Those in force."""
        async with self._work(organisation_id) as uow:
            return checked(await uow.due_dates.rules())

    async def set_rules(self, rules: Sequence[Rule], actor: Actor, edition: str = "") -> tuple[Rule, ...]:
        """Put these in force; none brings back those that are shipped.

        Args:
            rules: the whole policy.
            actor: who says so.
            edition: of the rules that the change was made from; empty changes whatever there is.

        Raises:
            InvalidInputError: days out of bounds, two rules for the same, or a business unit that is not there.
            PreconditionFailedError: others are in force by now.
        """
        wanted = checked(rules)
        async with self._work(actor.organisation_id) as uow:
            known = (await uow.unit_tree.hold()).by_id  # also one change of the rules at a time
            if edition and edition != edition_of(await uow.due_dates.rules()):
                raise PreconditionFailedError.since("policy of due dates", edition)
            for rule in wanted:
                if rule.unit_id is not None and rule.unit_id not in known:
                    raise unknown(rule.unit_id, "rules")
            await uow.due_dates.set_rules(wanted)
            dated = await uow.due_dates.date()
            data = {"by": actor.username, "rules": len(wanted), "dated": dated}
            told = event(
                actor.organisation_id, "sla.changed", actor.organisation_id, self._clock.now(), data=data,
                occasion=str(self._ids.new()),
            )  # fmt: skip
            await uow.events.add(told)
            return checked(await uow.due_dates.rules())
