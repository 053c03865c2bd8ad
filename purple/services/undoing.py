"""The workers' side of undos: registered before a tool acts, run after its end, however that came.

An undo is allowed where its run was. It connects to the address that was checked before the tool acted, and the scope
is asked again; but an authorisation that was revoked, has expired or is outside its window stops no undo: the change
was allowed when it was made, and leaving it there would harm whom the contract protects.
"""

from collections.abc import Callable
from datetime import datetime

from purple.contracts.undos import RunUndo, UndoOutcome
from purple.domain.campaigns import Scan
from purple.domain.clock import Clock
from purple.domain.errors import PurpleError, UnavailableError
from purple.domain.ports import UnitOfWork, Work
from purple.domain.tools import ScanState, ToolCatalogue, ToolJob, ToolProgress, ToolSpec, UndoRunner
from purple.domain.undos import Undo, UndoState, undo_id_of, wait_after
from purple.services.cleanup import fail, reopen, retell, undo_event
from purple.services.clearance import check_known
from purple.services.workshop import Workshop

MAX_ERROR = 2_000


def mark_of(scan: Scan, spec: ToolSpec) -> str:
    """What names the changes of a run, for itself and for its undo."""
    return str(undo_id_of(scan.id, scan.attempt)) if spec.changes else ""


async def register(uow: UnitOfWork, scan: Scan, spec: ToolSpec, now: datetime) -> None:
    """Write down how to take back what a tool is about to change, in the transaction that lets it run."""
    if not spec.changes:
        return
    undo = _undo_of(scan, spec, now)
    if await uow.undos.upsert(undo):
        await uow.events.add(undo_event(undo, "undo.registered", now))
        return
    await acted(uow, scan, spec, now)


async def acted(uow: UnitOfWork, scan: Scan, spec: ToolSpec, now: datetime) -> None:
    """A run that begins or ends while its undo is done makes it open again.

    A worker that lost its servers may go on while another has long run the undo.
    """
    if not spec.changes:
        return
    undo = await uow.undos.get(undo_id_of(scan.id, scan.attempt))
    if undo.state is not UndoState.OPEN:
        await reopen(uow, undo, now, "the tool acted again")
        await retell(uow, undo)


class Undoing:
    """Runs undos. Every call may come twice: an attempt that has ended is told again, not run again."""

    def __init__(
        self,
        work: Work,
        tools: ToolCatalogue,
        runner: UndoRunner,
        clock: Clock,
        workshop: Workshop,
        *,
        attempts: int,
    ) -> None:
        self._work = work
        self._tools = tools
        self._runner = runner
        self._clock = clock
        self._workshop = workshop
        self._attempts = attempts

    async def run(self, request: RunUndo, beat: Callable[[ToolProgress], None]) -> UndoOutcome:
        """Bring one attempt of an undo to its end.

        Raises:
            NotFoundError: there is no such undo.
            UnavailableError: a store is away; nothing is lost by running again.
        """
        async with self._work(request.ref.organisation_id) as uow:
            undo = await uow.undos.get(request.undo_id)
            campaign = await uow.campaigns.get(undo.campaign_id)
            authorisation = await uow.authorisations.get(campaign.authorisation_id)
        if undo.state is not UndoState.OPEN or undo.attempts >= request.attempt:
            return _outcome(undo)
        try:
            check_known(authorisation, undo.place, undo.target.address)
            trouble = await self._run(undo, beat)
        except UnavailableError:
            raise
        except PurpleError as error:  # out of scope, or the tool is no longer there
            trouble = error.line()
        return await self._record(request, trouble)

    async def _run(self, undo: Undo, beat: Callable[[ToolProgress], None]) -> str:
        """What went wrong, or nothing."""
        async with self._workshop.room(self._tools.spec(undo.tool)), self._workshop.folder(undo.id) as work:
            job = ToolJob(undo.tool, undo.target, undo.job["options"], undo.timeout_s, work, str(undo.id))
            run = await self._runner.undo(job, beat)
        return "" if run.state is ScanState.COMPLETE else run.reason or str(run.state)

    async def _record(self, request: RunUndo, trouble: str) -> UndoOutcome:
        now = self._clock.now()
        async with self._work(request.ref.organisation_id) as uow:
            undo = await uow.undos.get(request.undo_id)
            if undo.state is not UndoState.OPEN or undo.attempts >= request.attempt:
                return _outcome(undo)  # somebody was faster
            if not trouble:
                undo = await uow.undos.update(
                    undo.id, state=UndoState.DONE, attempts=request.attempt, last_error="", done_at=now
                )
                await uow.events.add(undo_event(undo, "undo.done", now))
            elif request.attempt >= self._attempts:
                undo = await fail(uow, undo, trouble[:MAX_ERROR], now, attempts=request.attempt)
            else:
                undo = await uow.undos.update(undo.id, attempts=request.attempt, last_error=trouble[:MAX_ERROR])
            if undo.state is not UndoState.OPEN:
                await retell(uow, undo)
        return _outcome(undo)


def _outcome(undo: Undo) -> UndoOutcome:
    waits = undo.state is UndoState.OPEN
    return UndoOutcome(
        state=undo.state, reason=undo.last_error[:300], wait_s=wait_after(undo.attempts) if waits else 0.0
    )


def _undo_of(scan: Scan, spec: ToolSpec, now: datetime) -> Undo:
    undo_id = undo_id_of(scan.id, scan.attempt)
    names = {
        "host": scan.host,
        "address": scan.address,
        "port": str(scan.port or ""),
        "url": scan.url,
        "mark": str(undo_id),
    }
    instructions = spec.instructions.strip()
    for name, value in names.items():
        instructions = instructions.replace(f"{{{name}}}", value)
    return Undo(
        id=undo_id,
        organisation_id=scan.organisation_id,
        campaign_id=scan.campaign_id,
        scan_id=scan.id,
        tool=scan.tool,
        role=spec.role,
        title=f"take back what {spec.title} changed on {scan.endpoint}",
        instructions=instructions,
        job={
            "host": scan.host,
            "address": scan.address,
            "port": scan.port,
            "url": scan.url,
            "options": dict(scan.options),
        },
        timeout_s=float(spec.timeout_s),
        state=UndoState.OPEN,
        created_at=now,
        zone=scan.zone,
    )
