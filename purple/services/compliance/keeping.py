"""The relay's care for compliance: how frameworks stand is kept by day."""

from datetime import datetime, timedelta

from purple.domain.clock import Clock
from purple.domain.outbox import Outbox
from purple.services.compliance import ComplianceReader

EVERY = timedelta(hours=1)


class ComplianceKeeping:
    """Once an hour, in the place of what is kept of the day: a day ends as it stood in its last hour."""

    def __init__(self, outbox: Outbox, reader: ComplianceReader, clock: Clock) -> None:
        self._outbox = outbox
        self._reader = reader
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
            await self._reader.record(organisation_id)
        self._kept = now
