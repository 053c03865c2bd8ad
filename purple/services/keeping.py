"""The relay's care for what is kept by day, and for what is counted."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from purple.domain.clock import Clock
from purple.domain.outbox import Outbox

EVERY = timedelta(hours=1)
OFTEN = timedelta(minutes=1)


class Keeping:
    """Once an hour, in the place of what is kept of the day: a day ends as it stood in its last hour."""

    def __init__(
        self, outbox: Outbox, clock: Clock, record: Callable[[UUID], Awaitable[None]], every: timedelta = EVERY
    ) -> None:
        """Take what does it for one organisation."""
        self._outbox = outbox
        self._clock = clock
        self._record = record
        self._every = every
        self._kept: datetime | None = None

    async def keep(self) -> None:
        """One round over every organisation, where the last one is so long ago.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        now = self._clock.now()
        if self._kept is not None and now - self._kept < self._every:
            return
        for organisation_id in await self._outbox.organisations():
            await self._record(organisation_id)
        self._kept = now
