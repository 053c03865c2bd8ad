"""Runs worker roles: sandboxed workflows, activities with their ports, a drain on SIGTERM."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.campaign import CampaignActivities
from activities.gates import GateActivities
from activities.importing import ImportActivities
from activities.outcome import AnalysisActivities, NotifyActivities, ReportActivities, TriageActivities
from activities.scanning import ScanActivities
from activities.undoing import AlarmActivities, OpenUndoActivities, UndoActivities
from purple.bootstrap import Container
from purple.contracts import names
from purple.domain.errors import PurpleError
from purple.observability.runtime import set_apart
from workers.slots import tool_tuner
from workers.versioning import build_of, deployment_of
from workflows.batch import BatchWorkflow
from workflows.campaign import CampaignWorkflow
from workflows.gate import GateWorkflow
from workflows.undo import UndoWorkflow

HEARTBEAT_THROTTLE = timedelta(seconds=1)
log = structlog.get_logger()


def _control(container: Container) -> Sequence[Callable[..., Any]]:
    steps = CampaignActivities(container.campaigns, container.retrying, container.ordering, container.schedule_runs)
    gate = GateActivities(container.gatekeeping)
    undos = OpenUndoActivities(container.undos)
    return (
        steps.begin,
        steps.plan,
        steps.next_scans,
        steps.settle,
        steps.retry_scans,
        steps.carry_out,
        steps.expire,
        steps.look,
        steps.finish,
        gate.turn,
        undos.open_undos,
    )


def _scan(container: Container) -> Sequence[Callable[..., Any]]:
    steps = ScanActivities(container.scanning, container.campaigns)
    return (
        steps.run_scan,
        ImportActivities(container.surveying).survey,
        UndoActivities(container.undoing).undo,
    )


def _report(container: Container) -> Sequence[Callable[..., Any]]:
    container.renderer.pdf.keeps_ready = True
    return (ReportActivities(container.reporting).report,)


def _notify(container: Container) -> Sequence[Callable[..., Any]]:
    return (NotifyActivities(container.notifying).notify, AlarmActivities(container.notifying).alarm)


WORKFLOWS = (CampaignWorkflow, BatchWorkflow, GateWorkflow, UndoWorkflow)

ROLES: dict[str, tuple[str, Callable[[Container], Sequence[Callable[..., Any]]], int]] = {
    "control": (names.QUEUE_CONTROL, _control, 20),
    "recon": (names.QUEUE_RECON, _scan, 0),
    "scan": (names.QUEUE_SCAN, _scan, 0),
    "analysis": (names.QUEUE_ANALYSIS, lambda c: (AnalysisActivities(c.analysis).analyse,), 4),
    "ai": (names.QUEUE_AI, lambda c: (TriageActivities(c.triage).triage,), 2),
    "report": (names.QUEUE_REPORT, _report, 2),
    "notify": (names.QUEUE_NOTIFY, _notify, 10),
}
"""Role to queue, activities, and how many run at once; tools by their weight instead."""
TOOL_ROLES = frozenset({"recon", "scan"})


def sandbox() -> SandboxedWorkflowRunner:
    """Strict: workflows may import our contracts and domain, which hold values only."""
    passed = SandboxRestrictions.default.with_passthrough_modules("purple.contracts", "purple.domain", "pydantic")
    return SandboxedWorkflowRunner(restrictions=passed)


def build_worker(client: Client, container: Container, role: str, zone: str = "") -> Worker:
    """A worker of one role; one that runs tools may serve a network zone, and then nothing else."""
    queue, activities, at_once = ROLES[role]
    sized: dict[str, Any] = {"max_concurrent_activities": at_once}
    if role in TOOL_ROLES:  # one poll at a time: what comes is meant to find room
        queue = names.tool_queue(role, zone)
        sized = {"tuner": tool_tuner(container.capacity, container.tools), "max_concurrent_activity_task_polls": 1}
    if role == "control":
        sized["deployment_config"] = deployment_of(container.settings.temporal)
    return Worker(
        client,
        task_queue=queue,
        workflows=list(WORKFLOWS) if role == "control" else [],
        activities=list(activities(container)),
        workflow_runner=sandbox(),
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=timedelta(seconds=container.settings.worker.drain_s),
        identity=f"{role}{f'-{zone}' if zone else ''}@{os.getpid()}",
        **sized,
    )


async def run_roles(container: Container, roles: Sequence[str], stop: asyncio.Event, zone: str = "") -> None:
    """Run until told to stop; while Temporal is away, wait for it."""
    if TOOL_ROLES.intersection(roles):
        await _say_isolation(container)
    client = await container.orchestrator.connected_client()
    workers = [build_worker(client, container, role, zone) for role in roles]
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    adopting = asyncio.create_task(_adopt(container, roles))
    mark_ready()
    log.info("workers run", roles=list(roles), zone=zone)
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    adopting.cancel()
    container.capacity.close()
    await asyncio.gather(*(worker.shutdown() for worker in workers))
    for task in done - {stopping}:
        task.result()


async def _say_isolation(container: Container) -> None:
    """Under which tools will run; no worker starts without the one that is demanded."""
    isolation = await asyncio.to_thread(container.isolations.now)
    say = log.info if isolation.name != "none" else log.warning
    say("isolation of tools", isolation=isolation.name, detail=isolation.detail)


async def _adopt(container: Container, roles: Sequence[str]) -> None:
    """Where no build takes what is new, this one does; to change that afterwards is for people: `purple build`."""
    temporal = container.settings.temporal
    if temporal.versioning == "off" or "control" not in roles:
        return
    builds = container.orchestrator.builds
    while True:
        try:
            if not any(each.state == "current" for each in await builds.all()):
                await builds.make_current(build_of(temporal))
        except (PurpleError, RPCError) as error:  # not known before its first poll, or the server is away
            log.info("no build is current yet", reason=str(error))
            await asyncio.sleep(1)
        else:
            return


def mark_ready() -> None:
    """Tell the stack's keeper that we serve."""
    set_apart()
    file = os.environ.get("PURPLE_READY_FILE")
    if file:
        Path(file).touch()


def on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT drain."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


__all__ = ["ROLES", "TOOL_ROLES", "Container", "build_worker", "mark_ready", "on_signals", "run_roles", "sandbox"]
