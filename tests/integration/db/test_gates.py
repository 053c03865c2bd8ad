"""Places at a host, taken by many at once on a real PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Self
from uuid import UUID, uuid4

import pytest

from purple.domain.campaigns import Scan
from purple.domain.clock import Clock
from purple.domain.errors import UnavailableError
from purple.domain.gates import PROBE, GateRules, LeaseLostError, LeaseState, TargetAwayError
from purple.domain.observations import Location, ObservationKind, Service
from purple.domain.tools import Intrusiveness, ScanState, ToolJob, ToolRun, ToolSpec, ToolTarget
from purple.services.gates import Admission, Gates
from purple.toolkit.world import SystemClock, TcpProber, TimeOrderedIds
from tests.integration.db.conftest import Tenant

RULES = GateRules(most=3, lease=timedelta(seconds=30))
DONE = ToolRun(ScanState.COMPLETE, "", None)
FAILED = ToolRun(ScanState.FAILED, "ended with code 9", None, 9)


class Bells:
    """Remembers which gates were woken."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    async def wake_gate(self, organisation_id: UUID, host: str) -> None:  # noqa: ARG002 - the port's signature, here and below
        self.woken.append(host)

    async def open_gate(self, workflow_id: str, scan_id: UUID) -> bool:  # noqa: ARG002
        return True


