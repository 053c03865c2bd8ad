"""The campaign: recon → tool runs → analysis → AI triage → report → notify, as durable steps."""

import asyncio

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from purple.contracts import names
    from purple.contracts.campaigns import (
        BeginRequest,
        Begun,
        CampaignInput,
        CampaignRef,
        CarriedOut,
        CarryOut,
        Finish,
        Finished,
        Order,
        Ordered,
        Plan,
        Progress,
        Retried,
        RetryPlan,
        RetryRequest,
        RetryScans,
        Skip,
        Surveyed,
    )
    from purple.contracts.gates import GateOpen
    from purple.domain.campaigns import CampaignState, Phase
    from purple.domain.identity import Action
    from workflows import options, patches
    from workflows.approvals import Approvals
    from workflows.board import Board
    from workflows.hours import Hours
    from workflows.lanes import Lanes
    from workflows.outcome import Outcome
    from workflows.scans import RefusedError, Scans
    from workflows.steps import do, do_here, surely, why
    from workflows.undo import CleanUp

ANSWERS = {Action.APPROVE, Action.REJECT}
_CAMPAIGN = SearchAttributeKey.for_keyword(names.ATTRIBUTE_CAMPAIGN)
_ORGANISATION = SearchAttributeKey.for_keyword(names.ATTRIBUTE_ORGANISATION)
_PROFILE = SearchAttributeKey.for_keyword(names.ATTRIBUTE_PROFILE)
_PHASE = SearchAttributeKey.for_keyword(names.ATTRIBUTE_PHASE)


