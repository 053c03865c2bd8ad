"""Recorded campaigns replay under the strict sandbox: a change of commands needs a patch id in `workflows/patches.py`.

A history is recorded by `PURPLE_RECORD=1 pytest tests/integration/test_histories.py`, that of a campaign with children
and that of a child by `tests/integration/test_scale.py`.
"""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from bench.trials import replay

HISTORIES = sorted(replay.HISTORIES.glob("*.json"))


def test_there_are_histories() -> None:
    assert {path.stem for path in HISTORIES} >= {"completed", "gaps", "cancelled", "retried", "batched", "batch"}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_an_old_campaign_replays(path: Path) -> None:
    await replay.replayer().replay_workflow(replay.recorded(path))


async def test_a_change_of_commands_is_caught() -> None:
    path = next(path for path in HISTORIES if path.stem == "completed")
    changed = path.read_text().replace('"plan"', '"plot"')
    assert changed != path.read_text()
    with pytest.raises(Exception, match=r"(?i)nondeterminism"):
        await replay.replayer().replay_workflow(WorkflowHistory.from_json("campaign/x", changed))
