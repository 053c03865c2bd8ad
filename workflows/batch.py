"""A batch of a campaign's scans as a child workflow: a campaign of thousands keeps every history short."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from purple.contracts import names
    from purple.contracts.batches import BatchEnded, BatchInput, BatchRef, BatchSteps, Hold, Look, Looked
    from purple.contracts.campaigns import Progress, Skip
    from purple.contracts.gates import GateOpen
    from workflows import options, patches
    from workflows.board import Board
    from workflows.hours import Hours
    from workflows.scans import RefusedError, Scans
    from workflows.steps import do


@workflow.defn(name=names.BATCH_WORKFLOW)
class BatchWorkflow:
    """Scans of one batch, a page at a time; goes on in a new run where its history grows long."""

    @workflow.init
    def __init__(self, batch: BatchInput) -> None:
        self._board = Board()
        self._board.phase = batch.phase
        self._board.done = batch.done
        self._board.paused = batch.paused
        hours = Hours(self._board)
        hours.keep(batch.windows, batch.until)
        self._runs = Scans(self._board, hours)
        self._runs.retries, self._runs.waits = batch.retries, True
        self._ref = batch.ref
        self._share, self._most = batch.parallel, 0
        """The slots that we are given, and what the whole campaign may have; 0 until we know."""
        self._take()

    @workflow.run
    async def run(self, batch: BatchInput) -> BatchEnded:
        """Until no scan of the batch is left. What ended is known to the database, so every run begins alike."""
        which = BatchRef(ref=batch.ref, phase=batch.phase, number=batch.number)
        while True:
            page = await do(names.NEXT_SCANS, which, BatchSteps, f"scans of batch {batch.number}", options.CONTROL)
            self._most = page.parallel or self._most
            self._take()
            if not page.scans:
                await workflow.wait_condition(workflow.all_handlers_finished)
                return BatchEnded(done=self._board.done)
            self._board.known = self._board.done + len(page.scans)
            try:
                await self._runs.run(batch.ref, page.scans, _long)
            except RefusedError as refused:
                return BatchEnded(done=self._board.done, refused=str(refused))
            if _long():
                await workflow.wait_condition(workflow.all_handlers_finished)
                changed = {"done": self._board.done, "parallel": self._share, "paused": self._board.paused}
                workflow.continue_as_new(batch.model_copy(update=changed))

    @workflow.signal(name=names.SIGNAL_HOLD)
    async def hold(self, hold: Hold) -> None:
        """The parent's word on slots and pause; anybody may say it, and so it gives no more than people ordered."""
        self._share = hold.parallel
        self._board.paused = hold.paused
        if 0 < self._most < hold.parallel:
            looked = await do(names.LOOK, Look(ref=self._ref), Looked, "what people ordered", options.CONTROL)
            self._most = looked.parallel
        self._take()
        self._board.show()

    def _take(self) -> None:
        self._runs.parallel = min(self._share, self._most or self._share)

    @workflow.signal(name=names.SIGNAL_GATE_OPEN)
    def gate_open(self, turn: GateOpen) -> None:
        """The turn of a scan that waits at the gate of its host has come."""
        self._runs.open(turn.scan_id)

    @workflow.signal(name=names.SIGNAL_STOP)
    def stop(self, reason: str) -> None:
        """End the tools that run; the parent has paused us before."""
        self._runs.stop(reason)

    @workflow.signal(name=names.SIGNAL_SKIP)
    async def skip(self, word: Skip) -> None:
        """Run no more of these, where people ordered it: not only the parent can say so."""
        if workflow.patched(patches.WORDS_ASKED):
            asked = Look(ref=self._ref, word=word)
            looked = await do(names.LOOK, asked, Looked, "what people ordered", options.CONTROL)
            if not looked.reason:
                return
            word = word.model_copy(update={"reason": looked.reason if word.tool else word.reason})
        self._runs.skip(word)

    @workflow.query(name=names.QUERY_PROGRESS)
    def progress(self) -> Progress:
        """How far it is."""
        return self._board.progress()


def _long() -> bool:
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.get_current_history_length() > options.LONG_HISTORY
