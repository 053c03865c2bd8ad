"""A tool's way through the gate of its host: it takes a place, keeps it while it runs, and gives it back."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Never

from purple.domain.campaigns import Scan
from purple.domain.clock import Clock, Ids
from purple.domain.errors import UnavailableError
from purple.domain.gates import (
    MAX_STOPS,
    PROBE,
    Bell,
    Breaker,
    GateRules,
    Lease,
    LeaseLostError,
    LeaseState,
    Prober,
    TargetAwayError,
    place_of,
    probe_after,
    refusal,
)
from purple.domain.ports import UnitOfWork, Work
from purple.domain.tools import Intrusiveness, ScanState, ToolJob, ToolProgress, ToolRun, ToolRunner, ToolSpec
from purple.services.events import event

_RENEWALS = 10
"""Within the life of a lease."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What the gate said to a scan."""

    lease: Lease | None = None
    """None where there is no gate: nothing is sent to a host."""
    waiting: str = ""
    """Why it waits; its campaign is told when its turn comes."""
    given_up: str = ""
    """Why it will never run."""

    @property
    def admitted(self) -> bool:
        """Whether the tool may start now."""
        return not self.waiting and not self.given_up

    @property
    def stalled(self) -> bool:
        """Whether it waits for a host that is gone, which may take long."""
        return self.lease is not None and self.lease.state is LeaseState.STALLED


