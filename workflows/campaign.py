"""The campaign: recon → tool runs → analysis → AI triage → report → notify, as durable steps."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from purple.contracts import names
    from purple.contracts.base import Contract
    from purple.contracts.campaigns import (
        Analysed,
        BeginRequest,
        Begun,
        CampaignInput,
        CampaignRef,
        Finish,
        Finished,
        Notified,
        Plan,
        Progress,
        Reported,
        Retried,
        RetryPlan,
        RetryRequest,
        RetryScans,
        RunScan,
        ScanOutcome,
        ScanStep,
        SettleScan,
        Triaged,
    )
    from purple.domain.campaigns import CampaignState, Phase
    from purple.domain.tools import ScanState
    from workflows import options
    from workflows.hours import Hours

T = TypeVar("T")

_CAMPAIGN = SearchAttributeKey.for_keyword(names.ATTRIBUTE_CAMPAIGN)
_ORGANISATION = SearchAttributeKey.for_keyword(names.ATTRIBUTE_ORGANISATION)
_PROFILE = SearchAttributeKey.for_keyword(names.ATTRIBUTE_PROFILE)
_PHASE = SearchAttributeKey.for_keyword(names.ATTRIBUTE_PHASE)
_SEVERITY = SearchAttributeKey.for_keyword(names.ATTRIBUTE_SEVERITY)


class _RefusedError(Exception):
    """The authorisation does not allow the campaign, or no longer."""


@workflow.defn(name=names.WORKFLOW)
class CampaignWorkflow:
    """One campaign. Signals: cancel, revoked, pause, resume. Update: retry_failed. Query: progress."""

    @workflow.init
    def __init__(self, campaign: CampaignInput) -> None:
        self._token = campaign.retry_token
        self._begun: Begun | None = None
        self._again: list[ScanStep] | None = None
        """Recon to run again; None where nobody asked."""
        self._ending = False
        self._phase = ""
        self._done = 0
        self._known = 0
        self._running: list[str] = []
        self._lines: list[str] = []
        self._notes: dict[str, str] = {}
        self._paused = False
        self._cancelled = False
        self._revoked = False
        self._worst = ""
        self._hours = Hours(self._show)
        self._rounds = 0
        """That began in this run."""

    @workflow.run
    async def run(self, campaign: CampaignInput) -> Finished:
        """Run every phase, and write down how it ended, also when it was cancelled or refused."""
        info = workflow.info()
        request = BeginRequest(workflow_id=info.workflow_id, campaign=campaign, run_id=info.run_id)
        begun = await _do(names.BEGIN, request, Begun, campaign.name, options.CONTROL)
        self._begun = begun
        self._hours.keep(begun.windows)
        state: CampaignState | None = None
        reason = begun.refused
        if begun.refused:
            state = CampaignState.NOT_ALLOWED
        else:
            self._attribute(begun)
            phases = asyncio.create_task(self._phases(begun))
            stop = asyncio.create_task(workflow.wait_condition(lambda: self._cancelled or self._withdrawn()))
            try:
                await workflow.wait([phases, stop], return_when=asyncio.FIRST_COMPLETED)
                if not phases.done():
                    phases.cancel()
                await phases
            except _RefusedError as refused:
                state, reason = CampaignState.NOT_ALLOWED, str(refused)
            except ActivityError as error:
                if is_cancelled_exception(error):
                    state, reason = self._stopped()
                else:
                    state, reason = CampaignState.FAILED, _why(error)
            except asyncio.CancelledError:  # by the signal, or from Temporal itself
                state, reason = self._stopped()
                if not phases.done():
                    phases.cancel()
            stop.cancel()
        self._ending = True
        return await asyncio.shield(self._finish(self._ref(begun), state, reason))

    def _stopped(self) -> tuple[CampaignState, str]:
        """How one that was told to stop ends; of a revocation, the last step learns from the contract itself."""
        if self._revoked and not self._cancelled:
            return CampaignState.NOT_ALLOWED, ""
        return CampaignState.CANCELLED, "cancelled"

    def _withdrawn(self) -> bool:
        """Whether tools must stop for a revocation; what only weighs and tells what they found may end."""
        return self._revoked and self._phase in {"", Phase.RECON, Phase.TOOLS}

    async def _finish(self, ref: CampaignRef, state: CampaignState | None, reason: str) -> Finished:
        request = Finish(ref=ref, state=state, reason=reason, notes=self._notes)
        finished = await _do(names.FINISH, request, Finished, "write down how it ended", options.CONTROL)
        self._say(f"**{finished.state}** {finished.reason}")
        return finished

    def _ref(self, begun: Begun) -> CampaignRef:
        return begun.ref.model_copy(update={"round": begun.ref.round + self._rounds})

    async def _phases(self, begun: Begun) -> None:
        recon: Sequence[ScanStep] = begun.recon
        while True:
            await self._scans(Phase.RECON, begun, recon)
            plan = await _do(names.PLAN, self._ref(begun), Plan, "what recon asks for", options.CONTROL)
            await self._scans(Phase.TOOLS, begun, plan.scans)
            if not self._asked():
                await self._outcome(self._ref(begun))
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._asked():
                    return
                self._rounds += 1
            recon, self._again = self._again or (), None

    def _asked(self) -> bool:
        return self._again is not None

    async def _outcome(self, ref: CampaignRef) -> None:
        await self._enter(Phase.ANALYSIS, 1)
        analysed = await _do(names.ANALYSE, ref, Analysed, "merge sightings, weigh risk", options.ANALYSIS)
        self._done += 1
        self._worst = analysed.worst
        self._say(f"analysis: {analysed.found} new, {analysed.reopened} reopened, {analysed.fixed} fixed")
        if analysed.worst:
            workflow.upsert_search_attributes([_SEVERITY.value_set(analysed.worst)])
        await self._triage(ref)
        await self._report(ref)
        await self._notify(ref)

    async def _triage(self, ref: CampaignRef) -> None:
        await self._enter(Phase.TRIAGE, 1)
        try:
            triaged = await _do(names.TRIAGE, ref, Triaged, "order of remediation", options.AI)
            self._say(f"triage: {triaged.state}{f': {triaged.reason}' if triaged.reason else ''}")
            if triaged.reason:
                self._notes[Phase.TRIAGE] = f"{triaged.state}: {triaged.reason}"
        except ActivityError as error:
            self._outlive(Phase.TRIAGE, error)
        self._done += 1

    async def _report(self, ref: CampaignRef) -> None:
        await self._enter(Phase.REPORT, 1)
        try:
            reported = await _do(names.REPORT, ref, Reported, "PDF, HTML, JSON", options.REPORT)
            self._say(f"report: {', '.join(reported.written) or 'none'}")
            if reported.failed:
                self._notes[Phase.REPORT] = "; ".join(f"{k}: {v}" for k, v in sorted(reported.failed.items()))
        except ActivityError as error:
            self._outlive(Phase.REPORT, error)
        self._done += 1

    async def _notify(self, ref: CampaignRef) -> None:
        await self._enter(Phase.NOTIFY, 1)
        try:
            notified = await _do(names.NOTIFY, ref, Notified, "tell the receiver", options.NOTIFY)
            self._say(f"notify: {notified.state}{f': {notified.reason}' if notified.reason else ''}")
            if notified.state != "delivered":
                self._notes[Phase.NOTIFY] = f"{notified.state}: {notified.reason}"
        except ActivityError as error:
            self._outlive(Phase.NOTIFY, error)
        self._done += 1

    async def _scans(self, phase: Phase, begun: Begun, steps: Sequence[ScanStep]) -> None:
        """Every tool run of a phase, so many at once."""
        await self._enter(phase, len(steps))
        slots = asyncio.Semaphore(begun.parallel)

        async def turn(step: ScanStep) -> ScanOutcome | None:
            """Run it once there is a slot; None where its test window has no room for it."""
            async with slots:
                await workflow.wait_condition(lambda: not self._paused)
                if not self._hours.admits(step):
                    return None
                label = f"{step.tool} {step.endpoint}"
                self._running.append(label)
                self._show()
                try:
                    outcome = await self._scan(begun, step)
                finally:
                    self._running.remove(label)
                self._say(f"{label}: {outcome.state}, {outcome.observations} observations {outcome.reason}")
                if outcome.refused:
                    raise _RefusedError(outcome.reason)
                return outcome

        async def one(step: ScanStep) -> None:
            while (outcome := await turn(step)) is None or outcome.postponed:
                step = await self._hours.wait(step, outcome)
            self._done += 1
            self._show()

        tasks = [asyncio.create_task(one(step)) for step in steps]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await workflow.wait(tasks)

    async def _scan(self, begun: Begun, step: ScanStep) -> ScanOutcome:
        """One tool run; a tool that ran and failed is run again as often as the profile allows."""
        attempt = step.attempt + 1
        while True:
            try:
                outcome = await _do(
                    names.RUN_SCAN,
                    RunScan(ref=begun.ref, scan_id=step.scan_id, attempt=attempt),
                    ScanOutcome,
                    f"{step.tool} {step.endpoint}" + (f", attempt {attempt}" if attempt > 1 else ""),
                    options.scan(step.role, step.timeout_s),
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                return await self._settle(begun.ref, step, _why(error))
            if not outcome.again or attempt > step.attempt + begun.retries:
                return outcome
            attempt += 1

    async def _settle(self, ref: CampaignRef, step: ScanStep, reason: str) -> ScanOutcome:
        request = SettleScan(ref=ref, scan_id=step.scan_id, state=ScanState.FAILED, reason=reason)
        await _do(names.SETTLE_SCAN, request, type(None), f"{step.tool} {step.endpoint} failed", options.CONTROL)
        return ScanOutcome(scan_id=step.scan_id, state=ScanState.FAILED, reason=reason)

    async def _enter(self, phase: Phase, steps: int) -> None:
        await workflow.wait_condition(lambda: not self._paused)
        self._phase = phase
        self._known += steps
        workflow.upsert_search_attributes([_PHASE.value_set(phase)])
        self._show()

    def _outlive(self, phase: Phase, error: ActivityError) -> None:
        """A phase after analysis that failed for good is noted, and the campaign goes on."""
        if is_cancelled_exception(error):
            raise error
        self._notes[phase] = f"failed: {_why(error)}"
        self._say(f"{phase}: failed: {_why(error)}")

    def _attribute(self, begun: Begun) -> None:
        workflow.upsert_search_attributes(
            [
                _CAMPAIGN.value_set(str(begun.ref.campaign_id)),
                _ORGANISATION.value_set(str(begun.ref.organisation_id)),
                _PROFILE.value_set(begun.profile),
            ]
        )

    def _say(self, line: str) -> None:
        """Add a line to what the Temporal UI shows."""
        self._lines.append(" ".join(line.split())[:200])
        self._show()

    def _show(self) -> None:
        head = f"Phase **{self._phase}**, {self._done} of {self._known} known steps done"
        head += ", paused" if self._paused else ""
        head += f", {self._hours.waiting}" if self._hours.waiting else ""
        running = "".join(f"\n- running: {each}" for each in self._running)
        lines = "".join(f"\n- {each}" for each in self._lines[-20:])
        workflow.set_current_details(f"{head}{running}{lines}")

    @workflow.signal(name=names.SIGNAL_CANCEL)
    def cancel(self) -> None:
        """Stop: running tools are killed, what they found so far stays."""
        self._cancelled = True

    @workflow.signal(name=names.SIGNAL_REVOKED)
    def revoked(self) -> None:
        """Stop, as the authorisation was revoked. Whether that is true is looked up before it is written down."""
        self._revoked = True

    @workflow.signal(name=names.SIGNAL_PAUSE)
    def pause(self) -> None:
        """Start nothing new."""
        self._paused = True
        self._show()

    @workflow.signal(name=names.SIGNAL_RESUME)
    def resume(self) -> None:
        """Go on."""
        self._paused = False
        self._show()

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
        wanted = RetryScans(ref=self._ref(begun), retry_id=update.id if update else "", token=request.token)
        plan = await _do(names.RETRY_SCANS, wanted, RetryPlan, "run again what failed", options.CONTROL)
        self._again = [*(self._again or ()), *plan.recon]
        self._say(f"{plan.scans} scans run again")
        return Retried(scans=plan.scans, round=begun.ref.round + self._rounds)

    @retry_failed.validator
    def _may_retry(self, request: RetryRequest) -> None:
        if self._cancelled or self._revoked or self._ending:
            raise ApplicationError("the campaign is about to end")
        if not request.token:
            raise ApplicationError("there is no actor's token", type=names.ERROR_REFUSED)

    @workflow.query(name=names.QUERY_PROGRESS)
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(
            phase=self._phase,
            done=self._done,
            known=self._known,
            running=tuple(self._running),
            paused=self._paused,
            waiting=self._hours.waiting,
        )


async def _do(step: str, argument: Contract, result: type[T], summary: str, config: workflow.ActivityConfig) -> T:
    """Run a step; its summary is what the Temporal UI shows of it."""
    whole: workflow.ActivityConfig = {**config, "summary": summary[:200]}
    done: T = await workflow.execute_activity(step, argument, result_type=result, **whole)
    return done


def _why(error: ActivityError) -> str:
    cause = error.cause
    return cause.message if isinstance(cause, ApplicationError) else str(cause or error)
