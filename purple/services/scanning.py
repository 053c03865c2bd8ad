"""One scan: checked, run, read, recorded."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from purple.contracts.campaigns import RunScan, ScanOutcome
from purple.domain.campaigns import Campaign, Scan
from purple.domain.clock import Clock
from purple.domain.errors import (
    DiskFullError,
    InvalidInputError,
    NotFoundError,
    OutOfScopeError,
    UnavailableError,
)
from purple.domain.gates import TargetAwayError
from purple.domain.objects import ObjectStore
from purple.domain.ports import UnitOfWork, Work
from purple.domain.targets import TargetKind
from purple.domain.tools import (
    ScanState,
    ToolCatalogue,
    ToolJob,
    ToolProgress,
    ToolRun,
    ToolSpec,
    ToolTarget,
)
from purple.services import undoing
from purple.services.batching import settle
from purple.services.clearance import Asked, Clearance, Time, asked_for
from purple.services.events import event, postponed_event, scan_event
from purple.services.gates import Admission, Gates
from purple.services.reading import How, Reader, Reading
from purple.services.sharing import Shares
from purple.services.workshop import Workshop

_GIVEN_UP = {ScanState.SKIPPED, ScanState.CANCELLED}


class _OvertakenError(Exception):
    """Another attempt of the scan has come to its end meanwhile."""


class Scanning:
    """Runs scans. Every call may come twice: an attempt that has ended is told again, not run again."""

    def __init__(
        self,
        work: Work,
        clearance: Clearance,
        tools: ToolCatalogue,
        gates: Gates,
        objects: ObjectStore,
        clock: Clock,
        workshop: Workshop,
    ) -> None:
        self._work = work
        self._clearance = clearance
        self._tools = tools
        self._gates = gates
        self._objects = objects
        self._clock = clock
        self._workshop = workshop
        self._reader = Reader(tools, clock)

    async def run(self, request: RunScan, beat: Callable[[ToolProgress], None], workflow_id: str = "") -> ScanOutcome:
        """Bring one attempt of a scan to its end, or to the queue at the gate of its host.

        Args:
            request: which scan, which attempt.
            beat: told now and then how the tool is doing.
            workflow_id: whom the gate tells when the scan's turn comes.

        Raises:
            NotFoundError: there is no such scan.
            UnavailableError: a store is away, or this worker has no room; nothing is lost by running again.
        """
        ref = request.ref
        async with self._work(ref.organisation_id) as uow:
            known = await uow.scan_sets.briefing(request.scan_id)
        scan, campaign, kind, authorisation = known.scan, known.campaign, known.kind, known.authorisation
        if over := await self._over(scan, campaign, request.attempt):
            return _outcome(over)
        spec = self._tools.spec(scan.tool)
        asked = asked_for(scan, campaign, request.attempt)
        try:
            self._clearance.check_tool(campaign, authorisation, spec)
        except OutOfScopeError as refusal:
            return _outcome(await self._skip(scan, request.attempt, refusal, asked), refused=True)
        try:
            address = await self._clearance.address(scan, kind, authorisation, spec)
            how = How(kind, spec, self._clearance.hours(authorisation, spec))
        except (OutOfScopeError, InvalidInputError) as refusal:
            if isinstance(refusal, OutOfScopeError) and refusal.rule == "window":
                return _outcome(await self._put_off(scan, refusal, asked), postponed=True)
            return _outcome(await self._skip(scan, request.attempt, refusal, asked))
        async with contextlib.nullcontext() if spec.imports else self._workshop.room(spec):
            try:
                self._workshop.check_disk()
                scan, admission = await self._enter(scan, spec, request.attempt, address, workflow_id)
                if not admission.admitted:
                    return await self._held_back(scan, admission)
                return await self._attempt(scan, how, admission, beat)
            except DiskFullError as full:
                with contextlib.suppress(UnavailableError):  # where it is PostgreSQL's own that is full
                    async with self._work(ref.organisation_id) as uow:
                        await uow.scans.update(scan.id, state=ScanState.PENDING, reason=f"waiting: {full.line()}")
                raise

    async def _attempt(
        self, scan: Scan, how: How, admission: Admission, beat: Callable[[ToolProgress], None]
    ) -> ScanOutcome:
        def watched(progress: ToolProgress) -> None:
            self._workshop.check_disk()
            beat(progress)

        try:
            async with self._workshop.folder(scan.id) as work:
                if how.spec.imports:
                    run = await self._fetched(scan, work)
                else:
                    run = await self._gates.run(admission.lease, _job(scan, how, work), watched)
                self._workshop.check_disk()
                return await self._record(scan, how, run)
        except TargetAwayError as away:
            return await self._stopped(scan, admission, ran=away.ran)
        finally:
            await self._has_acted(scan, how.spec)

    async def _fetched(self, scan: Scan, work: Path) -> ToolRun:
        """The artifact in place of a run: from here on it is read as if a program had just written it."""
        output = work / "artifact"
        try:
            await self._objects.get_file(scan.options["artifact"], output)
        except NotFoundError as error:
            return ToolRun(ScanState.FAILED, error.detail, None)
        return ToolRun(ScanState.COMPLETE, "", output)

    async def _has_acted(self, scan: Scan, spec: ToolSpec) -> None:
        if spec.changes:
            with contextlib.suppress(UnavailableError):  # then nobody else can have run the undo meanwhile either
                async with self._work(scan.organisation_id) as uow:
                    await undoing.acted(uow, scan, spec, self._clock.now())

    async def _over(self, scan: Scan, campaign: Campaign, attempt: int) -> Scan | None:
        """The scan, where this attempt is not begun: it has ended, or people gave the scan up, asked of whomever."""
        if scan.state.ended and (scan.attempt >= attempt or scan.state in _GIVEN_UP):
            return scan
        if not (why := campaign.orders.refusal(scan.tool, scan.id)) or scan.state.ended:
            return scan if why else None
        async with self._work(scan.organisation_id) as uow:
            return await settle(uow, scan, ScanState.SKIPPED, why, self._clock.now())

    async def _skip(self, scan: Scan, attempt: int, refusal: OutOfScopeError | InvalidInputError, asked: Asked) -> Scan:
        rule = f" (rule {refusal.rule})" if isinstance(refusal, OutOfScopeError) else ""
        changes = {"state": ScanState.SKIPPED, "reason": f"{refusal.detail}{rule}", "attempt": attempt}
        now = self._clock.now()
        async with self._work(scan.organisation_id) as uow:
            ended = await uow.scans.update(scan.id, **changes, ended_at=now)
            await self._clearance.note(uow, refusal, asked)
            await uow.events.add(scan_event(ended, now, ended.reason))
        return ended

    async def _put_off(self, scan: Scan, refusal: OutOfScopeError, asked: Asked) -> Scan:
        """It runs in another test window."""
        now = self._clock.now()
        async with self._work(scan.organisation_id) as uow:
            waiting = await uow.scans.update(scan.id, state=ScanState.PENDING, reason=refusal.detail)
            await self._clearance.note(uow, refusal, asked)
            await uow.events.add(postponed_event(waiting, now))
        return waiting

    async def _enter(
        self, scan: Scan, spec: ToolSpec, attempt: int, address: str, workflow_id: str
    ) -> tuple[Scan, Admission]:
        """Through the gate of the host, or to its queue."""
        async with self._work(scan.organisation_id) as uow:
            admission = await self._gates.enter(uow, scan, spec, address, workflow_id)
            if admission.admitted:
                scan = await self._started(uow, scan, spec, attempt, address)
            else:
                scan = await self._hold_back(uow, replace(scan, attempt=attempt, address=address), admission)
        return scan, admission

    async def _started(self, uow: UnitOfWork, scan: Scan, spec: ToolSpec, attempt: int, address: str) -> Scan:
        now = self._clock.now()
        await uow.events.add(
            event(
                scan.organisation_id,
                "scan.started",
                scan.id,
                now,
                campaign_id=scan.campaign_id,
                data={"tool": scan.tool, "endpoint": scan.endpoint, "attempt": attempt},
                occasion=str(attempt),
            )
        )
        started = await uow.scans.update(
            scan.id, state=ScanState.RUNNING, attempt=attempt, started_at=now, address=address, reason=""
        )
        await undoing.register(uow, started, spec, now)
        return started

    async def _stopped(self, scan: Scan, admission: Admission, *, ran: bool) -> ScanOutcome:
        """Its host is gone: what the tool wrote until then is not used, and it runs again when the host is back."""
        async with self._work(scan.organisation_id) as uow:
            admission = await self._gates.trip(uow, admission, scan.port, ran=ran)
            scan = await self._hold_back(uow, scan, admission)
        return await self._held_back(scan, admission)

    async def _hold_back(self, uow: UnitOfWork, scan: Scan, admission: Admission) -> Scan:
        """Written down as waiting, or as failed where the gate gave its host up."""
        if admission.waiting:
            return await uow.scans.update(
                scan.id, state=ScanState.PENDING, reason=admission.waiting, address=scan.address
            )
        now = self._clock.now()
        ended = await uow.scans.update(
            scan.id,
            state=ScanState.FAILED,
            reason=admission.given_up,
            attempt=scan.attempt,
            ended_at=now,
            exit_code=None,
        )
        await uow.events.add(scan_event(ended, now, ended.reason))
        return ended

    async def _held_back(self, scan: Scan, admission: Admission) -> ScanOutcome:
        await self._gates.announce(admission)
        return _outcome(scan).model_copy(update={"waiting": bool(admission.waiting), "stalled": admission.stalled})

    async def _record(self, scan: Scan, how: How, run: ToolRun) -> ScanOutcome:
        """Artifacts first, then observations, the scan's end and its event in one transaction.

        A worker that was given up may end at the same moment: of two the first counts, and the other's rows go.
        """
        imported = str(scan.options["artifact"]) if how.spec.imports else ""
        kept = (
            (imported or await self._objects.put_file(run.output)) if run.output else "",
            await self._objects.put_file(run.log) if run.log else "",
        )
        try:
            async with self._work(scan.organisation_id) as uow:
                return await self._ended(uow, scan, how, run, kept)
        except _OvertakenError:
            async with self._work(scan.organisation_id) as uow:
                return _outcome(await uow.scans.get(scan.id))

    async def _ended(
        self, uow: UnitOfWork, scan: Scan, how: How, run: ToolRun, artifacts: tuple[str, str]
    ) -> ScanOutcome:
        reading, now = Reading(run.state, run.reason), self._clock.now()
        output, log = artifacts
        shares = await Shares.of(uow, scan) if how.spec.shares else None
        added = 0
        if run.output:
            rows = self._reader.rows(scan, how, run.output, reading, shares)
            added = await uow.findings.record(rows, self._reader.threads)
        waits = run.cut_short and _goes_on(reading, how.time)
        ending = replace(
            scan,
            state=reading.state,
            reason=reading.reason,
            ended_at=None if waits else now,
            exit_code=run.exit_code,
            tool_version=run.version,
            executable_sha256=run.executable_sha256,
            revision=run.revision,
            output_artifact=output,
            log_artifact=log,
        )
        ended = await uow.scan_sets.conclude(ending, None if shares else added)
        if ended is None:
            raise _OvertakenError
        await uow.events.add(postponed_event(ended, now) if waits else scan_event(ended, now, ended.reason))
        if shares and output:
            await shares.settle(uow, ended)
        return _outcome(ended, postponed=waits)


def _job(scan: Scan, how: How, work: Path) -> ToolJob:
    asset = how.kind if how.kind in {TargetKind.REPOSITORY, TargetKind.IMAGE} else ""
    return ToolJob(
        tool=scan.tool,
        target=ToolTarget(scan.host, scan.address, scan.port, scan.url, asset),
        options=scan.options,
        timeout_s=how.spec.timeout_s,
        work=work,
        mark=undoing.mark_of(scan, how.spec),
        until=how.time.until,
    )


def _goes_on(reading: Reading, time: Time) -> bool:
    """Whether a tool that a closing test window cut short goes on in another one; what it found by then is kept."""
    if time.final:
        if reading.state is ScanState.TIMED_OUT:
            reading.reason = time.final
        return False
    reading.state = ScanState.PENDING
    reading.reason = "stopped when the test window closed; it runs again when one opens"
    return True


def _outcome(scan: Scan, *, refused: bool = False, postponed: bool = False) -> ScanOutcome:
    # a tool that ran and failed may fare better; one that is missing has no exit code and will not
    again = scan.state is ScanState.FAILED and scan.exit_code is not None
    return ScanOutcome(
        scan_id=scan.id,
        state=scan.state,
        reason=scan.reason,
        observations=scan.observations,
        again=again,
        refused=refused,
        postponed=postponed,
        attempt=scan.attempt,
    )
