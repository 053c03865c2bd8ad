"""What holds the stack goes on where it cannot write what it says of itself, and writes it later."""

import os
import threading
import time
from collections import UserDict

import pytest

from purple.settings.app import stack_env_file
from purple.stack.processes import ProcessId
from purple.stack.state import Board, PartState, PartStatus, read_state


def test_what_could_not_be_written_is_written_when_there_is_room(tmp_path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    us = ProcessId.of(os.getpid())
    status = PartStatus(name="postgres", title="PostgreSQL", since=time.time(), log=tmp_path / "log")
    board = Board(home, us, {"postgres": status})
    assert not stack_env_file(home).exists(), "nothing is offered yet"
    away = home.rename(tmp_path / "away")  # nothing can be written there, as where a disk is full
    board.set("postgres", state=PartState.FAILING, process=us)
    board.offer({"PURPLE_DATABASE__URL": "somewhere"})
    board.keep()
    assert board.of("postgres").state is PartState.FAILING
    away.rename(home)
    assert read_state(home).parts["postgres"].state is PartState.WAITING, "what it was before"
    board.keep()
    assert read_state(home).parts["postgres"].process == us
    assert "PURPLE_DATABASE__URL='somewhere'" in stack_env_file(home).read_text()
    board.retract({"PURPLE_DATABASE__URL": ""})
    assert "PURPLE" not in stack_env_file(home).read_text().partition("\n")[2]


class Met(UserDict[str, str]):
    """An offer that is read while somebody else makes theirs."""

    def __init__(self, board: Board, theirs: dict[str, str], mine: dict[str, str]) -> None:
        super().__init__(mine)
        self.other = threading.Thread(target=board.offer, args=[theirs])

    def keys(self):
        self.other.start()
        self.other.join(0.2)  # no longer than that: it may have to wait for us
        return super().keys()


def test_what_two_parts_offer_at_once_is_offered(tmp_path) -> None:
    us = ProcessId.of(os.getpid())
    board = Board(tmp_path, us, {})
    mine, theirs = {"PURPLE_CACHE__URL": "here"}, {"PURPLE_SEARCH__URL": "there"}
    met = Met(board, theirs, mine)
    board.offer(met)
    met.other.join()
    assert board.offered() == mine | theirs
    assert read_state(tmp_path).offered == mine | theirs


def test_a_stack_that_cannot_write_at_all_does_not_start(tmp_path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        Board(tmp_path / "nowhere", ProcessId.of(os.getpid()), {})
