"""The ports to the outbox, of services and of the relay; an adapter implements them, as it does those of `ports`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from purple.domain.campaigns import Campaign
from purple.domain.events import Event
from purple.domain.schedules import Schedule

PLACED = "placed"
"""The feed of the positions themselves: how far events have one, and when the relay last looked."""


@dataclass(frozen=True, slots=True)
class Feed:
    """How far something is that follows the events."""

    position: int
    at: datetime
    """When it last moved."""


class Events(Protocol):
    """The outbox, as one organisation sees it."""

    async def add(self, *events: Event) -> None:
        """Write events with the change they tell of; one with a known id is left alone."""
        ...

    async def written(self, ids: Sequence[UUID]) -> tuple[Event, ...]:
        """Those of these events that were written, whether or not they have their position."""
        ...

    async def after(self, position: int, limit: int) -> tuple[Event, ...]:
        """Events that have a position greater than this, in order."""
        ...

    async def last(self) -> int:
        """The highest position, 0 without events."""
        ...

    async def feeds(self, *names: str) -> Mapping[str, Feed]:
        """How far some feeds have come, of all organisations together; those that there are."""
        ...

    async def of_campaign(self, campaign_id: UUID, position: int) -> tuple[Event, ...]:
        """A campaign's events after a position, in order."""
        ...

    async def milestones(self, campaign_id: UUID) -> tuple[Event, ...]:
        """A campaign's events but those of its scans, in order of time."""
        ...


class Outbox(Protocol):
    """The outbox, as the relay sees it: every organisation's events, their positions, and how far each feed is."""

    def lead(self) -> AbstractAsyncContextManager[bool]:
        """Try to be the one relay; whether we are, for as long as the block lasts and the connection holds."""
        ...

    def alone(self, task: str) -> AbstractAsyncContextManager[bool]:
        """Try to be the only one at a task; whether we are, likewise."""
        ...

    async def place(self, limit: int) -> int:
        """Give events that were committed their position; how many got one. Only the leader may."""
        ...

    async def after(self, position: int, limit: int, kind: str = "") -> tuple[Event, ...]:
        """Events of every organisation after a position, in order; or those of one type."""
        ...

    async def feed(self, name: str) -> int:
        """How far a feed has come; 0 for a new one."""
        ...

    async def advance(self, name: str, position: int) -> None:
        """Note how far a feed has come."""
        ...

    async def organisations(self) -> tuple[UUID, ...]:
        """All of them."""
        ...

    async def lost_starts(self, older_than: datetime) -> tuple[Campaign, ...]:
        """Campaigns still pending that were created before this time."""
        ...

    async def left_undone(self) -> tuple[Campaign, ...]:
        """Campaigns with an undo that is open."""
        ...

    async def silent(self, since: datetime, most: int) -> tuple[Campaign, ...]:
        """Some of the campaigns that run and have told nothing since; others each time."""
        ...

    async def lost_revocations(self, older_than: datetime) -> tuple[Campaign, ...]:
        """Campaigns that go on although their authorisation was revoked before this time."""
        ...

    async def schedules(self) -> tuple[Schedule, ...]:
        """Those that are kept, and those whose end the workflow server was not told of."""
        ...

    async def lapsed(self, now: datetime) -> tuple[UUID, ...]:
        """Organisations with an accepted risk whose time is over, or a due date that passed and was not told."""
        ...

    async def unweighed(self, model: int) -> tuple[UUID, ...]:
        """Organisations whose risk was weighed by other weights, another model, or older data than there are now."""
        ...

    async def unscored(self, release: int) -> tuple[UUID, ...]:
        """Organisations whose findings were scored by another model or release, or that a newer policy has not seen."""
        ...

    async def keep_months(self, first: date, present: date) -> None:
        """Make room for what is kept by month, from the present month to the one after next; drop months before first.

        Raises:
            UnavailableError: PostgreSQL is away, or somebody reads a month that is to go; try again later.
        """
        ...

    async def wait(self, timeout_s: float) -> None:
        """Return when a transaction wrote events, or after the time."""
        ...
