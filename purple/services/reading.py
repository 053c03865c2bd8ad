"""The output of a tool that ran: parsed, and made rows."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from purple.domain.campaigns import Scan
from purple.domain.clock import Clock
from purple.domain.errors import ParseError
from purple.domain.observations import FEW, Observation, RecordedObservation
from purple.domain.targets import TargetKind
from purple.domain.tools import ScanState, ToolCatalogue, ToolSpec
from purple.services.clearance import Time
from purple.services.recording import recorder
from purple.services.sharing import Record, Shares

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
    """Reads outputs."""

    def __init__(self, tools: ToolCatalogue, clock: Clock) -> None:
        self._tools = tools
        self._clock = clock
        self.threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        """Each is read in one of these: a file of gigabytes, or a parser that hangs, keeps nobody else's thread."""

    def rows(
        self, scan: Scan, how: How, output: Path, reading: Reading, shares: Shares | None
    ) -> Iterator[RecordedObservation]:
        """What the output says, as it is read; how it went is left in `reading`."""
        now = self._clock.now()
        record: Record = recorder(scan, how.kind, how.spec, now)
        if shares:
            record = shares.recorder(lambda each, kind: recorder(each, kind, how.spec, now))
        found = self._tools.parse(scan.tool, output, scan.options if how.spec.imports else None)
        most = MAX_IMPORTED if how.spec.imports else MAX_OBSERVATIONS
        trouble: ParseError | None = None
        while trouble is None:
            few: list[Observation] = []
            try:
                few.extend(itertools.islice(found, FEW))
            except ParseError as error:
                trouble = error
            room = most - reading.read
            reading.read += min(len(few), room)
            yield from filter(None, map(record, few[:room]))
            if len(few) > room:
                _cut(reading, most)
                return
            if len(few) < FEW:
                break
        if trouble is not None:
            _spoil(reading, trouble)


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
