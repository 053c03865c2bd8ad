"""What real campaigns leave in Temporal replays; with PURPLE_RECORD=1 it is kept for `tests/replay`."""

import asyncio
import os
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from purple.domain.identity import Actor
from tests.support.running import wait_until
from workers.runner import sandbox
from workflows.campaign import CampaignWorkflow

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
        admin = Actor(uuid4(), purple.organisation, "admin")
        await purple.end(await purple.container.steering.retry_failed(purple.organisation, campaign.id, admin))
    client = await purple.container.orchestrator.client()
    handle = client.get_workflow_handle(campaign.workflow_id)
    await handle.result()
    history = await handle.fetch_history()
    replayer = Replayer(workflows=[CampaignWorkflow], data_converter=pydantic_data_converter, workflow_runner=sandbox())
    await replayer.replay_workflow(history)
    if os.environ.get("PURPLE_RECORD"):
        HISTORIES.mkdir(exist_ok=True)
        (HISTORIES / f"{kind}.json").write_text(history.to_json() + "\n")