class Gates:
    """The workers' side: a runner of tools that lets each through the gate of its host."""

    def __init__(
        self, work: Work, runner: ToolRunner, bell: Bell, prober: Prober, clock: Clock, ids: Ids, rules: GateRules
    ) -> None:
        self._runner = runner
        self._work = work
        self._bell = bell
        self._prober = prober
        self._clock = clock
        self._ids = ids
        self._rules = rules

    async def enter(self, uow: UnitOfWork, scan: Scan, spec: ToolSpec, address: str, workflow_id: str) -> Admission:
        """Take a place for a tool at its host, or a place in the queue; written down with the caller's own changes.

        Args:
            uow: the caller's unit of work; it must end soon, since others wait for it.
            scan: what wants to start. One that has a place already takes it again.
            spec: its tool.
            address: the checked address.
            workflow_id: whom to tell when its turn comes.
        """
        host = "" if spec.intrusiveness is Intrusiveness.PASSIVE else place_of(address)
        if not host:
            return Admission()
        queue = await uow.gates.lock(host, self._rules.lease)
        await uow.gates.drop([each.scan_id for each in queue.expired()])
        mine = queue.of(scan.id)
        if mine is not None and mine.state is LeaseState.GIVEN_UP:
            await uow.gates.drop([scan.id])
            return Admission(given_up=mine.reason)
        wanted = Lease(
            scan_id=scan.id,
            organisation_id=scan.organisation_id,
            campaign_id=scan.campaign_id,
            target_id=scan.target_id,
            host=host,
            tool=scan.tool,
            endpoint=scan.endpoint,
            workflow_id=workflow_id,
            exclusive=spec.intrusiveness.rank >= Intrusiveness.INTRUSIVE.rank,
            state=LeaseState.HELD,
            since=mine.since if mine else queue.now,
            expires_at=queue.now + self._rules.lease,
            holder=self._ids.new(),
            stops=mine.stops if mine else 0,
        )
        why = refusal(queue, wanted, self._rules.tools)
        if why:
            state = LeaseState.STALLED if queue.breaker else LeaseState.WAITING
            wanted = replace(wanted, state=state, expires_at=None, holder=None, reason=why)
        await uow.gates.put(wanted)
        return Admission(wanted, waiting=f"waiting: {why}" if why else "")

    async def announce(self, admission: Admission) -> None:
        """After commit: see to it that somebody looks after who waits.

        Raises:
            UnavailableError: the workflow server is away.
        """
        if admission.lease and (admission.waiting or admission.given_up):
            await self._bell.wake_gate(admission.lease.organisation_id, admission.lease.host)

    async def run(self, lease: Lease | None, job: ToolJob, progress: Callable[[ToolProgress], None]) -> ToolRun:
        """Run a tool that was admitted, and free its place however that ends.

        Args:
            lease: its place; None where nothing is sent to a host.
            job: what to run; the rate of a tool that takes one is cut to its part of the host's budget.
            progress: told now and then how the tool is doing.

        Raises:
            TargetAwayError: the host stopped answering; the tool was stopped, and the scan keeps its place.
            LeaseLostError: somebody else has its place; the tool was stopped.
        """
        if lease is None:
            return await self._runner.run(job, progress)
        keeps = False
        try:
            return await self._watched(lease, replace(job, options=self._options(job, lease)), progress)
        except TargetAwayError:
            keeps = True
            raise
        finally:
            if not keeps:
                await asyncio.shield(self._leave(lease))

    async def _watched(self, lease: Lease, job: ToolJob, progress: Callable[[ToolProgress], None]) -> ToolRun:
        """Run the tool while its lease is renewed and its host answers, if that did before.

        A tool that did not do its work may have failed because its host went: that is seen before it is believed, and
        where its time is over before that, it was cut short.
        """
        port = job.target.port
        if port and not self._may_probe(job):
            return ToolRun(
                ScanState.TIMED_OUT, "there was no time left to see whether its host answers", None, cut_short=True
            )
        answers = bool(port) and await self._answers_first(lease, job)
        running = asyncio.ensure_future(self._runner.run(job, progress))
        watching = [asyncio.ensure_future(self._renewing(lease))]
        if answers:
            watching.append(asyncio.ensure_future(self._probing(lease, job)))
        try:
            done, _ = await asyncio.wait({running, *watching}, return_when=asyncio.FIRST_COMPLETED)
            for each in done - {running}:
                if not running.done():
                    each.result()  # it ends by an error only
            result = await running
            if answers and result.state is not ScanState.COMPLETE:
                if await self._is_gone(lease, job):
                    raise TargetAwayError(f"{lease.host} stopped answering on port {port}", ran=True)
                return result if self._may_probe(job) else replace(result, cut_short=True)
            return result
        finally:
            for each in (running, *watching):
                each.cancel()
            # a tool that was cancelled is dead when it has ended
            await asyncio.gather(running, *watching, return_exceptions=True)

    def _options(self, job: ToolJob, lease: Lease) -> Mapping[str, Any]:
        if "rate" not in job.options:
            return job.options
        return {**job.options, "rate": self._rules.rate(job.options["rate"], exclusive=lease.exclusive)}

    async def _renewing(self, lease: Lease) -> Never:
        while lease.holder is not None:
            await asyncio.sleep(self._rules.lease.total_seconds() / _RENEWALS)
            with contextlib.suppress(UnavailableError):  # while it is away nobody else can take the place either
                async with self._work(lease.organisation_id) as uow:
                    kept = await uow.gates.renew(lease.scan_id, lease.holder, self._rules.lease)
                if not kept:
                    break
        raise LeaseLostError(
            f"the place of {lease.tool} at {lease.host} was taken meanwhile", remedy="it asks for another"
        )

    async def _probing(self, lease: Lease, job: ToolJob) -> Never:
        while True:
            await asyncio.sleep(self._rules.probe_every_s)
            if await self._is_gone(lease, job):
                raise TargetAwayError(f"{lease.host} stopped answering on port {job.target.port}", ran=True)

    async def _is_gone(self, lease: Lease, job: ToolJob) -> bool:
        """Whether so many probes in a row fail; what cannot be seen before the tool's time is over is not so."""
        for number in range(self._rules.probe_failures):
            if number:
                await asyncio.sleep(self._rules.probe_every_s)
            if not self._may_probe(job) or await self._prober.answers(lease.host, job.target.port):
                return False
        return True

    def _may_probe(self, job: ToolJob) -> bool:
        return job.until is None or self._clock.now() + PROBE <= job.until

    async def _answers_first(self, lease: Lease, job: ToolJob) -> bool:
        """Whether the host answers before the tool starts; one that this campaign saw listening must."""
        target = job.target
        if await self._prober.answers(lease.host, target.port):
            return True
        async with self._work(lease.organisation_id) as uow:
            seen = await uow.gates.answered(lease.campaign_id, (target.host, lease.host), target.port)
        if seen and await self._is_gone(lease, job):
            raise TargetAwayError(f"{lease.host} no longer answers on port {target.port}", ran=False)
        return seen

    async def _leave(self, lease: Lease) -> None:
        """Free a place and tell who waits; what is not told now is found by the gate's own timer."""
        if lease.holder is None:
            return
        with contextlib.suppress(UnavailableError):
            async with self._work(lease.organisation_id) as uow:
                waiting = await uow.gates.leave(lease.scan_id, lease.holder, lease.host)
            for host in waiting:
                await self._bell.wake_gate(lease.organisation_id, host)

    async def trip(self, uow: UnitOfWork, admission: Admission, port: int, *, ran: bool = True) -> Admission:
        """Write down that a host is gone: nothing starts there until it is back, and who waits waits for that.

        Args:
            uow: the caller's unit of work.
            admission: of the scan that saw it.
            port: which does not answer.
            ran: whether its tool was running, and may be the cause.

        Returns:
            What is said to the scan whose tool was stopped.
        """
        lease = admission.lease
        if lease is None:
            return admission
        queue = await uow.gates.lock(lease.host, self._rules.lease)
        breaker = Breaker(
            organisation_id=lease.organisation_id,
            host=lease.host,
            port=port,
            campaign_id=lease.campaign_id,
            target_id=lease.target_id,
            scan_id=lease.scan_id,
            since=queue.now,
            probe_at=queue.now + probe_after(0),
        )
        if await uow.gates.trip(breaker):
            await uow.events.add(
                event(
                    lease.organisation_id,
                    "target.unreachable",
                    lease.target_id,
                    queue.now,
                    campaign_id=lease.campaign_id,
                    data={"host": lease.host, "port": port, "tool": lease.tool},
                    occasion=queue.now.isoformat(),
                )
            )
        breaker = queue.breaker or breaker
        queued = (LeaseState.WAITING, LeaseState.RESERVED)
        await uow.gates.move(lease.host, queued, LeaseState.STALLED, None)
        stopped = replace(
            lease,
            state=LeaseState.STALLED,
            expires_at=None,
            holder=None,
            stops=lease.stops + ran,
            reason=str(breaker),
        )
        if stopped.stops >= MAX_STOPS:
            await uow.gates.drop([lease.scan_id])
            times = f"{lease.host} stopped answering {stopped.stops} times while {lease.tool} ran"
            return Admission(stopped, given_up=f"{times}; it is not started again")
        await uow.gates.put(stopped)
        return Admission(stopped, waiting=f"waiting: {breaker}")
