"""What the workflow of a gate has done: turns in the queue, and probes of a host that is gone; and who stands there."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from purple.contracts.gates import GateRef, GateTurn
from purple.domain.events import Event
from purple.domain.gates import (
    LOOK_AGAIN,
    RESERVED_FOR,
    TOLD_FOR,
    Bell,
    Breaker,
    GateRules,
    Lease,
    LeaseState,
    Prober,
    Queue,
    place_of,
    probe_after,
    turns,
)
from purple.domain.pages import Query
from purple.domain.ports import UnitOfWork, Work
from purple.services.clearance import Clearance
from purple.services.events import event

_MINUTE = 60
_SOON = timedelta(milliseconds=100)
_QUEUED = (LeaseState.WAITING, LeaseState.STALLED)


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is at the gates of a target."""

    target_id: UUID
    hosts: tuple[str, ...]
    """Its addresses, as far as they are known: a name has them from its scans."""
    tools_at_once: int
    running: tuple[Lease, ...]
    waiting: tuple[Lease, ...]
    breakers: tuple[Breaker, ...]


class Gatekeeping:
    """The gate's side. Each call may come twice."""

    def __init__(self, work: Work, bell: Bell, clearance: Clearance, prober: Prober, rules: GateRules) -> None:
        self._work = work
        self._bell = bell
        self._clearance = clearance
        self._prober = prober
        self._rules = rules

    async def turn(self, ref: GateRef, *, again: bool = False) -> GateTurn:
        """See whether a host that is gone is back, give free places to whom they are due, and tell them.

        Args:
            ref: which gate.
            again: whether an earlier call may have ended before everybody was told.

        Raises:
            UnavailableError: the database or the workflow server is away.
        """
        again |= await self._attend(ref)
        while True:
            queue, granted, told, others = await self._grant(ref, again=again)
            gone = [each.scan_id for each in told if not await self._bell.open_gate(each.workflow_id, each.scan_id)]
            for host in others:
                await self._bell.wake_gate(ref.organisation_id, host)
            if not gone:
                return self._summary(queue, granted)
            async with self._work(ref.organisation_id) as uow:
                await uow.gates.drop(gone)  # of campaigns that ended; the next in the queue has the turn

    async def _grant(
        self, ref: GateRef, *, again: bool
    ) -> tuple[Queue, tuple[Lease, ...], list[Lease], tuple[str, ...]]:
        """Reserve. The queue as it was, whose turn it is, whom to tell, and whose gates must look too."""
        async with self._work(ref.organisation_id) as uow:
            queue = await uow.gates.lock(ref.host, self._rules.lease)
            expired = queue.expired()
            await uow.gates.drop([each.scan_id for each in expired])
            granted = turns(queue, self._rules.tools)
            for each in granted:
                until = queue.now + RESERVED_FOR
                await uow.gates.put(replace(each, state=LeaseState.RESERVED, expires_at=until, reason=""))
            near = await uow.gates.waiting(ref.host) if granted or expired else ()
        told = [*granted]
        if again:
            late = (LeaseState.RESERVED, LeaseState.GIVEN_UP)
            told += [each for each in queue.living() if each.host == ref.host and each.state in late]
        return queue, granted, told, tuple(each for each in near if each != ref.host)

    def _summary(self, queue: Queue, granted: tuple[Lease, ...]) -> GateTurn:
        mine = [each for each in queue.living() if each.host == queue.host and each not in granted]
        waiting = sum(each.state in _QUEUED for each in mine)
        if queue.breaker is not None:
            wait = max(queue.breaker.probe_at - queue.now, _SOON)
            words = f"{queue.breaker}; {waiting} waiting until it is back"
        else:
            ends = [each.expires_at - queue.now + _SOON for each in queue.living() if each.takes and each.expires_at]
            wait = max(min([LOOK_AGAIN, *ends]), _SOON)
            words = f"{waiting} waiting for their turn"
        return GateTurn(waiting=waiting, away=queue.breaker is not None, look_again_s=wait.total_seconds(), words=words)

    async def _attend(self, ref: GateRef) -> bool:
        """Probe a host that is gone, when that is due. Whether those who wait for it must be told that it is over."""
        async with self._work(ref.organisation_id) as uow:
            queue = await uow.gates.read(ref.host)
            breaker = queue.breaker
            if breaker is None or queue.now < breaker.probe_at:
                return False
            allowed = await self._may_probe(uow, queue, breaker)
        answered = allowed and await self._prober.answers(breaker.host, breaker.port)
        async with self._work(ref.organisation_id) as uow:
            queue = await uow.gates.lock(ref.host, self._rules.lease)
            if queue.breaker is None:
                return False
            if answered or not allowed:  # whom the contract no longer allows it, that is told by its own check
                await self._let_in(uow, queue, queue.breaker, answered=answered)
                return False
            if queue.now - queue.breaker.since >= self._rules.give_up:
                await self._give_up(uow, queue, queue.breaker)
                return True
            probes = queue.breaker.probes + 1
            await uow.gates.postpone(ref.host, probes, queue.now + probe_after(probes))
            return False

    async def _may_probe(self, uow: UnitOfWork, queue: Queue, breaker: Breaker) -> bool:
        """Whether a contract that somebody tests or waits under allows to connect to the host now."""
        asking = {breaker.campaign_id: breaker.scan_id}
        asking |= {each.campaign_id: each.scan_id for each in queue.living() if each.state is LeaseState.STALLED}
        for scan_id in asking.values():
            if await self._clearance.may_probe(uow, await uow.scans.get(scan_id), breaker.host):
                return True
        return False

    async def _let_in(self, uow: UnitOfWork, queue: Queue, breaker: Breaker, *, answered: bool) -> None:
        await uow.gates.close(queue.host)
        await uow.gates.move(queue.host, (LeaseState.STALLED,), LeaseState.WAITING, None)
        if answered:
            await uow.events.add(_told(breaker, "target.back", queue))

    async def _give_up(self, uow: UnitOfWork, queue: Queue, breaker: Breaker) -> None:
        await uow.gates.close(queue.host)
        why = f"{breaker}, and was not back within {_span(self._rules.give_up)}"
        for each in queue.living():
            if each.host == queue.host and each.state in _QUEUED:
                until = queue.now + TOLD_FOR
                await uow.gates.put(replace(each, state=LeaseState.GIVEN_UP, expires_at=until, reason=why))
        await uow.events.add(_told(breaker, "target.given_up", queue))

    async def standing(self, organisation_id: UUID, target_id: UUID) -> Standing:
        """Who runs and waits at the addresses of a target, whichever campaign they belong to.

        Raises:
            NotFoundError: there is no such target.
        """
        async with self._work(organisation_id) as uow:
            target = await uow.targets.get(target_id)
            last = await uow.scans.page(Query({"target_id": target_id}, limit=1))
            known = {place_of(target.address.host), *(place_of(scan.address) for scan in last.items)}
            hosts = tuple(sorted((known - {""}) | set(await uow.gates.of_target(target_id))))
            queues = [await uow.gates.read(host) for host in hosts]
        leases = {each.scan_id: each for queue in queues for each in queue.living()}
        ordered = sorted(leases.values(), key=lambda each: each.order)
        return Standing(
            target_id=target_id,
            hosts=hosts,
            tools_at_once=self._rules.tools,
            running=tuple(each for each in ordered if each.takes),
            waiting=tuple(each for each in ordered if each.state in _QUEUED),
            breakers=tuple(queue.breaker for queue in queues if queue.breaker),
        )


def _told(breaker: Breaker, kind: str, queue: Queue) -> Event:
    return event(
        breaker.organisation_id,
        kind,
        breaker.target_id,
        queue.now,
        campaign_id=breaker.campaign_id,
        data={"host": breaker.host, "port": breaker.port, "since": breaker.since.isoformat()},
        occasion=breaker.since.isoformat(),
    )


def _span(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds / _MINUTE:g} min" if seconds >= _MINUTE else f"{seconds:g} s"
