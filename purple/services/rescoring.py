"""The relay's care for risk: what changed in the world or in the weights is weighed again, and told."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from purple.domain.clock import Clock
from purple.domain.enrichment import Edition
from purple.domain.outbox import Outbox
from purple.domain.ports import Work
from purple.domain.risk import ENRICHED, MODEL
from purple.domain.weighing import Rules
from purple.services.events import event
from purple.services.sweeping import sweep
from purple.services.weighing import rescored, scored, weigh

BATCH = 1_000
"""Vulnerabilities in one transaction, so that it holds the locks of their targets only shortly."""
WEIGHTS = ("weights",)
RELEASE = ("release",)
"""Causes, besides the names of datasets."""


@dataclass(slots=True)
class _Round:
    """What one round over an organisation is about, and what it did."""

    organisation_id: UUID
    rules: Rules
    editions: Mapping[str, Edition]
    revision: int
    raised: int = 0
    lowered: int = 0
    causes: set[str] = field(default_factory=set)

    @property
    def occasion(self) -> str:
        """The same until the weights, the model or the data change again."""
        return f"{self.rules.version}/{MODEL}/{self.revision}"


class Rescoring:
    """Each transaction weighs some. One that is done twice finds nothing left to change."""

    def __init__(self, outbox: Outbox, work: Work, clock: Clock) -> None:
        self._outbox = outbox
        self._work = work
        self._clock = clock

    async def keep(self) -> None:
        """One round over every organisation that is behind.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        for organisation_id in await self._outbox.unweighed(MODEL):
            await self.catch_up(organisation_id)

    async def catch_up(self, organisation_id: UUID) -> None:
        """Weigh what changed: all where the weights or the model are others, else what facts changed of.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        async with self._work(organisation_id) as uow:
            rules = await uow.risks.rules()
            editions = {str(each.dataset): each for each in await uow.library.editions() if each.dataset in ENRICHED}
            touched = await uow.risks.touched(ENRICHED, rules.weighed_revision)
        newest = max((each.revision for each in editions.values()), default=0)
        present = _Round(organisation_id, rules, editions, max(newest, rules.weighed_revision))
        if rules.weighed_model != MODEL or rules.weighed_version != rules.version:
            cause = RELEASE if rules.weighed_model != MODEL else WEIGHTS
            async for ids in self._all(organisation_id):
                await self._weigh(present, dict.fromkeys(ids, cause))
        else:
            for start in range(0, len(touched), BATCH):
                some = touched[start : start + BATCH]
                await self._weigh(present, {each.id: tuple(map(str, each.datasets)) for each in some})
        await self._end(present)

    def _all(self, organisation_id: UUID) -> AsyncIterator[Sequence[UUID]]:
        return sweep(self._work, organisation_id, lambda uow, after: uow.findings.ids(after, BATCH))

    async def _weigh(self, present: _Round, causes: Mapping[UUID, Sequence[str]]) -> None:
        async with self._work(present.organisation_id) as uow:
            moved = await weigh(uow, await uow.findings.weights(list(causes), lock=True))
            now = self._clock.now()
            await uow.events.add(
                *(
                    rescored(
                        present.organisation_id,
                        row_id,
                        each,
                        now,
                        causes[row_id],
                        present.occasion,
                        editions=_versions(causes[row_id], present.editions),
                    )
                    for row_id, each in scored(moved)
                )
            )
        for row_id, each in scored(moved):
            present.raised += each.risk.score > each.weight.risk
            present.lowered += each.risk.score < each.weight.risk
            present.causes.update(causes[row_id])

    async def _end(self, present: _Round) -> None:
        """Note how far it is, and tell what moved; where it was tried again only what that moved."""
        rules = present.rules
        async with self._work(present.organisation_id) as uow:
            await uow.risks.set_weighed(rules.version, MODEL, present.revision)
            if present.raised or present.lowered:
                told = event(
                    present.organisation_id,
                    "risk.rescored",
                    present.organisation_id,
                    self._clock.now(),
                    data={
                        "cause": sorted(present.causes),
                        "raised": present.raised,
                        "lowered": present.lowered,
                        "editions": {name: each.version for name, each in present.editions.items()},
                    },
                    occasion=present.occasion,
                )
                await uow.events.add(told)


def _versions(causes: Sequence[str], editions: Mapping[str, Edition]) -> dict[str, str]:
    return {name: editions[name].version for name in causes if name in editions}
