"""A part that never serves is called failing, however long each of its lives was."""

import os
import time
from typing import Any

from purple.settings import Settings
from purple.stack import keeper as module
from purple.stack.keeper import Keeper
from purple.stack.parts.base import Part, Site
from purple.stack.processes import Launch, ProcessId, plain_environment
from purple.stack.state import Board, PartState, PartStatus
from tests.support.running import wait_until


class Dying(Part):
    """Ends as soon as it is started."""

    def prepare(self, say: Any) -> Launch:  # noqa: ARG002 - it has nothing to say
        return Launch(("/bin/false",), self.site.home, plain_environment(self.site.home))

    def healthy(self) -> bool:
        return False


def test_a_part_that_never_serves_is_called_failing(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "STEADY_S", 0.0)  # each of its lives is long
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.0)
    site = Site(tmp_path, tmp_path, Settings(_env_file=None), None, None, None)  # type: ignore[arg-type] # it asks neither
    status = PartStatus(name="made", title="Made", since=time.time(), log=tmp_path / "log")
    board = Board(tmp_path, ProcessId.of(os.getpid()), {"made": status})
    keeper = Keeper(Dying("made", "Made", site), board, str(tmp_path))
    keeper.start()
    wait_until(lambda: board.of("made").state is PartState.FAILING, 120, "it is called failing")
    assert "ended with code 1" in board.of("made").detail
    assert board.of("made").restarts >= module.PATIENCE
    keeper.ask_to_stop()
    keeper.join(10)
    assert board.of("made").state is PartState.STOPPED
