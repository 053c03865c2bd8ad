"""Tool runs inside a workflow: in line, so many at once, held while paused, each again as often as is allowed."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from purple.contracts import names
    from purple.contracts.campaigns import CampaignRef, RunScan, ScanOutcome, ScanStep, SettleScan, Skip
    from purple.domain.tools import ScanState
    from workflows import options
    from workflows.board import Board
    from workflows.hours import Hours
    from workflows.steps import cancel_stands, do, why


class RefusedError(Exception):
    """The authorisation does not allow the campaign, or no longer."""


@dataclass
class _Run:
    """A scan that runs; where people ended it, what becomes of it and why."""

    step: ScanStep
    work: "asyncio.Task[ScanOutcome]"
    wish: ScanState | None = None
    reason: str = ""

    def end(self, wish: ScanState, reason: str) -> None:
        """End its tool; the wish that came first stands, but that of a scan that was to wait and is skipped."""
        first = self.wish is None
        if first or (self.wish is ScanState.PENDING and wish is ScanState.SKIPPED):
            self.wish, self.reason = wish, reason
        if first:
            self.work.cancel()


class Scans:
    """The tool runs of one workflow; its `parallel` may change while they run."""

    def __init__(self, board: Board, hours: Hours) -> None:
        self.parallel = 1
        self.retries = 0
        self.waits = False
        """Whether a tool that is ended is waited for, and written down by us; campaigns of old did neither."""
        self._board = board
        self._hours = hours
        self._waiting: deque[ScanStep] = deque()
        self._tasks: list[asyncio.Task[None]] = []
        self._running: dict[UUID, _Run] = {}
        self._attempts: dict[UUID, int] = {}
        self._skips: list[Skip] = []
        self._trouble: BaseException | None = None
        self._stalled = 0
        """Of those that run, how many wait long, for a host or a test window; they leave their slot to others."""
        self._opened: set[UUID] = set()
        """Whose turn at a gate has come."""

    def open(self, scan_id: UUID) -> None:
        """The turn of a scan that waits at a gate has come."""
        self._opened.add(scan_id)

    async def run(
        self, ref: CampaignRef, steps: Iterable[ScanStep], enough: Callable[[], bool] = lambda: False
    ) -> None:
        """Run all of them, in their order.

        Args:
            ref: their campaign.
            steps: what to run.
            enough: whether nothing more is to be started; asked before each start.

        Raises:
            RefusedError: the authorisation no longer holds; what ran is cancelled.
        """
        self._waiting.extend(steps)
        try:
            while self._waiting or self._tasks:
                await workflow.wait_condition(self._something_to_do)
                if self._trouble is not None:
                    raise self._trouble
                if enough():
                    self._waiting.clear()
                elif self._may_start():
                    self._start(ref, self._waiting.popleft())
        finally:
            await self._let_go()

    def stop(self, reason: str) -> None:
        """End the tools that run; their scans go back in line."""
        for run in self._running.values():
            run.end(ScanState.PENDING, reason)

    def skip(self, word: Skip) -> None:
        """Run no scan of which this speaks, and end those that run."""
        self._skips.append(word)
        for run in self._running.values():
            if word.speaks_of(run.step):
                run.end(ScanState.SKIPPED, word.reason)

    def _may_start(self) -> bool:
        return bool(self._waiting) and self._has_slot()

    def _has_slot(self) -> bool:
        return not self._board.paused and len(self._tasks) - self._stalled < self.parallel

    def _may_go_on(self, outcome: ScanOutcome) -> bool:
        return self._has_slot() if outcome.stalled else not self._board.paused

    def _something_to_do(self) -> bool:
        return self._trouble is not None or self._may_start() or not (self._waiting or self._tasks)

    def _start(self, ref: CampaignRef, step: ScanStep) -> None:
        if any(word.speaks_of(step) for word in self._skips):
            self._board.done += 1  # written down by who skipped it, or by the step that put it back in line
            return
        task = asyncio.create_task(self._one(ref, step))
        self._tasks.append(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.remove(task)
        if not task.cancelled() and self._trouble is None:
            self._trouble = task.exception()

    async def _let_go(self) -> None:
        """Cancel what still runs, in the order in which it began, and wait until it has ended."""
        self._waiting.clear()
        running = list(self._tasks)
        for task in running:
            task.cancel()
        if running:
            await workflow.wait(running)

    async def _one(self, ref: CampaignRef, step: ScanStep) -> None:
        label = f"{step.tool} {step.endpoint}"
        self._board.running.append(label)
        self._board.show()
        run = _Run(step, asyncio.create_task(self.scan(ref, step)))
        self._running[step.scan_id] = run
        try:
            outcome = await run.work
        except (ActivityError, asyncio.CancelledError) as error:
            if run.wish is None or not is_cancelled_exception(error):
                raise
            outcome = await self._end(ref, run)
        finally:
            del self._running[step.scan_id]
            self._board.running.remove(label)
            self._board.waiting.pop(label, None)
        self._board.say(f"{label}: {outcome.state}, {outcome.observations} observations {outcome.reason}")
        if not outcome.state.ended:
            # one that slept until its window opens has not begun
            begun = self._attempts.pop(step.scan_id, step.attempt)
            self._waiting.appendleft(step.model_copy(update={"attempt": begun}))
            return
        self._board.done += 1
        self._attempts.pop(step.scan_id, None)
        if outcome.refused:
            raise RefusedError(outcome.reason)

    async def scan(self, ref: CampaignRef, step: ScanStep) -> ScanOutcome:
        """One scan, in its test windows: one that was put off runs again in another."""
        while True:
            while not self._hours.admits(step):
                await self._aside(step, self._hours.wait(step, None))
            outcome = await self._tries(ref, step)
            if not outcome.postponed:
                return outcome
            step = await self._aside(step, self._hours.wait(step, outcome))

    async def _aside(self, step: ScanStep, wait: Awaitable[ScanStep]) -> ScanStep:
        """Wait without a slot, then for one."""
        label = f"{step.tool} {step.endpoint}"
        self._board.running.remove(label)
        self._stalled += 1
        try:
            later = await wait
            while not self._has_slot():  # of two that wake, only one may find it
                await workflow.wait_condition(self._has_slot)
        finally:
            self._stalled -= 1
            self._board.running.append(label)
        self._board.show()
        return later

    async def _tries(self, ref: CampaignRef, step: ScanStep) -> ScanOutcome:
        """A tool that ran and failed is run again as often as the profile allows."""
        attempt = step.attempt + 1
        while True:
            self._attempts[step.scan_id] = attempt
            try:
                outcome = await self._attempt(ref, step, attempt)
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                return await self._settle(ref, step, ScanState.FAILED, why(error))
            if not outcome.again or attempt > step.attempt + self.retries:
                return outcome
            attempt += 1

    async def _attempt(self, ref: CampaignRef, step: ScanStep, attempt: int) -> ScanOutcome:
        """The one place where a tool is run. What must be had before, or given back after, belongs here."""
        while True:
            self._opened.discard(step.scan_id)
            outcome = await do(
                names.RUN_SCAN,
                RunScan(ref=ref, scan_id=step.scan_id, attempt=attempt, settles=not self.waits),
                ScanOutcome,
                f"{step.tool} {step.endpoint}" + (f", attempt {attempt}" if attempt > 1 else ""),
                options.scan(step.role, step.timeout_s, step.zone, waits=self.waits or step.changes),
            )
            if not outcome.waiting:
                return outcome
            await self._at_the_gate(step, outcome)

    async def _at_the_gate(self, step: ScanStep, outcome: ScanOutcome) -> None:
        """Wait until the gate of its host says that it is this scan's turn.

        Who waits for a turn keeps its slot, for that is short; who waits for a host that is gone does not.
        """
        label = f"{step.tool} {step.endpoint}"
        self._board.waiting[label] = outcome.reason
        self._board.show()
        self._stalled += outcome.stalled
        try:
            with cancel_stands(), contextlib.suppress(asyncio.TimeoutError):
                await workflow.wait_condition(lambda: step.scan_id in self._opened, timeout=options.ASK_AGAIN)
            while not self._may_go_on(outcome):  # of two that wake, only one may find a slot
                await workflow.wait_condition(lambda: self._may_go_on(outcome))
        finally:
            self._stalled -= outcome.stalled
            self._board.waiting.pop(label, None)
        self._board.show()

    async def _end(self, ref: CampaignRef, run: _Run) -> ScanOutcome:
        """A scan whose tool people ended."""
        return await self._settle(ref, run.step, run.wish or ScanState.CANCELLED, run.reason)

    async def _settle(self, ref: CampaignRef, step: ScanStep, state: ScanState, reason: str) -> ScanOutcome:
        request = SettleScan(ref=ref, scan_id=step.scan_id, state=state, reason=reason)
        await do(names.SETTLE_SCAN, request, type(None), f"{step.tool} {step.endpoint} {state}", options.CONTROL)
        return ScanOutcome(scan_id=step.scan_id, state=state, reason=reason)