class Slow:
    """A tool that runs until it is told to end, and remembers what became of it."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.may_end = asyncio.Event()
        self.cancelled = False
        self.result = DONE
        self.options: dict[str, Any] = {}

    async def run(self, job: ToolJob, progress: object) -> ToolRun:  # noqa: ARG002
        self.options = dict(job.options)
        self.started.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return self.result


def spec(intrusiveness: Intrusiveness = Intrusiveness.SAFE) -> ToolSpec:
    return ToolSpec("nmap", "Nmap", "sees", ("host",), "recon", 60, intrusiveness)


def gates(tenant: Tenant, rules: GateRules = RULES, clock: Clock | None = None) -> Any:
    """The service, and beside it what it was given."""
    bells, runner = Bells(), Slow()
    made = Gates(tenant.work, runner, bells, TcpProber(), clock or SystemClock(), TimeOrderedIds(), rules)
    return SimpleNamespace(service=made, bells=bells, runner=runner)


async def enter(tenant: Tenant, service: Gates, scan: Scan, host: str, tool: ToolSpec | None = None) -> Admission:
    async with tenant.work(tenant.id) as uow:
        return await service.enter(uow, scan, tool or spec(), host, "campaign/1")


async def scans(tenant: Tenant, number: int) -> list[Scan]:
    campaign = await tenant.campaign(1)
    return [await tenant.scan(campaign, ScanState.PENDING, id=uuid4(), key=f"recon:nmap:{n}") for n in range(number)]


async def states(tenant: Tenant, host: str) -> list[LeaseState]:
    async with tenant.work(tenant.id) as uow:
        return [each.state for each in (await uow.gates.read(host)).living()]


def job(port: int = 0, **options: Any) -> ToolJob:
    return ToolJob("nmap", ToolTarget("127.27.2.1", "127.27.2.1", port), options, 60, None)  # type: ignore[arg-type]  # it writes nothing


async def test_of_many_at_once_only_so_many_get_in(tenant, other) -> None:
    service = gates(tenant).service
    host, asking = "127.27.2.1", await scans(tenant, 12)
    admitted = await asyncio.gather(*(enter(tenant, service, scan, host) for scan in asking))
    assert sum(each.admitted for each in admitted) == 3
    assert all(each.lease.state is LeaseState.HELD for each in admitted if each.admitted and each.lease)
    assert sorted(await states(tenant, host)) == [LeaseState.HELD] * 3 + [LeaseState.WAITING] * 9
    again = await asyncio.gather(*(enter(tenant, service, scan, host) for scan in asking))
    assert [each.admitted for each in again] == [each.admitted for each in admitted], "who has a place keeps it"
    (stranger,) = await scans(other, 1)
    assert (await enter(other, gates(other).service, stranger, host)).admitted, "another organisation has its own gate"


async def test_hosts_and_the_networks_around_them_are_counted_together(tenant) -> None:
    service = gates(tenant).service
    network, host, far = "127.27.3.0/24", "127.27.3.9", "127.27.4.1"
    asking = await scans(tenant, 6)
    for scan, place in zip(asking, (network, network, host), strict=False):
        assert (await enter(tenant, service, scan, place)).admitted
    full = await enter(tenant, service, asking[3], host)
    assert full.waiting == f"waiting: 3 tools run on {host}, which is its limit"
    assert (await enter(tenant, service, asking[4], far)).admitted
    alone = await enter(tenant, service, asking[5], "127.27.3.10", spec(Intrusiveness.INTRUSIVE))
    assert alone.waiting == "waiting: nmap needs 127.27.3.10 to itself, and 2 run there"


async def test_a_tool_that_sends_nothing_or_is_nowhere_needs_no_place(tenant) -> None:
    service = gates(tenant).service
    (scan,) = await scans(tenant, 1)
    for host, tool in (("127.27.2.2", spec(Intrusiveness.PASSIVE)), ("", spec()), ("/srv/app.git", spec())):
        admission = await enter(tenant, service, scan, host, tool)
        assert admission == Admission()
        assert admission.admitted
    assert await states(tenant, "127.27.2.2") == []


async def test_a_tool_that_ended_frees_its_place_and_wakes_the_gates_of_who_waits(tenant) -> None:
    made = gates(tenant, replace(RULES, most=1, requests_per_second=8))
    first, second, third = await scans(tenant, 3)
    lease = (await enter(tenant, made.service, first, "127.27.5.1")).lease
    assert (await enter(tenant, made.service, second, "127.27.5.1")).waiting
    assert (await enter(tenant, made.service, third, "127.27.5.0/24")).waiting
    running = asyncio.create_task(made.service.run(lease, job(rate=20), lambda _: None))
    await made.runner.started.wait()
    assert made.runner.options == {"rate": 8}, "no more than the host's budget"
    made.runner.may_end.set()
    assert await running is DONE
    assert made.bells.woken == ["127.27.5.0/24", "127.27.5.1"]
    assert await states(tenant, "127.27.5.1") == [LeaseState.WAITING] * 2


async def test_a_lease_is_renewed_while_its_tool_runs_and_lost_to_the_next_run_of_the_scan(tenant) -> None:
    made = gates(tenant, replace(RULES, most=1, lease=timedelta(seconds=1)))
    scan, other = await scans(tenant, 2)
    host = "127.27.6.1"
    lease = (await enter(tenant, made.service, scan, host)).lease
    running = asyncio.create_task(made.service.run(lease, job(), lambda _: None))
    deadline = asyncio.get_running_loop().time() + 2
    while asyncio.get_running_loop().time() < deadline:
        assert (await enter(tenant, made.service, other, host)).waiting
        await asyncio.sleep(0.1)
    assert (await enter(tenant, made.service, scan, host)).admitted, "the scan runs again, elsewhere"
    with pytest.raises(LeaseLostError):
        await running
    assert made.runner.cancelled
    assert LeaseState.HELD in await states(tenant, host), "what the next run holds stays"
    assert issubclass(LeaseLostError, UnavailableError), "so that the step is tried again"


async def test_what_nobody_renews_is_free_again(tenant) -> None:
    service = gates(tenant, replace(RULES, most=1, lease=timedelta(seconds=1))).service
    dead, other = await scans(tenant, 2)
    assert (await enter(tenant, service, dead, "127.27.6.2")).admitted
    async with asyncio.timeout(5):
        while not (await enter(tenant, service, other, "127.27.6.2")).admitted:
            await asyncio.sleep(0.05)


async def test_cancelling_frees_the_place_after_the_tool_has_died(tenant) -> None:
    made = gates(tenant)
    (scan,) = await scans(tenant, 1)
    lease = (await enter(tenant, made.service, scan, "127.27.6.3")).lease
    running = asyncio.create_task(made.service.run(lease, job(), lambda _: None))
    await made.runner.started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert made.runner.cancelled
    assert await states(tenant, "127.27.6.3") == []


async def test_a_port_that_never_answered_opens_no_breaker(tenant) -> None:
    made = gates(tenant, replace(RULES, probe_every_s=0.01, probe_failures=1))
    (scan,) = await scans(tenant, 1)
    lease = (await enter(tenant, made.service, scan, "127.27.2.1")).lease
    running = asyncio.create_task(made.service.run(lease, job(port=9), lambda _: None))
    await made.runner.started.wait()
    done, _ = await asyncio.wait([running], timeout=0.3)
    assert not done
    made.runner.may_end.set()
    assert await running is DONE


async def test_a_port_that_stops_answering_stops_the_tool_which_keeps_its_place_in_the_queue(tenant) -> None:
    made = gates(tenant, replace(RULES, probe_every_s=0.02))
    first, other = await scans(tenant, 2)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.27.2.1", 0)
    port = server.sockets[0].getsockname()[1]
    admission = await enter(tenant, made.service, first, "127.27.2.1")
    running = asyncio.create_task(made.service.run(admission.lease, job(port=port), lambda _: None))
    await made.runner.started.wait()
    server.close()
    await server.wait_closed()
    with pytest.raises(TargetAwayError):
        await running
    assert made.runner.cancelled
    async with tenant.work(tenant.id) as uow:
        stopped = await made.service.trip(uow, admission, port)
        told = [each.type for each in await uow.events.milestones(first.campaign_id)]
    assert told == ["target.unreachable"]
    assert stopped.stalled
    assert stopped.waiting.startswith(f"waiting: 127.27.2.1 stopped answering on port {port} at ")
    assert (await enter(tenant, made.service, other, "127.27.2.1")).waiting == stopped.waiting
    assert await states(tenant, "127.27.2.1") == [LeaseState.STALLED] * 2


async def test_a_tool_that_failed_while_its_host_went_is_not_believed(tenant) -> None:
    made = gates(tenant, replace(RULES, probe_every_s=0.02))
    (scan,) = await scans(tenant, 1)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.27.2.5", 0)
    port = server.sockets[0].getsockname()[1]
    for result, goes in ((FAILED, False), (FAILED, True)):
        lease = (await enter(tenant, made.service, scan, "127.27.2.5")).lease
        made.runner.result = result
        running = asyncio.create_task(made.service.run(lease, job(port=port), lambda _: None))
        await made.runner.started.wait()
        if goes:
            server.close()
            await server.wait_closed()
        made.runner.may_end.set()
        if goes:
            with pytest.raises(TargetAwayError):
                await running
        else:
            assert await running is FAILED
        made.runner.started.clear()
        made.runner.may_end.clear()


class Knocked:
    """A port that counts who connects, and a clock that jumps to a time at which no probe is allowed.

    It is served by the loop that probes, not by a thread, so that a knock is counted before the clock is read again.
    """

    def __init__(self, closes_after: int) -> None:
        self.knocks = 0
        self.closes_after = closes_after
        self.until = datetime(2026, 1, 2, 12, tzinfo=UTC)

    def now(self) -> datetime:
        late = self.knocks >= self.closes_after
        return self.until - (PROBE - timedelta(milliseconds=1) if late else PROBE)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._knock, "127.27.2.6", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _knock(self, _: object, writer: asyncio.StreamWriter) -> None:
        self.knocks += 1
        writer.close()


@pytest.mark.parametrize("most", [1, 3])
async def test_no_probe_begins_when_the_tools_time_is_nearly_over(tenant, most) -> None:
    (scan,) = await scans(tenant, 1)
    async with Knocked(closes_after=most) as port:
        made = gates(tenant, replace(RULES, probe_every_s=0.02), port)
        lease = (await enter(tenant, made.service, scan, "127.27.2.6")).lease
        made.runner.result = FAILED
        bound = replace(job(port=port.port), until=port.until)
        running = asyncio.create_task(made.service.run(lease, bound, lambda _: None))
        await made.runner.started.wait()
        while port.knocks < most:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        made.runner.may_end.set()
        assert await running == replace(FAILED, cut_short=True), "whether its host went is not known"
        assert port.knocks == most


async def test_a_tool_whose_host_can_no_longer_be_asked_is_not_started(tenant) -> None:
    (scan,) = await scans(tenant, 1)
    async with Knocked(closes_after=0) as port:
        made = gates(tenant, RULES, port)
        lease = (await enter(tenant, made.service, scan, "127.27.2.6")).lease
        ended = await made.service.run(lease, replace(job(port=port.port), until=port.until), lambda _: None)
        assert (ended.state, ended.cut_short, port.knocks) == (ScanState.TIMED_OUT, True, 0)
    assert not made.runner.started.is_set()


async def test_a_tool_does_not_start_where_the_campaign_saw_a_port_that_is_gone_now(tenant) -> None:
    made = gates(tenant, replace(RULES, probe_every_s=0.02))
    (scan,) = await scans(tenant, 1)
    listens = Location(host="127.27.2.1", port=9, transport="tcp")
    await tenant.record(
        tenant.sight(scan, 9, kind=ObservationKind.SERVICE, location=listens, service=Service("http"), flaw_class=None)
    )
    admission = await enter(tenant, made.service, scan, "127.27.2.1")
    with pytest.raises(TargetAwayError) as away:
        await made.service.run(admission.lease, job(port=9), lambda _: None)
    assert not away.value.ran
    assert not made.runner.started.is_set()
    async with tenant.work(tenant.id) as uow:
        waiting = await made.service.trip(uow, admission, 9, ran=away.value.ran)
    assert waiting.lease is not None
    assert (waiting.stalled, waiting.lease.stops) == (True, 0)


async def test_a_tool_under_which_the_host_falls_again_and_again_is_not_started_again(tenant) -> None:
    service = gates(tenant).service
    (scan,) = await scans(tenant, 1)
    host, ends = "127.27.2.3", []
    for _ in range(3):
        admission = await enter(tenant, service, scan, host)
        assert admission.admitted
        async with tenant.work(tenant.id) as uow:
            ends.append(await service.trip(uow, admission, 80))
            await uow.gates.close(host)
            await uow.gates.move(host, (LeaseState.STALLED,), LeaseState.WAITING, None)
    assert [bool(each.given_up) for each in ends] == [False, False, True]
    assert "stopped answering 3 times while nmap ran" in ends[-1].given_up
    assert await states(tenant, host) == []


async def test_an_ended_campaign_leaves_every_queue_but_no_tool_that_still_dies(tenant) -> None:
    service = gates(tenant).service
    asking = await scans(tenant, 6)
    for scan in asking:
        await enter(tenant, service, scan, "127.27.2.4")
    campaign = asking[0].campaign_id
    async with tenant.work(tenant.id) as uow:
        await uow.gates.withdraw(campaign, asking[4].id)
        left = [each.scan_id for each in (await uow.gates.read("127.27.2.4")).living()]
        await uow.gates.withdraw(campaign)
    assert left == [each.id for each in asking if each is not asking[4]]
    assert await states(tenant, "127.27.2.4") == [LeaseState.HELD] * 3
