"""What the platform knows of a security tool, and the ports through which it runs one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from purple.domain.imports import ImportFormat
from purple.domain.observations import Observation


class Intrusiveness(StrEnum):
    """How hard a tool touches its target; an authorisation names the most it allows."""

    PASSIVE = "passive"
    """Sends nothing to the target."""
    SAFE = "safe"
    """Ordinary requests: connects, handshakes, page loads."""
    INTRUSIVE = "intrusive"
    """Attack payloads that should change nothing."""
    DESTRUCTIVE = "destructive"
    """May change data or stop the service."""

    @property
    def rank(self) -> int:
        """0 for passive to 3 for destructive."""
        return list(Intrusiveness).index(self)


class Topic(StrEnum):
    """What a tool looks into; a complete scan of it is evidence that this was looked into."""

    PORTS = "ports"
    """Which services there are."""
    HOSTS = "hosts"
    """Known vulnerabilities of a host and its services."""
    TLS = "tls"
    SSH = "ssh"
    WEB = "web"
    """Web applications, by attack."""
    WEB_SETTINGS = "web_settings"
    """How web servers are set up."""
    API = "api"
    LOGINS = "logins"
    """Whether well-known logins are taken."""
    DEPENDENCIES = "dependencies"
    CODE = "code"
    SECRETS = "secrets"
    INFRASTRUCTURE = "infrastructure"
    """Infrastructure as code, container files, pipelines."""


class ScanState(StrEnum):
    """How far a scan is, and how it ended; only `complete` may close a vulnerability."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETE = "complete"
    PARTIAL = "partial"
    """It ran and was read in part: the output ended early or was over its limit."""
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {ScanState.PENDING, ScanState.RUNNING}


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """The content of a `tool.yaml`, checked."""

    name: str
    title: str
    purpose: str
    """What it adds, one sentence; `doctor` says it where the tool is missing."""
    target_kinds: tuple[str, ...]
    """What one run takes: any of `host`, `service` (host and port), `url`, `repository`, `image`."""
    role: str
    """The worker role that runs it: `recon` or `scan`."""
    timeout_s: int
    intrusiveness: Intrusiveness
    weight: int = 1
    cpu: float = 0.5
    """Processors that one run keeps busy."""
    memory_mb: int = 256
    """Memory that one run needs."""
    examines: tuple[Topic, ...] = ()
    """What a complete scan of it is evidence for."""
    techniques: tuple[str, ...] = ()
    """MITRE ATT&CK technique ids."""
    fingerprint_fields: tuple[str, ...] = ()
    """Names in `Observation.attributes` that tell two flaws of one rule at one place apart."""
    exit_codes: Mapping[int, str] = field(default_factory=dict)
    """Exit codes that mean the tool did its work, and what each says."""
    nothing: tuple[int, ...] = ()
    """Those of them with which it says that there was nothing to look at, and may write no result."""
    remedies: Mapping[int, str] = field(default_factory=dict)
    """What to do about other exit codes, where they say what went wrong."""
    trouble: str = ""
    """Pattern of a line in its log by which it says that it did not look everywhere, whatever its exit code."""
    sees: tuple[str, ...] = ()
    """Weaknesses that it looks for, by their shared names; that it does not see one says little."""
    settles: tuple[str, ...] = ()
    """Weaknesses that it measures: where a complete run does not tell of one, it is not there."""
    install: Mapping[str, Any] = field(default_factory=dict)
    imports: bool = False
    """Whether it runs no program and reads the artifact that its option of that name gives."""
    shares: bool = False
    """Whether that artifact is a file of a known format, which tells of many targets: one run reads it for all."""
    changes: bool = False
    """Whether it changes something at its target, and so has an undo."""
    approval: bool = False
    """Whether it runs only once a second person has approved it, whatever its profile says."""
    instructions: str = ""
    """What a person does by hand when the undo keeps failing; may name {host}, {address}, {port}, {url}, {mark}."""


