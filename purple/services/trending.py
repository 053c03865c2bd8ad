"""The relay's care for the book of trends: what events tell of is written into it, and months begin and go."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from purple.domain.campaigns import Phase
from purple.domain.clock import Clock
from purple.domain.deadlines import DATED
from purple.domain.events import Event
from purple.domain.outbox import PLACED, Outbox
from purple.domain.ports import Work
from purple.domain.trends import day_of, month_number, month_of, months_later
from purple.services.sweeping import sweep

FEED = "trends"
MONTHS = "trends/months"
"""A feed whose position is the month that every book has begun."""
BATCH = 5_000
"""Events at once, so that a target of which many tell is written once."""
TARGETS = 200
"""Of one transaction."""
_SILENT = {
    "vulnerability.retold", "vulnerability.doubted", "vulnerability.rescored", "vulnerability.overdue",
    "vulnerability.commented",
}  # fmt: skip
"""What happens to a vulnerability and moves no line."""


@dataclass(slots=True)
class _Told:
    """What some events tell of one organisation."""

    first: date
    last: date
    vulnerabilities: set[UUID] = field(default_factory=set)
    targets: set[UUID] = field(default_factory=set)
    units: set[UUID] = field(default_factory=set)
    """That have another place in the tree, with all targets below them."""
    campaigns: set[UUID] = field(default_factory=set)
    """That were analysed."""
    all_targets: bool = False

    def hear(self, event: Event) -> None:
        """Take one of them in."""
        self.first = min(self.first, day_of(event.at))
        self.last = max(self.last, day_of(event.at))
        match event.type:
            case "sla.changed":
                self.all_targets = True
            case "target.changed":
                self.targets.add(event.subject_id)
            case "unit.changed":
                self.units.add(event.subject_id)
            case "campaign.phase":
                self.campaigns.add(event.subject_id)
            case _:
                self.vulnerabilities.add(event.subject_id)


def _matters(event: Event) -> bool:
    match event.type:
        case "sla.changed":
            return True
        case "target.changed":
            return not DATED.isdisjoint(event.data.get("fields", ()))
        case "unit.changed":
            return event.data.get("path") != event.data.get("before")
        case "campaign.phase":
            return event.data.get("phase") == Phase.ANALYSIS
        case _:
            return event.type.startswith("vulnerability.") and event.type not in _SILENT


class Trending:
    """Writes a target's lines anew from the day on of which an event tells; twice is once."""

    def __init__(self, outbox: Outbox, work: Work, clock: Clock, keep_months: int) -> None:
        self._outbox = outbox
        self._work = work
        self._clock = clock
        self._months = keep_months
        self._tidy: date | None = None

    async def keep(self) -> None:
        """One round: months first, since its lines add to what a month begins with; none goes before that is known.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        today = day_of(self._clock.now())
        if not await self._outbox.feed(FEED):
            await self._begin(today)
        await self._turn(today)
        if self._tidy != today:
            await self._outbox.keep_months(first_kept(today, self._months), today)
            self._tidy = today
        while await self.feed(today):
            pass

    async def _begin(self, today: date) -> None:
        """Write every book from what there is, on the first day of a new Purple and after an upgrade."""
        position = await self._outbox.feed(PLACED)
        if position:
            for organisation_id in await self._outbox.organisations():
                await self.rebuild(organisation_id)
            await self._outbox.advance(MONTHS, month_number(today))
            await self._outbox.advance(FEED, position)

    async def rebuild(self, organisation_id: UUID) -> None:
        """Write all lines of an organisation anew; due dates count as they are now, for they have no history.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        today = day_of(self._clock.now())
        async with self._work(organisation_id) as uow:
            began = await uow.trends.began()
        async for some in self._all(organisation_id):
            await self._fill(organisation_id, some, min(began or today, today), today)

    async def _turn(self, today: date) -> None:
        """Begin the months that have come since the last round; before the first one nothing is written."""
        done, present = await self._outbox.feed(MONTHS), month_number(today)
        if done >= present:
            return
        for organisation_id in await self._outbox.organisations() if done else ():
            for number in range(done + 1, present + 1):
                async with self._work(organisation_id) as uow:
                    await uow.trends.carry(months_later(month_of(today), number - present))
        await self._outbox.advance(MONTHS, present)

    async def feed(self, today: date) -> bool:
        """Write down what the next events tell; whether there may be many more.

        A few wait for the next round: while a target's events are being placed it would be written for each few anew.
        """
        at = await self._outbox.feed(FEED)
        events = await self._outbox.after(at, BATCH)
        if not events:
            return False
        for organisation_id, told in _by_organisation(filter(_matters, events), today).items():
            await self._book(organisation_id, told)
        await self._outbox.advance(FEED, events[-1].position or at)
        return len(events) == BATCH

    async def _book(self, organisation_id: UUID, told: _Told) -> None:
        async with self._work(organisation_id) as uow:
            late = await uow.trends.late(list(told.campaigns), told.first) if told.campaigns else {}
            touched = set(await uow.trends.touched(list(told.vulnerabilities)) if told.vulnerabilities else ())
            for unit in told.units:
                touched |= {*await uow.unit_tree.targets(unit)}
        first = min((told.first, *late.values()))
        if told.all_targets:
            async for some in self._all(organisation_id):
                await self._fill(organisation_id, some, first, told.last)
            return
        wanted = sorted({*touched, *late, *told.targets})
        for start in range(0, len(wanted), TARGETS):
            await self._fill(organisation_id, wanted[start : start + TARGETS], first, told.last)

    async def _fill(self, organisation_id: UUID, targets: Sequence[UUID], first: date, last: date) -> None:
        async with self._work(organisation_id) as uow:
            await uow.trends.fill(targets, max(first, first_kept(last, self._months)), last)

    def _all(self, organisation_id: UUID) -> AsyncIterator[Sequence[UUID]]:
        return sweep(self._work, organisation_id, lambda uow, after: uow.trends.targets(after, TARGETS))


def first_kept(today: date, months: int) -> date:
    """The first day that is kept where so many months are, the present one among them."""
    return months_later(month_of(today), 1 - months)


def _by_organisation(events: Iterable[Event], today: date) -> dict[UUID, _Told]:
    found: dict[UUID, _Told] = {}
    for each in events:
        found.setdefault(each.organisation_id, _Told(day_of(each.at), today)).hear(each)
    return found
