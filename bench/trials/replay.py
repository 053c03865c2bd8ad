"""Trial 10: recorded histories replay, and those that the other trials left; what lacks is made."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from bench.trials.course import lanes
from bench.trials.house import ROLES, House
from bench.trials.report import Report, trial
from workers.runner import WORKFLOWS, sandbox

HISTORIES = Path(__file__).parents[2] / "tests/replay/histories"
MADE_AT_ONCE = 20
ENDED = "ExecutionStatus != 'Running'"


def replayer() -> Replayer:
    """Under the strict sandbox, as workers run workflows."""
    return Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=sandbox())


def recorded(path: Path) -> WorkflowHistory:
    """A history that was kept."""
    text = path.read_text()
    begun = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(begun["workflowId"], text)  # its children's ids are made of its own


async def history(address: str, workflow: str) -> WorkflowHistory:
    """One that the server has."""
    client = await Client.connect(address)
    return await client.get_workflow_handle(workflow).fetch_history()


async def _kept(address: str, most: int) -> AsyncIterator[WorkflowHistory]:
    client = await Client.connect(address)
    async for each in client.list_workflows(ENDED, limit=most):
        yield await client.get_workflow_handle(each.id, run_id=each.run_id).fetch_history()


async def _replay(found: Sequence[WorkflowHistory], report: Report) -> None:
    for each in found:
        result = await replayer().replay_workflow(each, raise_on_replay_failure=False)
        report.point(f"{each.workflow_id}: {result.replay_failure}" if result.replay_failure else "")


def run(points: int, seed: int, place: House) -> Report:  # noqa: ARG001 - nothing here is by chance
    """Replay as many."""
    with trial(10, "replay of recorded histories") as report:
        files = [recorded(path) for path in sorted(HISTORIES.glob("*.json"))][:points]
        asyncio.run(_replay(files, report))
        left = asyncio.run(_histories(place, points - len(files)))
        if len(left) < points - len(files):
            _make(place, points - len(files) - len(left))
            left = asyncio.run(_histories(place, points - len(files)))
        asyncio.run(_replay(left, report))
    return report


async def _histories(place: House, most: int) -> list[WorkflowHistory]:
    if most <= 0:
        return []
    return [each async for each in _kept(place.servers.temporal_address, most)]


def _make(place: House, lacking: int) -> None:
    """Campaigns that end well, and every third cancelled."""
    with place.workers(*ROLES), lanes(place, 10, 1, seconds=0.0) as (lane,):
        for first in range(0, lacking, MADE_AT_ONCE):
            campaigns = [lane.start() for _ in range(min(MADE_AT_ONCE, lacking - first))]
            for each in campaigns[::3]:
                place.facade.post(f"/campaigns/{each}/cancel", {})
            for each in campaigns:
                place.facade.end(each)
