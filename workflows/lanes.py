"""Batches of scans as child workflows: a few at once, which share the campaign's slots."""

import asyncio
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, ChildWorkflowError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from purple.contracts import names
    from purple.contracts.batches import BatchEnded, BatchInput, Hold
    from purple.contracts.campaigns import CampaignRef
    from purple.domain.campaigns import Phase
    from workflows.board import Board
    from workflows.scans import RefusedError, Scans
    from workflows.steps import why

AT_ONCE = 4
"""Each child's decisions are made one after the other; a few children make them side by side."""
ATTEMPTS = 3
"""Of a child that somebody ended."""


class Lanes:
    """The child workflows of one campaign. Slots and pause are those of its own scans."""

    def __init__(self, board: Board, own: Scans) -> None:
        self.windows: tuple[str, ...] = ()
        """The contract's test windows, which children keep too."""
        self.until: datetime | None = None
        """When it ends."""
        self._board = board
        self._own = own
        self._waiting: deque[tuple[int, int]] = deque()
        self._children: dict[int, tuple[int, workflow.ChildWorkflowHandle[Any, Any]]] = {}
        """Lane to the child in it: its batch and handle."""
        self._told: dict[int, Hold] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._left = False
        """Whether a child has ended whose slots others may have."""
        self._trouble: BaseException | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the children that run now."""
        return tuple(handle.id for _, handle in self._children.values())

    async def run(self, ref: CampaignRef, phase: Phase, batches: Iterable[tuple[int, int]]) -> None:
        """Run all of them, in their order.

        Raises:
            RefusedError: the authorisation no longer holds; what ran is cancelled.
        """
        self._waiting.extend(batches)
        try:
            while self._waiting or self._tasks:
                await workflow.wait_condition(self._something_to_do)
                if self._trouble is not None:
                    raise self._trouble
                if (lane := self._free()) is not None:
                    self._start(lane, ref, phase, *self._waiting.popleft())
                elif self._left:
                    self._left = False
                    await self.changed()
        finally:
            await self._let_go()

    def _free(self) -> int | None:
        if not self._waiting or self._board.paused or len(self._tasks) >= self._lanes:
            return None
        return next(lane for lane in range(AT_ONCE) if lane not in self._tasks)

    def _something_to_do(self) -> bool:
        return self._trouble is not None or self._left or self._free() is not None

    @property
    def _lanes(self) -> int:
        return min(AT_ONCE, self._own.parallel)

    def _hold(self, lane: int) -> Hold:
        """What a child has of the slots: as even a share as there is, all of them for the last."""
        rank = sorted(self._tasks).index(lane)
        sharing = min(self._lanes, len(self._tasks) + len(self._waiting))
        share, rest = divmod(self._own.parallel, sharing)
        return Hold(parallel=share + (rank < rest) if rank < sharing else 0, paused=self._board.paused)

    def _start(self, lane: int, ref: CampaignRef, phase: Phase, number: int, scans: int) -> None:
        task = asyncio.create_task(self._one(lane, ref, phase, number, scans))
        self._tasks[lane] = task
        task.add_done_callback(lambda ended: self._ended(lane, ended))

    def _ended(self, lane: int, task: "asyncio.Task[None]") -> None:
        del self._tasks[lane]
        self._children.pop(lane, None)
        self._left = True
        if not task.cancelled() and self._trouble is None:
            self._trouble = task.exception()

    async def _let_go(self) -> None:
        """Cancel the children and wait until they have ended, and their tools with them."""
        self._waiting.clear()
        running = list(self._tasks.values())
        for task in running:
            task.cancel()
        if running:
            await workflow.wait(running)

    async def _one(self, lane: int, ref: CampaignRef, phase: Phase, number: int, scans: int) -> None:
        label = f"{phase} batch {number} of {scans} scans"
        self._board.running.append(label)
        self._board.show()
        try:
            ended = await self._child(lane, ref, phase, number)
        finally:
            self._board.running.remove(label)
        self._board.done += scans
        self._board.say(f"{label}: {ended.refused or 'ended'}")
        if ended.refused:
            raise RefusedError(ended.refused)

    async def _child(self, lane: int, ref: CampaignRef, phase: Phase, number: int) -> BatchEnded:
        """A child that somebody ended or cancelled is started again: it takes up what has not ended.

        Temporal's defaults fit: cancelling waits until the child's tools are gone, and ends with its parent.

        Raises:
            ApplicationError: it failed, or was ended, time and again.
        """
        attempt = 1
        while True:
            self._told[lane] = hold = self._hold(lane)
            try:
                handle = await workflow.start_child_workflow(
                    names.BATCH_WORKFLOW,
                    BatchInput(
                        ref=ref,
                        phase=phase,
                        number=number,
                        parallel=hold.parallel,
                        retries=self._own.retries,
                        paused=hold.paused,
                        windows=self.windows,
                        until=self.until,
                    ),
                    id=f"{workflow.info().workflow_id}/{phase}/{number}",
                    result_type=BatchEnded,
                    task_queue=names.QUEUE_CONTROL,
                    static_summary=f"batch {number} of {phase}",
                )
                self._children[lane] = (number, handle)
                await self._tell(lane)  # what changed while it was started
                ended: BatchEnded = await handle
            except ChildWorkflowError as error:
                task = asyncio.current_task()
                if is_cancelled_exception(error) and task and task.cancelling():
                    raise
                if attempt == ATTEMPTS:
                    raise ApplicationError(f"{phase} batch {number}: {why(error)}") from error
                self._children.pop(lane, None)
                attempt += 1
            else:
                return ended

    async def changed(self) -> None:
        """Tell the children what has changed of slots and pause."""
        for lane in list(self._children):
            await self._tell(lane)

    async def _tell(self, lane: int) -> None:
        if lane not in self._children or self._told.get(lane) == (hold := self._hold(lane)):
            return
        self._told[lane] = hold
        await self._signal(lane, names.SIGNAL_HOLD, hold)

    async def tell_all(self, name: str, argument: object) -> None:
        """Say something to every child that runs."""
        for lane in list(self._children):
            await self._signal(lane, name, argument)

    async def _signal(self, lane: int, name: str, argument: object) -> None:
        """One that has just ended need not hear it."""
        if lane not in self._children:
            return
        try:
            await self._children[lane][1].signal(name, argument)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
