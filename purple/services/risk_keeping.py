"""The relay's care for the history of risk: scores are kept by day."""

from datetime import datetime, timedelta
from uuid import UUID

from purple.domain.clock import Clock
from purple.domain.outbox import Outbox
from purple.domain.ports import Work
from purple.domain.risk_history import Subject
from purple.domain.trends import day_of
from purple.services.risking import of_targets, score_of_all, standings

EVERY = timedelta(hours=1)


class RiskKeeping:
    """Once an hour, in the place of what is kept of the day: a day ends as it stood in its last hour."""

    def __init__(self, outbox: Outbox, work: Work, clock: Clock) -> None:
        self._outbox = outbox
        self._work = work
        self._clock = clock
        self._kept: datetime | None = None

    async def keep(self) -> None:
        """One round over every organisation, where the last one is an hour ago.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        now = self._clock.now()
        if self._kept is not None and now - self._kept < EVERY:
            return
        for organisation_id in await self._outbox.organisations():
            await self.record(organisation_id)
        self._kept = now

    async def record(self, organisation_id: UUID) -> None:
        """Keep the scores of one organisation."""
        async with self._work(organisation_id) as uow:
            tallies = await uow.risks.tallies()
            units = standings(await uow.unit_tree.all(), {}, tallies)
            targets = of_targets(tallies)
            scores = {(Subject.TARGET, key): score for key, score in targets.items()}
            scores |= {(Subject.UNIT, each.unit.id): each.risk for each in units}
            scores[Subject.ORGANISATION, organisation_id] = score_of_all(targets.values())
            await uow.risk_history.keep(day_of(self._clock.now()), scores)
