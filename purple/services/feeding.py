"""What the relay does for an index: the rows of which events speak are read anew and indexed."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from uuid import UUID

from purple.domain.campaigns import Phase
from purple.domain.events import Event
from purple.domain.outbox import Outbox
from purple.domain.ports import Work
from purple.domain.search import (
    AUDIT_LOGS,
    POSTGRESQL,
    SAMPLED,
    SCAN_RESULTS,
    SYSTEM_METRICS,
    VULNERABILITIES,
    Document,
    Search,
    feed_of,
)

EVENTS = 2_000
"""Of one round, after which what it fed is found and the feed has moved."""
ROWS = 500
"""Read and indexed at once."""
ON_THEIR_WAY = 2
"""Parts that are sent at once: with one the index has nothing to do between its answer and the next."""
_SHOWN = {"tags", "unit_id", "exposure"}
"""Of a target: what a document says of it, and what due dates depend on."""

Where = Mapping[str, set[UUID]]
"""Rows by a field and its values: those that have one of them; without a field all rows."""
Touch = Callable[[Event], tuple[str, UUID] | None]
"""Which rows an event speaks of, or None."""


def vulnerabilities_of(event: Event) -> tuple[str, UUID] | None:
    """Itself, all that a campaign saw again without a word, or all whose due dates or targets changed."""
    subject = event.subject_id
    match event.type:
        case "campaign.phase":
            return ("campaign_id", subject) if event.data.get("phase") == Phase.ANALYSIS else None
        case "target.changed":
            return None if _SHOWN.isdisjoint(event.data.get("fields", ())) else ("target_id", subject)
        case "unit.changed":
            return "unit", subject
        case "sla.changed":
            return "", subject
        case kind:
            return ("id", subject) if kind.startswith("vulnerability.") else None


def scans_of(event: Event) -> tuple[str, UUID] | None:
    """Itself, or all of a campaign, which plans and ends many at once."""
    if event.type.startswith("scan."):
        return "id", event.subject_id
    return ("campaign_id", event.subject_id) if event.type.startswith("campaign.") else None


def logged(event: Event) -> tuple[str, UUID] | None:
    """The event itself; samples are no actions."""
    return None if event.type == SAMPLED else ("id", event.id)


def sampled(event: Event) -> tuple[str, UUID] | None:
    """The event itself."""
    return ("id", event.id) if event.type == SAMPLED else None


RULES: Mapping[str, Touch] = {
    VULNERABILITIES: vulnerabilities_of,
    SCAN_RESULTS: scans_of,
    AUDIT_LOGS: logged,
    SYSTEM_METRICS: sampled,
}
"""By index."""


def touched(events: Iterable[Event], touch: Touch) -> dict[UUID, dict[str, set[UUID]]]:
    """By organisation, the rows of which events speak."""
    found: dict[UUID, dict[str, set[UUID]]] = {}
    for each in events:
        if place := touch(each):
            found.setdefault(each.organisation_id, {}).setdefault(place[0], set()).add(place[1])
    return found


async def rows_of(work: Work, organisation_id: UUID, index: str, where: Where) -> AsyncIterator[Sequence[UUID]]:
    """Their ids in parts; one of which several events speak in different ways may come again."""
    for name, values in where.items():
        after: UUID | None = None
        while True:
            async with work(organisation_id) as uow:
                ids = await uow.documents.ids(index, after, ROWS, {name: list(values)} if name else None)
            if ids:
                yield ids
            if len(ids) < ROWS:
                break
            after = ids[-1]


async def copy(search: Search, parts: AsyncIterator[Sequence[Document]], into: str = "") -> int:
    """Index part after part, some while the next one is read; how many documents they were.

    Which of two parts arrives first does not matter: of a row that is in both, a change between their reading has an
    event of its own, which comes after them.
    """
    sent = 0
    sending: deque[asyncio.Task[None]] = deque()
    try:
        async for documents in parts:
            if len(sending) == ON_THEIR_WAY:
                await sending.popleft()
            sending.append(asyncio.create_task(search.index(documents, into)))
            sent += len(documents)
        while sending:
            await sending.popleft()
    finally:
        for each in sending:
            each.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
    return sent


class Feeding:
    """One index, at least once: its feed moves after what events speak of is found. One that was lost is fed anew."""

    def __init__(self, outbox: Outbox, work: Work, index: str, search: Search, touch: Touch) -> None:
        self._outbox = outbox
        self._work = work
        self._search = search
        self._touch = touch
        self.index = index

    async def feed_all(self) -> None:
        """Until there is nothing to feed.

        Raises:
            UnavailableError: Elasticsearch or PostgreSQL is away.
        """
        while await self.feed():
            pass

    async def feed(self) -> bool:
        """Index what the next events speak of; whether there may be more: what comes meanwhile has its own round."""
        name = feed_of(await self._search.generation())
        at = await self._outbox.feed(name)
        events = await self._outbox.after(at, EVENTS)
        if not events:
            return False
        if self._search.engine != POSTGRESQL:
            await self._index(events)
        await self._outbox.advance(name, events[-1].position or at)
        return len(events) == EVENTS

    async def _index(self, events: Sequence[Event]) -> None:
        sent = 0
        for organisation_id, where in touched(events, self._touch).items():
            sent += await copy(self._search, self._documents(organisation_id, where))
        if sent:
            await self._search.refresh()

    async def _documents(self, organisation_id: UUID, where: Where) -> AsyncIterator[Sequence[Document]]:
        async for ids in rows_of(self._work, organisation_id, self.index, where):
            async with self._work(organisation_id) as uow:
                yield await uow.documents.some(self.index, ids)
