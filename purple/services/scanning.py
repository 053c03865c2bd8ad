"""One scan: checked, run, read, recorded."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from purple.contracts.campaigns import CampaignRef, RunScan, ScanOutcome
from purple.domain.campaigns import Scan
from purple.domain.clock import Clock
from purple.domain.errors import InvalidInputError, NotFoundError, OutOfScopeError, ParseError
from purple.domain.fingerprints import fingerprint
from purple.domain.objects import ObjectStore
from purple.domain.observations import Observation, ObservationKind, RecordedObservation, observation_id_of
from purple.domain.ports import Work
from purple.domain.tools import (
    ScanState,
    ToolCatalogue,
    ToolJob,
    ToolProgress,
    ToolRun,
    ToolRunner,
    ToolSpec,
    ToolTarget,
)
from purple.services.clearance import Asked, Clearance, Time, asked_for
from purple.services.events import event, postponed_event, scan_event

BATCH = 2_000
MAX_OBSERVATIONS = 200_000
"""Of one scan; what is beyond is in the artifact, and the scan is partial."""


@dataclass
class _Reading:
    """What became of the output."""

    state: ScanState
    reason: str
    read: int = 0


class Scanning:
    """Runs scans. Every call may come twice: an attempt that has ended is told again, not run again."""

    def __init__(
        self,
        work: Work,
        clearance: Clearance,
        tools: ToolCatalogue,
        runner: ToolRunner,
        objects: ObjectStore,
        clock: Clock,
        scratch: Path,
    ) -> None:
        self._work = work
        self._clearance = clearance
        self._tools = tools
        self._runner = runner
        self._objects = objects
        self._clock = clock
        self._scratch = scratch

    async def run(self, request: RunScan, beat: Callable[[ToolProgress], None]) -> ScanOutcome:
        """Bring one attempt of a scan to its end.

        Args:
            request: which scan, which attempt.
            beat: told now and then how the tool is doing.

        Raises:
            NotFoundError: there is no such scan.
            UnavailableError: a store is away; nothing is lost by running again.
        """
        ref = request.ref
        async with self._work(ref.organisation_id) as uow:
            scan = await uow.scans.get(request.scan_id)
            campaign = await uow.campaigns.get(ref.campaign_id)
            authorisation = await uow.authorisations.get(campaign.authorisation_id)
        if scan.state.ended and scan.attempt >= request.attempt:
            return _outcome(scan)
        spec = self._tools.spec(scan.tool)
        asked = asked_for(scan, campaign, request.attempt)
        try:
            self._clearance.check_tool(campaign, authorisation, spec)
        except OutOfScopeError as refusal:
            return _outcome(await self._skip(scan, request.attempt, refusal, asked), refused=True)
        try:
            address = await self._clearance.address(scan, authorisation, spec)
            time = self._clearance.hours(authorisation, spec)
        except (OutOfScopeError, InvalidInputError) as refusal:
            if isinstance(refusal, OutOfScopeError) and refusal.rule == "window":
                return _outcome(await self._put_off(scan, refusal, asked), postponed=True)
            return _outcome(await self._skip(scan, request.attempt, refusal, asked))
        scan = await self._started(scan, request.attempt, address)
        self._scratch.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f"{scan.id}-", dir=self._scratch))
        try:
            job = self._job(scan, time, work)
            run = await (self._fetched(scan, work) if spec.imports else self._runner.run(job, beat))
            return await self._record(ref, scan, spec, run, time)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    async def _fetched(self, scan: Scan, work: Path) -> ToolRun:
        """The artifact in place of a run: from here on it is read as if a program had just written it."""
        output = work / "artifact"
        try:
            await self._objects.get_file(scan.options["artifact"], output)
        except NotFoundError as error:
            return ToolRun(ScanState.FAILED, error.detail, None)
        return ToolRun(ScanState.COMPLETE, "", output)

    @staticmethod
    def _job(scan: Scan, time: Time, work: Path) -> ToolJob:
        return ToolJob(
            tool=scan.tool,
            target=ToolTarget(scan.host, scan.address, scan.port, scan.url),
            options=scan.options,
            timeout_s=time.seconds,
            work=work,
        )

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

    async def _started(self, scan: Scan, attempt: int, address: str) -> Scan:
        now = self._clock.now()
        async with self._work(scan.organisation_id) as uow:
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
            return await uow.scans.update(
                scan.id, state=ScanState.RUNNING, attempt=attempt, started_at=now, address=address, reason=""
            )

    async def _record(self, ref: CampaignRef, scan: Scan, spec: ToolSpec, run: ToolRun, time: Time) -> ScanOutcome:
        """Artifacts first, then observations, the scan's end and its event in one transaction."""
        output = await self._objects.put_file(run.output) if run.output and run.output.exists() else ""
        log = await self._objects.put_file(run.log) if run.log and run.log.exists() else ""
        reading = _Reading(run.state, run.reason)
        now = self._clock.now()
        async with self._work(ref.organisation_id) as uow:
            stored = await uow.scans.get(scan.id)
            if stored.state.ended and stored.attempt >= scan.attempt:
                return _outcome(stored)  # another worker was faster
            if output and run.output:
                observed = self._read(scan, spec, run.output, reading)
                await uow.findings.record(observed)
            waits = _cut_short(reading, time)
            ended = await uow.scans.update(
                scan.id,
                state=reading.state,
                reason=reading.reason,
                ended_at=None if waits else now,
                exit_code=run.exit_code,
                tool_version=run.version,
                executable_sha256=run.executable_sha256,
                output_artifact=output,
                log_artifact=log,
                observations=await uow.findings.count(scan.id),
            )
            await uow.events.add(postponed_event(ended, now) if waits else scan_event(ended, now, ended.reason))
        return _outcome(ended, postponed=waits)

    async def _read(
        self, scan: Scan, spec: ToolSpec, output: Path, reading: _Reading
    ) -> AsyncIterator[list[RecordedObservation]]:
        """Parse in a thread, a batch at a time; how it went is left in `reading`."""
        found = self._tools.parse(scan.tool, output)
        while True:
            batch, trouble = await asyncio.to_thread(_take, found, as_recorded(scan, spec, self._clock.now()))
            reading.read += len(batch)
            if batch:
                yield batch
            if trouble is not None:
                _spoil(reading, trouble)
                return
            if len(batch) < BATCH:
                return
            if reading.read >= MAX_OBSERVATIONS:
                _cut(reading)
                return


