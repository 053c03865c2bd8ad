"""Recorded campaigns replay under the strict sandbox: a change of commands needs a patch id in `workflows/patches.py`.

Those named after an engine are of campaigns that began under it: see `Begun.engine`.

A history is recorded by `PURPLE_RECORD=1 pytest tests/integration/test_histories.py -k KIND`, those of
a campaign with children and of a child by `tests/integration/test_scale.py`.
"""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from bench.trials import replay
from purple.contracts import names

KINDS = {"completed", "gaps", "cancelled", "retried", "batched", "batch", "undone", "undo", "waited", "gate"}
HISTORIES = sorted(replay.HISTORIES.glob("*.json"))


def test_there_are_histories() -> None:
    assert {path.stem for path in HISTORIES} >= KINDS


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_an_old_campaign_replays(path: Path) -> None:
    await replay.replayer().replay_workflow(replay.recorded(path))


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("completed-2", "plan"),
        ("completed", names.RUN_SCAN),
        ("undone", names.WORKFLOW_UNDO),
        ("undo", names.UNDO),
        ("waited", names.RUN_SCAN),
        ("gate", names.GATE_TURN),
    ],
)
async def test_a_change_of_commands_is_caught(kind, command) -> None:
    path = next(path for path in HISTORIES if path.stem == kind)
    text = path.read_text()
    changed = text.replace(f'"{command}"', '"another"')
    assert changed != text
    kept = replay.recorded(path)
    with pytest.raises(Exception, match=r"(?i)nondeterminism"):
        await replay.replayer().replay_workflow(WorkflowHistory.from_json(kept.workflow_id, changed))
