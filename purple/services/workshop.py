"""Where the tools of one process run: room for as many as it can bear, and an empty folder for each."""

import asyncio
import errno
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import UUID

from purple.domain.capacity import Capacity
from purple.domain.errors import DiskFullError
from purple.domain.tools import ToolSpec

PATIENCE_S = 10.0
"""A tool waits so long for its turn in this process, then another may take it."""
LEAST_FREE = 16 * 1024**2
"""Bytes of the disk; below that a tool may have failed to write what it found, whatever it says of itself."""


def _full(scratch: Path) -> DiskFullError:
    return DiskFullError("the worker's disk is full", remedy=f"make room at {scratch}: it goes on by itself")


@asynccontextmanager
async def scratch_folder(scratch: Path, prefix: str) -> AsyncIterator[Path]:
    """An empty folder, gone after the block.

    Raises:
        DiskFullError: there is no room for it, or for what the block writes.
    """
    try:
        work = await asyncio.to_thread(_made, scratch, prefix)
        try:
            yield work
        finally:
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise _full(scratch) from error


def _made(scratch: Path, prefix: str) -> Path:
    scratch.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=scratch))


class Workshop:
    """Shared by everything that runs tools in a process."""

    def __init__(self, scratch: Path, capacity: Capacity) -> None:
        self._scratch = scratch
        self._capacity = capacity

    def room(self, spec: ToolSpec) -> AbstractAsyncContextManager[None]:
        """Room for one run; from the block's beginning NoRoomError where there is none in time."""
        return self._capacity.room(spec, PATIENCE_S)

    def folder(self, run_id: UUID) -> AbstractAsyncContextManager[Path]:
        """See `scratch_folder`."""
        return scratch_folder(self._scratch, str(run_id))

    def check_disk(self) -> None:
        """Ask before a tool starts, while it runs, and before what it wrote is believed.

        Raises:
            DiskFullError: there is hardly any room.
        """
        place = next(each for each in (self._scratch, *self._scratch.parents) if each.exists())
        if shutil.disk_usage(place).free < LEAST_FREE:
            raise _full(self._scratch)
