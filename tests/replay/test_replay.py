"""Recorded campaigns replay under the strict sandbox: a change of commands needs a patch id in `workflows/patches.py`.

A history is recorded by `PURPLE_RECORD=1 pytest tests/integration/test_histories.py`, that of a campaign with children
and that of a child by `tests/integration/test_scale.py`.
"""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from workers.runner import WORKFLOWS, sandbox

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def test_there_are_histories() -> None:
    assert {path.stem for path in HISTORIES} >= {"completed", "gaps", "cancelled", "retried", "batched", "batch"}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_an_old_campaign_replays(path: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=sandbox())
    begun = json.loads(path.read_text())["events"][0]["workflowExecutionStartedEventAttributes"]
    history = WorkflowHistory.from_json(begun["workflowId"], path.read_text())  # its children's ids are made of its own
    await replayer.replay_workflow(history)


async def test_a_change_of_commands_is_caught() -> None:
    path = next(path for path in HISTORIES if path.stem == "completed")
    changed = path.read_text().replace('"plan"', '"plot"')
    assert changed != path.read_text()
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=sandbox())
    with pytest.raises(Exception, match=r"(?i)nondeterminism"):
        await replayer.replay_workflow(WorkflowHistory.from_json("campaign/x", changed))
