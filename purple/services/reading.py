"""The output of a tool that ran: parsed in a thread, a batch at a time, and made rows."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from purple.domain.campaigns import Scan
from purple.domain.clock import Clock
from purple.domain.errors import ParseError
from purple.domain.observations import Observation, RecordedObservation
from purple.domain.targets import TargetKind
from purple.domain.tools import ScanState, ToolCatalogue, ToolSpec
from purple.services.clearance import Time
from purple.services.recording import recorder
from purple.services.sharing import Record, Shares

BATCH = 2_000
READERS = 8
"""Outputs that one process reads at once."""
MAX_OBSERVATIONS = 200_000
"""Of one run of a tool, whose output is hostile; what is beyond is in the artifact, and the scan is partial."""
MAX_IMPORTED = 5_000_000
"""Of a file that a person brings in; one of 2 GB has fewer."""


@dataclass
class Reading:
    """What became of the output."""

    state: ScanState
    reason: str
    read: int = 0


@dataclass(frozen=True, slots=True)
class How:
    """What is known of a run beside its scan."""

    kind: TargetKind
    """Of its target."""
    spec: ToolSpec
    time: Time


class Reader:
    """Reads outputs; each in a thread of its own."""

    def __init__(self, tools: ToolCatalogue, clock: Clock) -> None:
        self._tools = tools
        self._clock = clock
        # of their own: a file of gigabytes, or a parser that hangs, keeps nobody else's thread
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    async def rows(
        self, scan: Scan, how: How, output: Path, reading: Reading, shares: Shares | None
    ) -> AsyncIterator[list[RecordedObservation]]:
        """What the output says, scan by scan, a batch at a time; how it went is left in `reading`."""
        found = self._tools.parse(scan.tool, output, scan.options if how.spec.imports else None)
        now, loop = self._clock.now(), asyncio.get_running_loop()
        record: Record = recorder(scan, how.kind, how.spec, now)
        if shares:
            record = shares.recorder(lambda each, kind: recorder(each, kind, how.spec, now))
        while True:
            batch, taken, trouble = await loop.run_in_executor(self._threads, _take, found, record)
            reading.read += taken
            if batch:
                yield batch
            if trouble is not None:
                _spoil(reading, trouble)
                return
            if taken < BATCH:
                return
            most = MAX_IMPORTED if how.spec.imports else MAX_OBSERVATIONS
            if reading.read >= most:
                _cut(reading, most)
                return


def _take(found: Iterator[Observation], record: Record) -> tuple[list[RecordedObservation], int, ParseError | None]:
    """Rows of the next batch, scan by scan, and how many results they were made of."""
    batch: list[RecordedObservation | None] = []
    trouble: ParseError | None = None
    try:
        batch.extend(map(record, itertools.islice(found, BATCH)))
    except ParseError as error:
        trouble = error
    rows = sorted((each for each in batch if each is not None), key=lambda each: each.scan_id)
    return rows, len(batch), trouble


def _spoil(reading: Reading, trouble: ParseError) -> None:
    """Output that broke: what was read stands, and the scan can no longer count as complete."""
    if reading.state is ScanState.COMPLETE:
        reading.state = ScanState.PARTIAL if reading.read else ScanState.FAILED
        reading.reason = f"its output could not be read to the end: {trouble.detail}"
    elif not reading.read:
        reading.reason = reading.reason or trouble.detail


def _cut(reading: Reading, most: int) -> None:
    if reading.state is ScanState.COMPLETE:
        reading.state = ScanState.PARTIAL
        reading.reason = f"more than {most} observations; the rest is in the artifact only"
