"""Tools that wait for a second person: one that is approved runs, one that nobody approves in time is skipped."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from purple.contracts import names
    from purple.contracts.campaigns import CampaignRef, Expire, Expired, Held, Plan
    from workflows import options
    from workflows.board import Board
    from workflows.steps import do


class Approvals:
    """What of a phase is held."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._waiting: dict[str, asyncio.Task[None]] = {}
        """Tool to what watches its time."""
        self._released: list[Plan] = []
        self._trouble: BaseException | None = None

    def ask(self, ref: CampaignRef, held: Iterable[Held]) -> None:
        """Begin to wait for an answer on each."""
        for each in held:
            self._board.held[each.tool] = each.scans
            task = asyncio.create_task(self._until(ref, each))
            self._waiting[each.tool] = task
            task.add_done_callback(self._looked)
        self._board.show()

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
        if expired.scans is not None and held.tool in self._waiting:
            del self._waiting[held.tool]
            self._board.done += self._board.held.pop(held.tool, 0)
            self._board.say(f"{held.tool}: nobody approved it in time, {expired.scans} scans skipped")