@dataclass(frozen=True, slots=True)
class ToolTarget:
    """What one run is pointed at. `address` has been checked against the authorisation."""

    host: str
    """Name or address as the user wrote it."""
    address: str
    """The checked address that the tool connects to; never resolved again."""
    port: int = 0
    url: str = ""
    kind: str = ""
    """Of the target, where its kind says what to do with it: `repository` or `image`."""


@dataclass(frozen=True, slots=True)
class ToolJob:
    """One run of one tool."""

    tool: str
    target: ToolTarget
    options: Mapping[str, Any]
    """Validated by the tool's own option model."""
    timeout_s: float
    work: Path
    """An existing, empty folder for this run alone."""
    mark: str = ""
    """Names what this run changes, the same for its undo; empty for tools that change nothing."""
    until: datetime | None = None
    """Nothing is sent from then on, whatever came before the tool: a test window closes, or the contract ends."""

    def left(self, now: datetime) -> float:
        """Seconds that it may run."""
        return self.timeout_s if self.until is None else min(self.timeout_s, (self.until - now).total_seconds())


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """How a running tool is doing; ages count from these moments."""

    started_at: datetime
    output_bytes: int
    last_output_at: datetime | None


@dataclass(frozen=True, slots=True)
class ToolRun:
    """How a run ended. `state` is COMPLETE only where the exit code is one the tool declares."""

    state: ScanState
    reason: str
    """Empty when complete, else one sentence a user can act on."""
    output: Path | None
    """The file to parse, inside the work folder."""
    exit_code: int | None = None
    version: str = ""
    executable_sha256: str = ""
    log: Path | None = None
    """What the tool wrote on standard error and, if not its result, on standard output."""
    command: tuple[str, ...] = ()
    revision: str = ""
    """The commit that was looked at, of a repository."""
    cut_short: bool = False
    """Whether the job's `until` ended it, not its own time, or came before it was known why the tool failed."""


@dataclass(frozen=True, slots=True)
class ToolStatus:
    """Whether a tool can be used here."""

    name: str
    title: str
    usable: bool
    version: str
    detail: str
    """Where it was found, or why it cannot be used and the remedy."""
    purpose: str


class ToolCatalogue(Protocol):
    """The tools that are installed as plugins, whether or not their programs are there."""

    def names(self) -> tuple[str, ...]:
        """All tool names, sorted."""
        ...

    def spec(self, name: str) -> ToolSpec:
        """One tool.

        Raises:
            InvalidInputError: no such tool; the remedy lists the known ones.
        """
        ...

    def validate_options(self, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Options filled with defaults, as plain JSON values.

        Raises:
            InvalidInputError: names the option, the value and what is allowed.
        """
        ...

    def parse(self, name: str, output: Path, options: Mapping[str, Any] | None = None) -> Iterator[Observation]:
        """Read a run's output lazily; an import's own options may say how.

        Raises:
            ParseError: after everything that could be read has been yielded.
        """
        ...

    def formats(self) -> tuple[ImportFormat, ...]:
        """What can be imported, sorted by name."""
        ...

    def recognise(self, head: bytes, wanted: str = "") -> ImportFormat:
        """The format of a file that begins with these bytes, or the one that was asked for.

        Raises:
            InvalidInputError: it fits none, or several; the remedy lists all.
        """
        ...

    def status(self, name: str) -> ToolStatus:
        """Whether the tool's program is there; probes its version."""
        ...


class ToolRunner(Protocol):
    """Runs tools as processes under the guardian."""

    async def run(self, job: ToolJob, progress: Callable[[ToolProgress], None]) -> ToolRun:
        """Run to the end, the time-out or cancellation; cancelling kills the whole process tree.

        Never raises for what the tool did: missing, crashed and hanging tools are states with reasons.
        """
        ...


class UndoRunner(Protocol):
    """Runs their undos the same way."""

    async def undo(self, job: ToolJob, progress: Callable[[ToolProgress], None]) -> ToolRun:
        """Take back what the run of this job changed; complete only where its program ended with code 0."""
        ...
