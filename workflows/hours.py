"""Test windows as a campaign keeps them: nothing starts that cannot end in time, and what is left waits for the next.

The rules of time zones are asked with the workflow's own time, so everything decided lies in its past when it replays.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from purple.contracts.campaigns import ScanOutcome, ScanStep
    from purple.domain.windows import Opening, Window, next_opening, opening, parse_window
    from workflows.board import Board

SHORTLY = timedelta(seconds=15)
"""A worker found the window closed that our clock sees open, or was stopped by it: so long until we look again."""


class Hours:
    """The windows of one campaign's contract. Without any, nothing waits, and no command is issued."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._windows: tuple[Window, ...] = ()
        self._ends: datetime | None = None
        """When the contract does."""
        self._now: Opening | None = None
        self._timers: dict[datetime, asyncio.Task[None]] = {}
        self._waiters: list[datetime] = []

    def keep(self, windows: Iterable[str], until: datetime | None) -> None:
        """From now on, keep to these windows of a contract, for as long as it lasts."""
        self._windows = tuple(map(parse_window, windows))
        self._ends = until

    def admits(self, step: ScanStep) -> bool:
        """Whether a scan may start now: it has room before the window closes, or sends nothing.

        Once the contract has ended nothing waits: a worker asks it, and says why.
        """
        now = workflow.now()
        if not self._windows or step.anytime or (self._ends is not None and now >= self._ends):
            return True
        if self._now is None or self._now.endless or not self._now.opens <= now < self._now.closes:
            self._now = opening(self._windows, now)
        needed = timedelta(seconds=step.expected_s or step.timeout_s)
        return self._now is not None and self._now.has_room(now, needed)

    async def wait(self, step: ScanStep, outcome: ScanOutcome | None) -> ScanStep:
        """Wait for the next window after a scan that had no room, or a moment after one that was put off.

        Returns:
            The scan as it runs next: one that a closing window stopped needs room for all the time it may take.
        """
        if outcome is None:
            opens = next_opening(self._windows, workflow.now()).opens
            opens = min(opens, self._ends or opens)
            self._waiters.append(opens)
            self._tell()
            try:
                await self._until(opens)
            finally:
                self._waiters.remove(opens)
                self._tell()
            return step
        await self._until(workflow.now() + SHORTLY)
        stopped = outcome.attempt > step.attempt
        needed = step.timeout_s if stopped else step.expected_s
        return step.model_copy(update={"attempt": outcome.attempt, "expected_s": needed})

    def _tell(self) -> None:
        opens = min(self._waiters, default=None)
        event = "its authorisation ends" if opens == self._ends else "opens"
        self._board.window = f"waiting for the window, {event} {opens:%Y-%m-%d %H:%M} UTC" if opens else ""
        self._board.show()

    async def _until(self, moment: datetime) -> None:
        """One timer for all who wait for a moment."""
        if moment not in self._timers:
            self._timers[moment] = asyncio.create_task(
                workflow.sleep(moment - workflow.now(), summary=f"until {moment:%Y-%m-%d %H:%M:%S} UTC")
            )
        await asyncio.shield(self._timers[moment])
        self._timers.pop(moment, None)