@workflow.defn(name=names.WORKFLOW)
class CampaignWorkflow:
    """One campaign.

    Signals: cancel, revoked, pause, resume, gate_open. Updates: retry_failed, steer, approve. Query: progress.
    """

    @workflow.init
    def __init__(self, campaign: CampaignInput) -> None:
        self._token = campaign.retry_token
        self._attributed: Phase | None = Phase.RECON if campaign.engine >= options.HERE else None
        """The phase that the server knows of; None where it knows nothing yet."""
        self._begun: Begun | None = None
        self._again: Plan | None = None
        """Recon to run again; None where nobody asked."""
        self._ending = False
        self._board = Board()
        self._hours = Hours(self._board)
        self._runs = Scans(self._board, self._hours)
        self._lanes = Lanes(self._board, self._runs)
        self._clean_up = CleanUp(self._board)
        self._approvals = Approvals(self._board)
        self._outcome = Outcome(self._board, self._enter)
        self._cancelled = False
        self._revoked = False
        self._rounds = 0
        """That began in this run."""

    @workflow.run
    async def run(self, campaign: CampaignInput) -> Finished:
        """Run every phase, and write down how it ended, also when it was cancelled or refused."""
        info = workflow.info()
        request = BeginRequest(workflow_id=info.workflow_id, campaign=campaign, run_id=info.run_id)
        begin = do_here if campaign.engine >= options.HERE or workflow.patched(patches.BEGIN_HERE) else do
        begun = await begin(names.BEGIN, request, Begun, campaign.name, options.CONTROL)
        self._begun = begun
        self._hours.keep(begun.windows, begun.until)
        self._lanes.windows, self._lanes.until = begun.windows, begun.until
        state: CampaignState | None = None
        phases: asyncio.Task[None] | None = None
        reason = begun.refused
        if begun.refused:
            state = CampaignState.NOT_ALLOWED
        else:
            if self._attributed is None:
                self._attribute(begun)
            self._runs.parallel, self._runs.retries = begun.parallel, begun.retries
            self._runs.waits = begun.engine >= options.WAITS
            phases = asyncio.create_task(self._phases(begun))
            stop = asyncio.create_task(workflow.wait_condition(lambda: self._cancelled or self._withdrawn()))
            try:
                await workflow.wait([phases, stop], return_when=asyncio.FIRST_COMPLETED)
                if not phases.done():
                    phases.cancel()
                await phases
            except RefusedError as refused:
                state, reason = CampaignState.NOT_ALLOWED, str(refused)
            except FailureError as error:
                if is_cancelled_exception(error):
                    state, reason = self._stopped()
                else:
                    state, reason = CampaignState.FAILED, why(error)
            except asyncio.CancelledError:  # by the signal, or from Temporal itself
                state, reason = self._stopped()
                if not phases.done():
                    phases.cancel()
                    await workflow.wait([phases])
            stop.cancel()
        self._ending = True
        if phases is not None and begun.changes:
            await self._clean_up.finally_run(self._ref(begun), phases)
        return await surely(self._finish(self._ref(begun), state, reason))

    def _stopped(self) -> tuple[CampaignState, str]:
        """How one that was told to stop ends; of a revocation, the last step learns from the contract itself."""
        if self._revoked and not self._cancelled:
            return CampaignState.NOT_ALLOWED, ""
        return CampaignState.CANCELLED, "cancelled"

    def _withdrawn(self) -> bool:
        """Whether tools must stop for a revocation; what only weighs and tells what they found may end."""
        return self._revoked and self._board.phase in {"", Phase.RECON, Phase.TOOLS}

    async def _finish(self, ref: CampaignRef, state: CampaignState | None, reason: str) -> Finished:
        request = Finish(ref=ref, state=state, reason=reason, notes=self._outcome.notes)
        finished = await do(names.FINISH, request, Finished, "write down how it ended", options.CONTROL)
        self._board.say(f"**{finished.state}** {finished.reason}")
        return finished

    def _ref(self, begun: Begun) -> CampaignRef:
        return begun.ref.model_copy(update={"round": begun.ref.round + self._rounds})

    async def _phases(self, begun: Begun) -> None:
        recon = Plan(scans=begun.recon, batches=begun.batches, held=begun.held)
        if begun.survey:
            await self._survey(begun.ref)
        while True:
            await self._scans(Phase.RECON, begun, recon)
            ask = do_here if begun.engine >= options.HERE else do
            plan = await ask(names.PLAN, self._ref(begun), Plan, "what recon asks for", options.CONTROL)
            await self._scans(Phase.TOOLS, begun, plan)
            if begun.changes:
                await self._clean_up.run(self._ref(begun))
            if not self._asked():
                await self._outcome.run(self._ref(begun))
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._asked():
                    return
                self._rounds += 1
            recon, self._again = self._again or Plan(), None

    def _asked(self) -> bool:
        return self._again is not None

    async def _survey(self, ref: CampaignRef) -> None:
        surveyed = await do(names.SURVEY, ref, Surveyed, "which targets the file speaks of", options.SURVEY)
        self._board.say(f"import: {surveyed.results} results on {surveyed.targets} targets")
        if surveyed.left_out:
            self._outcome.notes["import"] = surveyed.left_out

    async def _steer(self, order: Order) -> Ordered:
        """Have the order believed, written down and done in the database, then do the rest of it here."""
        await workflow.wait_condition(lambda: self._begun is not None)
        begun = self._begun
        if begun is None or begun.refused:
            raise ApplicationError(begun.refused if begun else "it did not begin", type=names.ERROR_REFUSED)
        update = workflow.current_update_info()
        wanted = CarryOut(
            ref=self._ref(begun), order=order, order_id=update.id if update else "", apart=self._history_is_long()
        )
        done = await do(names.CARRY_OUT, wanted, CarriedOut, order.action.replace("_", " "), options.CONTROL)
        match order.action:
            case Action.STOP:
                self._board.paused = True
                self._runs.stop(done.said)
                await self._lanes.changed()
                await self._lanes.tell_all(names.SIGNAL_STOP, done.said)
            case Action.SKIP:
                word = Skip(reason=done.said, scan_id=order.scan_id, tool=order.tool)
                self._runs.skip(word)
                self._approvals.answer(order.tool, None)
                await self._lanes.tell_all(names.SIGNAL_SKIP, word)
            case Action.PARALLEL:
                self._runs.parallel = order.parallel
                await self._lanes.changed()
            case Action.ADD_TARGETS:
                self._add(done.plan)
            case Action.APPROVE | Action.REJECT:
                self._approvals.answer(order.tool, done.plan if order.action is Action.APPROVE else None)
            case Action.RETRY_FAILED:
                raise ApplicationError("that is another update", type=names.ERROR_REFUSED)
        self._board.say(done.said)
        return Ordered(said=done.said, scans=done.scans)

    async def _scans(self, phase: Phase, begun: Begun, plan: Plan) -> None:
        """Every tool run of a phase, and those that wait for approval last."""
        await self._enter(phase, 0)

        async def run(part: Plan) -> None:
            self._board.known += len(part.scans) + sum(scans for _, scans in part.batches)
            self._board.show()
            await self._runs.run(begun.ref, part.scans)
            await self._lanes.run(begun.ref, phase, part.batches)

        self._approvals.ask(begun.ref, plan.held)
        try:
            await run(plan)
            await self._approvals.answered(run)
        finally:
            self._approvals.let_go()

    async def _enter(self, phase: Phase, steps: int) -> None:
        await workflow.wait_condition(lambda: not self._board.paused)
        self._board.phase = phase
        self._board.known += steps
        if phase != self._attributed:
            workflow.upsert_search_attributes([_PHASE.value_set(phase)])
        self._attributed = phase
        self._board.show()

    def _attribute(self, begun: Begun) -> None:
        workflow.upsert_search_attributes(
            [
                _CAMPAIGN.value_set(str(begun.ref.campaign_id)),
                _ORGANISATION.value_set(str(begun.ref.organisation_id)),
                _PROFILE.value_set(begun.profile),
            ]
        )

    @workflow.signal(name=names.SIGNAL_CANCEL)
    def cancel(self) -> None:
        """Stop: running tools are killed, what they found so far stays."""
        self._cancelled = True

    @workflow.signal(name=names.SIGNAL_REVOKED)
    def revoked(self) -> None:
        """Stop, as the authorisation was revoked. Whether that is true is looked up before it is written down."""
        self._revoked = True

    @workflow.signal(name=names.SIGNAL_PAUSE)
    async def pause(self) -> None:
        """Start nothing new."""
        await self._pause(paused=True)

    @workflow.signal(name=names.SIGNAL_RESUME)
    async def resume(self) -> None:
        """Go on."""
        await self._pause(paused=False)

    async def _pause(self, *, paused: bool) -> None:
        self._board.paused = paused
        self._board.show()
        await self._lanes.changed()

    @workflow.signal(name=names.SIGNAL_GATE_OPEN)
    def gate_open(self, turn: GateOpen) -> None:
        """The turn of a scan that waits at the gate of its host has come."""
        self._runs.open(turn.scan_id)

    @workflow.update(name=names.UPDATE_RETRY)
    async def retry_failed(self, request: RetryRequest) -> Retried:
        """Run again what is not complete. One that had ended was started by this very request."""
        await workflow.wait_condition(lambda: self._begun is not None)
        begun = self._begun
        if begun is None or begun.refused:
            raise ApplicationError(begun.refused if begun else "it did not begin", type=names.ERROR_REFUSED)
        if request.token == self._token:
            return Retried(scans=begun.again, round=begun.ref.round)
        update = workflow.current_update_info()
        wanted = RetryScans(
            ref=self._ref(begun),
            retry_id=update.id if update else "",
            token=request.token,
            apart=self._history_is_long(),
        )
        plan = await do(names.RETRY_SCANS, wanted, RetryPlan, "run again what failed", options.CONTROL)
        self._add(Plan(scans=plan.recon, batches=plan.batches, held=plan.held))
        self._board.say(f"{plan.scans} scans run again")
        return Retried(scans=plan.scans, round=begun.ref.round + self._rounds)

    def _add(self, recon: Plan) -> None:
        """Recon is to run, again or for what is new; then whatever it asks for."""
        asked = self._again or Plan()
        self._again = Plan(
            scans=(*asked.scans, *recon.scans),
            batches=(*asked.batches, *recon.batches),
            held=(*asked.held, *recon.held),
        )

    @staticmethod
    def _history_is_long() -> bool:
        return workflow.info().get_current_history_length() > options.LONG_OWN_HISTORY

    @retry_failed.validator
    def _may_retry(self, request: RetryRequest) -> None:
        self._may_ask(request.token)

    @workflow.update(name=names.UPDATE_STEER)
    async def steer(self, order: Order) -> Ordered:
        """Stop what runs, skip, change how much runs at once, add targets."""
        return await self._steer(order)

    @steer.validator
    def _may_steer(self, order: Order) -> None:
        self._may_ask(order.token)
        if order.action in ANSWERS:
            raise ApplicationError(f"there is an update of its own to {order.action}")

    @workflow.update(name=names.UPDATE_APPROVE)
    async def approve(self, order: Order) -> Ordered:
        """Let a tool run that waits for a second person, or reject it."""
        return await self._steer(order)

    @approve.validator
    def _may_approve(self, order: Order) -> None:
        self._may_ask(order.token)
        if order.action not in ANSWERS:
            raise ApplicationError(f"this update does not {order.action}")
        if order.tool not in self._board.held:
            held = ", ".join(self._board.held) or "none does"
            raise ApplicationError(f"{order.tool!r} does not wait for approval; those that do: {held}")

    def _may_ask(self, token: str) -> None:
        if self._cancelled or self._revoked or self._ending:
            raise ApplicationError("the campaign is about to end")
        if not token:
            raise ApplicationError("there is no actor's token", type=names.ERROR_REFUSED)

    @workflow.query(name=names.QUERY_PROGRESS)
    def progress(self) -> Progress:
        """How far it is."""
        return self._board.progress().model_copy(update={"children": self._lanes.ids})
