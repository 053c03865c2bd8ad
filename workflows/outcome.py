"""What follows the tool runs: analysis, triage, report, notice."""

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from purple.contracts import names
    from purple.contracts.campaigns import Analysed, CampaignRef, Notified, Reported, Triaged
    from purple.domain.campaigns import Phase
    from workflows import options
    from workflows.board import Board
    from workflows.steps import do, why

_SEVERITY = SearchAttributeKey.for_keyword(names.ATTRIBUTE_SEVERITY)


class Outcome:
    """The phases that weigh and tell what a round found."""

    def __init__(self, board: Board, enter: Callable[[Phase, int], Awaitable[None]]) -> None:
        """Take what begins a phase of so many steps."""
        self.notes: dict[str, str] = {}
        """Phase to what went wrong in it."""
        self._board = board
        self._enter = enter

    async def run(self, ref: CampaignRef) -> None:
        """Analysis must succeed; a later phase that fails for good is noted."""
        await self._enter(Phase.ANALYSIS, 1)
        analysed = await do(names.ANALYSE, ref, Analysed, "merge sightings, weigh risk", options.ANALYSIS)
        self._board.done += 1
        self._board.say(f"analysis: {analysed.found} new, {analysed.reopened} reopened, {analysed.fixed} fixed")
        if analysed.worst:
            workflow.upsert_search_attributes([_SEVERITY.value_set(analysed.worst)])
        await self._triage(ref)
        await self._report(ref)
        await self._notify(ref)

    async def _triage(self, ref: CampaignRef) -> None:
        await self._enter(Phase.TRIAGE, 1)
        try:
            triaged = await do(names.TRIAGE, ref, Triaged, "order of remediation", options.AI)
            self._board.say(f"triage: {triaged.state}{f': {triaged.reason}' if triaged.reason else ''}")
            if triaged.reason:
                self.notes[Phase.TRIAGE] = f"{triaged.state}: {triaged.reason}"
        except ActivityError as error:
            self._outlive(Phase.TRIAGE, error)
        self._board.done += 1

    async def _report(self, ref: CampaignRef) -> None:
        await self._enter(Phase.REPORT, 1)
        try:
            reported = await do(names.REPORT, ref, Reported, "PDF, HTML, JSON", options.REPORT)
            self._board.say(f"report: {', '.join(reported.written) or 'none'}")
            if reported.failed:
                self.notes[Phase.REPORT] = "; ".join(f"{k}: {v}" for k, v in sorted(reported.failed.items()))
        except ActivityError as error:
            self._outlive(Phase.REPORT, error)
        self._board.done += 1

    async def _notify(self, ref: CampaignRef) -> None:
        await self._enter(Phase.NOTIFY, 1)
        try:
            notified = await do(names.NOTIFY, ref, Notified, "tell the receiver", options.NOTIFY)
            self._board.say(f"notify: {notified.state}{f': {notified.reason}' if notified.reason else ''}")
            if notified.state != "delivered":
                self.notes[Phase.NOTIFY] = f"{notified.state}: {notified.reason}"
        except ActivityError as error:
            self._outlive(Phase.NOTIFY, error)
        self._board.done += 1

    def _outlive(self, phase: Phase, error: ActivityError) -> None:
        """A phase after analysis that failed for good is noted, and the campaign goes on."""
        if is_cancelled_exception(error):
            raise error
        self.notes[phase] = f"failed: {why(error)}"
        self._board.say(f"{phase}: failed: {why(error)}")