def as_recorded(scan: Scan, spec: ToolSpec, now: datetime) -> Callable[[Observation], RecordedObservation]:
    """What makes a scan's observations rows."""

    def record(seen: Observation) -> RecordedObservation:
        is_flaw = seen.kind is ObservationKind.FLAW
        return RecordedObservation(
            id=observation_id_of(scan.id, seen),
            organisation_id=scan.organisation_id,
            campaign_id=scan.campaign_id,
            scan_id=scan.id,
            target_id=scan.target_id,
            tool=scan.tool,
            fingerprint=fingerprint(scan.target_id, seen, spec.fingerprint_fields) if is_flaw else "",
            seen=seen,
            recorded_at=now,
        )

    return record


def _take(
    found: Iterator[Observation], record: Callable[[Observation], RecordedObservation]
) -> tuple[list[RecordedObservation], ParseError | None]:
    batch: list[RecordedObservation] = []
    try:
        batch.extend(map(record, itertools.islice(found, BATCH)))
    except ParseError as error:
        return batch, error
    return batch, None


def _spoil(reading: _Reading, trouble: ParseError) -> None:
    """Output that broke: what was read stands, and the scan can no longer count as complete."""
    if reading.state is ScanState.COMPLETE:
        reading.state = ScanState.PARTIAL if reading.read else ScanState.FAILED
        reading.reason = f"its output could not be read to the end: {trouble.detail}"
    elif not reading.read:
        reading.reason = reading.reason or trouble.detail


def _cut_short(reading: _Reading, time: Time) -> bool:
    """Whether a tool that a closing test window ended goes on in another one; what it found by then is kept."""
    if not time.bound or reading.state is not ScanState.TIMED_OUT:
        return False
    if time.fully:
        reading.reason = "it did not end within a whole test window, and was stopped when that closed"
        return False
    reading.state = ScanState.PENDING
    reading.reason = "stopped when the test window closed; it runs again when one opens"
    return True


def _cut(reading: _Reading) -> None:
    if reading.state is ScanState.COMPLETE:
        reading.state = ScanState.PARTIAL
        reading.reason = f"more than {MAX_OBSERVATIONS} observations; the rest is in the artifact only"


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
