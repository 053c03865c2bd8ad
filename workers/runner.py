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
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.campaign import CampaignActivities
from activities.outcome import AnalysisActivities, NotifyActivities, ReportActivities, TriageActivities
from activities.scanning import ScanActivities
from purple.bootstrap import Container
from purple.contracts import names
from workflows.campaign import CampaignWorkflow

HEARTBEAT_THROTTLE = timedelta(seconds=1)
DRAIN = timedelta(seconds=5)
"""A tool run that a worker leaves behind is taken up by another, so there is no point in waiting long."""

log = structlog.get_logger()


def _control(container: Container) -> Sequence[Callable[..., Any]]:
    steps = CampaignActivities(container.campaigns, container.retrying, container.schedule_runs)
    return (steps.begin, steps.plan, steps.settle, steps.retry_scans, steps.finish)


def _scan(container: Container) -> Sequence[Callable[..., Any]]:
    return (ScanActivities(container.scanning, container.campaigns).run_scan,)


ROLES: dict[str, tuple[str, Callable[[Container], Sequence[Callable[..., Any]]], int]] = {
    "control": (names.QUEUE_CONTROL, _control, 20),
    "recon": (names.QUEUE_RECON, _scan, 2),
    "scan": (names.QUEUE_SCAN, _scan, 2),
    "analysis": (names.QUEUE_ANALYSIS, lambda c: (AnalysisActivities(c.analysis).analyse,), 4),
    "ai": (names.QUEUE_AI, lambda c: (TriageActivities(c.triage).triage,), 2),
    "report": (names.QUEUE_REPORT, lambda c: (ReportActivities(c.reporting).report,), 2),
    "notify": (names.QUEUE_NOTIFY, lambda c: (NotifyActivities(c.notifying).notify,), 10),
}
"""Role to queue, activities, and how many run at once."""


def sandbox() -> SandboxedWorkflowRunner:
    """Strict: workflows may import our contracts and domain, which hold values only."""
    passed = SandboxRestrictions.default.with_passthrough_modules("purple.contracts", "purple.domain", "pydantic")
    return SandboxedWorkflowRunner(restrictions=passed)


def build_worker(client: Client, container: Container, role: str) -> Worker:
    """A worker of one role."""
    queue, activities, at_once = ROLES[role]
    return Worker(
        client,
        task_queue=queue,
        workflows=[CampaignWorkflow] if role == "control" else [],
        activities=list(activities(container)),
        workflow_runner=sandbox(),
        max_concurrent_activities=at_once,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=DRAIN,
        identity=f"{role}@{os.getpid()}",
    )


async def run_roles(container: Container, roles: Sequence[str], stop: asyncio.Event) -> None:
    """Run until told to stop; while Temporal is away, wait for it."""
    client = await container.orchestrator.connected_client()
    workers = [build_worker(client, container, role) for role in roles]
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    mark_ready()
    log.info("workers run", roles=list(roles))
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    await asyncio.gather(*(worker.shutdown() for worker in workers))
    for task in done - {stopping}:
        task.result()


def mark_ready() -> None:
    """Tell the stack's keeper that we serve."""
    file = os.environ.get("PURPLE_READY_FILE")
    if file:
        Path(file).touch()


def on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT drain."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


__all__ = ["ROLES", "Container", "build_worker", "mark_ready", "on_signals", "run_roles", "sandbox"]
