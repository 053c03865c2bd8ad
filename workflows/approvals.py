"""Tools that wait for a second person: one that is approved runs, one that nobody approves in time is skipped."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from purple.contracts import names
    from purple.contracts.campaigns import CampaignRef, Expire, Expired, Held, Plan
    from workflows import options, patches
    from workflows.board import Board
    from workflows.steps import do


class Approvals:
    """What of a phase is held."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._waiting: dict[str, asyncio.Task[None]] = {}
        """Tool to what watches its time."""
        self._asked: set[tuple[str, datetime]] = set()
        """Every question so far: a tool, and until when an answer is waited for."""
        self._refused: set[str] = set()
        self._released: list[Plan] = []
        self._trouble: BaseException | None = None

    def ask(self, ref: CampaignRef, held: Iterable[Held]) -> None:
        """Begin to wait for an answer on each; those that were asked for before have theirs, or wait for it."""
        for each in held:
            if self._is_old(each):
                continue
            self._asked.add((each.tool, each.until))
            self._board.held[each.tool] = each.scans
            task = asyncio.create_task(self._until(ref, each))
            self._waiting[each.tool] = task
            task.add_done_callback(self._looked)
        self._board.show()

    def _is_old(self, held: Held) -> bool:
        """What an order found held is told of once more when its round begins, and may have its answer by then."""
        old = (held.tool, held.until) in self._asked or held.tool in self._refused
        return old and workflow.patched(patches.ASKED_ONCE)

    async def answered(self, run: Callable[[Plan], Awaitable[None]]) -> None:
        """Run what is approved, until every tool has its answer."""
        try:
            while self._waiting or self._released:
                await workflow.wait_condition(lambda: bool(self._released or self._trouble) or not self._waiting)
                if self._trouble is not None:
                    raise self._trouble
                while self._released:
                    await run(self._released.pop(0))
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Wait no longer."""
        for task in self._waiting.values():
            task.cancel()
        self._waiting.clear()
        self._board.held.clear()

    def answer(self, tool: str, plan: Plan | None) -> None:
        """A person said yes, and this is to run; or no, and the scans have been skipped."""
        if (task := self._waiting.pop(tool, None)) is not None:
            task.cancel()
        scans = self._board.held.pop(tool, 0)
        if plan is not None:
            self._released.append(plan)
        else:
            self._refused.add(tool)
            self._board.done += scans
        self._board.show()

    def _looked(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or (error := task.exception()) is None or is_cancelled_exception(error):
            return
        self._trouble = error

    async def _until(self, ref: CampaignRef, held: Held) -> None:
        await asyncio.sleep(max(0.0, (held.until - workflow.now()).total_seconds()))
        asked = Expire(ref=ref, tool=held.tool)
        expired = await do(names.EXPIRE, asked, Expired, f"nobody approved {held.tool}", options.CONTROL)
        if expired.scans is None:
            if not workflow.patched(patches.ASKED_ONCE):
                return
            await workflow.wait_condition(workflow.all_handlers_finished)  # who answered may just be telling us
        if self._waiting.pop(held.tool, None) is None:
            return
        self._board.done += self._board.held.pop(held.tool, 0)
        if expired.scans is not None:
            self._board.say(f"{held.tool}: nobody approved it in time, {expired.scans} scans skipped")
