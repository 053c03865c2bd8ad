"""Where the tools of one process run: room for as many as it can bear, and an empty folder for each."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from uuid import UUID

from purple.domain.capacity import Capacity
from purple.domain.tools import ToolSpec

PATIENCE_S = 10.0
"""A tool waits so long for its turn in this process, then another may take it."""


class Workshop:
    """Shared by everything that runs tools in a process."""

    def __init__(self, scratch: Path, capacity: Capacity) -> None:
        self._scratch = scratch
        self._capacity = capacity

    def room(self, spec: ToolSpec) -> AbstractAsyncContextManager[None]:
        """Room for one run; from the block's beginning NoRoomError where there is none in time."""
        return self._capacity.room(spec, PATIENCE_S)

    @contextmanager
    def folder(self, run_id: UUID) -> Iterator[Path]:
        """An empty folder, gone after the block."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f"{run_id}-", dir=self._scratch))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
