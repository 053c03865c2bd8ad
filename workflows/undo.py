"""Clean-up: every open undo of a campaign is run, the newest change of a host first, until each is done or failed."""

import asyncio
import contextlib
from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError

with workflow.unsafe.imports_passed_through():
    from purple.contracts import names
    from purple.contracts.campaigns import CampaignRef, Finish, Finished
    from purple.contracts.undos import OpenUndos, RunUndo, UndoAlarm, UndoInput, Undone, UndoOutcome, UndoStep
    from purple.domain.campaigns import CampaignState
    from purple.domain.undos import UndoState
    from workflows import options
    from workflows.board import Board
    from workflows.steps import do, surely

HOSTS_AT_ONCE = 8


@workflow.defn(name=names.WORKFLOW_UNDO)
class UndoWorkflow:
    """A workflow of its own, so that it goes on when that of its campaign is ended from outside."""

    def __init__(self) -> None:
        self._done = 0
        self._failed = 0
        self._hosts = asyncio.Semaphore(HOSTS_AT_ONCE)
        self._alarms: list[asyncio.Task[None]] = []

    @workflow.run
    async def run(self, asked: UndoInput) -> Undone:
        """Until none is open; one that was opened meanwhile is run as well."""
        while True:
            found = await do(names.OPEN_UNDOS, asked.ref, OpenUndos, "what is to be undone", options.CONTROL)
            if not found.undos:
                break
            by_host: dict[str, list[UndoStep]] = {}
            for each in found.undos:
                by_host.setdefault(each.host, []).append(each)
            await asyncio.gather(*(self._host(asked.ref, steps) for steps in by_host.values()))
            await asyncio.gather(*self._alarms)
            self._alarms.clear()
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(asked)
        if asked.ends:
            end = Finish(ref=asked.ref, state=CampaignState.FAILED, reason=asked.ends)
            await do(names.FINISH, end, Finished, "write down how it ended", options.CONTROL)
        return Undone(done=self._done, failed=self._failed)

    async def _host(self, ref: CampaignRef, steps: Sequence[UndoStep]) -> None:
        """One after another: a change may rest on an earlier one."""
        async with self._hosts:
            for step in steps:
                await self._one(ref, step)

    async def _one(self, ref: CampaignRef, step: UndoStep) -> None:
        """As often as the settings of the workers say; the step itself tells when to stop."""
        attempt = step.attempts + 1
        while True:
            outcome = await do(
                names.UNDO,
                RunUndo(ref=ref, undo_id=step.undo_id, attempt=attempt),
                UndoOutcome,
                f"undo {step.tool} {step.endpoint}" + (f", attempt {attempt}" if attempt > 1 else ""),
                options.scan(step.role, step.timeout_s, step.zone),
            )
            if outcome.state is not UndoState.OPEN:
                break
            await asyncio.sleep(outcome.wait_s)
            attempt += 1
        if outcome.state is UndoState.DONE:
            self._done += 1
            return
        self._failed += 1
        self._alarms.append(asyncio.create_task(self._alarm(ref, step)))

    async def _alarm(self, ref: CampaignRef, step: UndoStep) -> None:
        alarm = UndoAlarm(ref=ref, undo_id=step.undo_id)
        with contextlib.suppress(ActivityError):  # no receiver took it; the campaign's own end tells of it too
            await do(names.UNDO_ALARM, alarm, type(None), f"undo {step.tool} {step.endpoint} failed", options.NOTIFY)


class CleanUp:
    """The clean-up of a campaign, as its own workflow sees it: nothing that is cancelled cancels it."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._task: asyncio.Task[None] | None = None

    async def run(self, ref: CampaignRef) -> None:
        """Wait until no undo is open; whoever asks while it is under way waits for the same."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(ref))
        await asyncio.shield(self._task)

    async def finally_run(self, ref: CampaignRef, phases: "asyncio.Task[None]") -> None:
        """Before a campaign ends: after every tool has ended, and whatever is cancelled meanwhile."""
        await surely(self._after(ref, phases))

    async def _after(self, ref: CampaignRef, phases: "asyncio.Task[None]") -> None:
        if not phases.done():
            await workflow.wait([phases])
        await self.run(ref)

    async def _run(self, ref: CampaignRef) -> None:
        try:
            undone = await workflow.execute_child_workflow(
                names.WORKFLOW_UNDO,
                UndoInput(ref=ref),
                id=f"undo/{ref.campaign_id}/{ref.round}",
                result_type=Undone,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
                static_summary="undo what its tools changed",
            )
        except FailureError as error:  # what is still open fails with the campaign's last step, which alarms
            self._board.say(f"clean-up: {error}")
            return
        self._board.say(f"clean-up: {undone.done} undone, {undone.failed} failed")
