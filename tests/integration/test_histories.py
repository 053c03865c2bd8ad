"""What real campaigns leave in Temporal replays; with PURPLE_RECORD=1 it is kept for `tests/replay`."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from purple.contracts import names
from purple.domain.campaigns import CampaignState
from tests.integration.test_undos import ADDRESS, held, register, start  # noqa: F401 - a fixture
from tests.support.running import Purple, wait_until
from workers.runner import WORKFLOWS, sandbox

STARTED = "childWorkflowExecutionStartedEventAttributes"
TIMER = "timerStartedEventAttributes"
HISTORIES = Path(__file__).resolve().parents[1] / "replay/histories"
KINDS = {
    "completed": {"flaws": [1, 2]},
    "gaps": {"mode": "crash"},
    "cancelled": {"mode": "slow"},
    "retried": {"mode": "fragile"},
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_campaign_of_today_replays(purple, tmp_path, kind) -> None:
    marker = tmp_path / "marker"
    target = f"127.4.0.{sorted(KINDS).index(kind) + 1}"
    options = KINDS[kind] | ({"marker": str(marker)} if kind in {"cancelled", "retried"} else {})
    if kind == "retried":
        marker.write_text(target)
    campaign = await purple.start(target, made=options)
    if kind == "cancelled":
        await asyncio.to_thread(wait_until, marker.exists, 30, "the tool runs")
        await purple.container.steering.cancel(purple.organisation, campaign.id)
    await purple.end(campaign)
    if kind == "retried":
        marker.unlink()
        await purple.end(await purple.retry(campaign))
    await replays(purple, kind, campaign.workflow_id)


async def replays(purple: Purple, kind: str, workflow_id: str, run_id: str | None = None) -> str:
    """Once it has ended; what it left, as JSON."""
    client = await purple.container.orchestrator.client()
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    await handle.result()
    history = await handle.fetch_history()
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=sandbox())
    await replayer.replay_workflow(history)
    text: str = history.to_json()
    if os.environ.get("PURPLE_RECORD"):
        HISTORIES.mkdir(exist_ok=True)
        (HISTORIES / f"{kind}.json").write_text(text + "\n")
    return text


async def so_far(handle: WorkflowHandle[Any, Any]) -> str:
    """Its history; a scan is known to wait a moment before its gate runs."""
    try:
        return (await handle.fetch_history()).to_json()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return ""
        raise


async def test_a_change_that_is_taken_back_and_a_wait_at_a_gate_replay(
    purple,
    register,  # noqa: F811 - the fixture
    tmp_path,
) -> None:
    undone = await purple.end(await start(purple, register))
    text = await replays(purple, "undone", undone.workflow_id)
    first = next(each[STARTED] for each in json.loads(text)["events"] if STARTED in each)["workflowExecution"]
    assert f'"{names.UNDO}"' in await replays(purple, "undo", first["workflowId"], first["runId"])
    marker = tmp_path / "marker"
    alone = await start(purple, register, mode="hold-after", marker=str(marker))  # who changes things is alone
    await held(marker)
    waiter = await purple.start(ADDRESS)
    gate = f"gate/{purple.organisation}/{ADDRESS}"
    async with asyncio.timeout(60):
        while not any("made-changing has" in each.reason for each in await purple.scans(waiter)):
            await asyncio.sleep(0.05)
        client = await purple.container.orchestrator.client()
        while TIMER not in await so_far(client.get_workflow_handle(gate)):
            await asyncio.sleep(0.05)
    marker.unlink()
    for each in (alone, waiter):
        assert (await purple.end(each)).state is CampaignState.COMPLETED
    assert f'"{names.SIGNAL_GATE_OPEN}"' in await replays(purple, "waited", waiter.workflow_id)
    assert f'"{names.GATE_TURN}"' in await replays(purple, "gate", gate)
