"""Runs a tool of the catalogue under the guardian and says how it went."""

import asyncio
import contextlib
import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from purple.domain.clock import Clock
from purple.domain.errors import PurpleError
from purple.domain.isolation import Isolation, Start
from purple.domain.targets import TargetKind
from purple.domain.tools import ScanState, ToolJob, ToolProgress, ToolRun
from purple.toolkit.adapter import Command, ToolOptions, command_of
from purple.toolkit.isolation import NoIsolation
from purple.toolkit.packages import Found
from purple.toolkit.process import Guardians, Limits, bare_environment
from purple.toolkit.repositories import Fetched, Repositories
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.plugins import Plugin

_SIGNAL = 128
_TAIL = 300
_LOG_HALF = 512 * 1024


@lru_cache(maxsize=64)
def _digest(path: Path, mtime_ns: int, size: int) -> str:  # noqa: ARG001 - they key the cache
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 of a program in hexadecimal, read once for each version of the file."""
    status = path.stat()
    return _digest(path, status.st_mtime_ns, status.st_size)


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def _lay_out(work: Path, command: Command) -> None:
    """What the tool reads, and the folders that it keeps; one that cannot be made it will complain of itself."""
    for name, text in command.files.items():
        (work / name).write_text(text, encoding="utf-8")
    for folder in command.keeps:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)


class GuardedRunner:
    """See `domain.tools.ToolRunner`."""

    def __init__(
        self,
        catalogue: Catalogue,
        clock: Clock,
        guardians: Guardians,
        *,
        memory_mb: int,
        output_mb: int,
        repositories: Repositories | None = None,
        isolation: Callable[[], Isolation] = NoIsolation,
    ) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._guardians = guardians
        self._repositories = repositories
        self._isolation = isolation
        self._memory = memory_mb * 1024**2
        self._output = output_mb * 1024**2
        self._versions: dict[tuple[str, str], str] = {}

    async def run(self, job: ToolJob, progress: Callable[[ToolProgress], None]) -> ToolRun:
        """Run once."""
        return await self._run(job, progress)

    async def undo(self, job: ToolJob, progress: Callable[[ToolProgress], None]) -> ToolRun:
        """The same program with the undo's arguments."""
        return await self._run(job, progress, undo=True)

    async def _run(self, job: ToolJob, progress: Callable[[ToolProgress], None], *, undo: bool = False) -> ToolRun:
        plugin = self._catalogue.plugin(job.tool)
        cut_short = (left := job.left(self._clock.now())) < job.timeout_s
        job = replace(job, timeout_s=left)
        ends = asyncio.get_running_loop().time() + left
        try:
            options = plugin.adapter.Options.model_validate(dict(job.options))
            found = await asyncio.to_thread(self._catalogue.programs.find, plugin)
            digest = await asyncio.to_thread(sha256_of, found.path)
            version = await self._version(plugin, found, digest)
            code = await self._code(job, options)
            command = await asyncio.to_thread(command_of, plugin.adapter, job, undo=undo)
            isolation = await asyncio.to_thread(self._isolation)
        except PurpleError as error:
            return ToolRun(ScanState.FAILED, error.line(), None, getattr(error, "ended", None))
        await asyncio.to_thread(_lay_out, job.work, command)
        stdout, stderr = job.work / "stdout", job.work / "stderr"
        output = stdout if command.output == "stdout" else job.work / command.output
        argv = (str(found.path), *command.arguments)
        environment = bare_environment(job.work, {**code.environment, **found.environment, **command.environment})
        started = await asyncio.to_thread(isolation.around, Start(argv, environment, job.work, command.keeps))
        left = ends - asyncio.get_running_loop().time()
        ended = await self._guardians.run(
            started.argv,
            work=job.work,
            environment=started.environment,
            limits=Limits(left, self._memory, self._output),
            stdout=stdout,
            stderr=stderr,
            poll=self._poll((output, stdout, stderr), progress),
        )
        log = await asyncio.to_thread(self._log, job.work, output, stdout, stderr)
        present = output if output.exists() and output.stat().st_size else None
        if ended.timed_out:
            state, reason = ScanState.TIMED_OUT, f"still running after {job.timeout_s:g} s, and was killed"
        elif unstarted := isolation.complaint(ended.code, stderr):
            state, reason = ScanState.FAILED, f"{plugin.spec.title} was not started: {unstarted}"
        elif undo:
            state, reason = self._judge_undo(plugin, ended.code, log)
        else:
            state, reason = self._judge(plugin, ended.code, present, log)
        if (flooded := self._flooded(output, stdout, stderr)) and state is not ScanState.TIMED_OUT:
            # whatever its exit code: what it would have said after that is not known
            state = ScanState.PARTIAL if present else ScanState.FAILED
            reason = f"{plugin.spec.title} wrote more than {self._output // 1024**2} MB to {flooded} and was cut off"
        return ToolRun(
            state, reason, present, ended.code, version, digest, log, argv, code.commit, ended.timed_out and cut_short
        )

    async def _version(self, plugin: Plugin, found: Found, digest: str) -> str:
        """Of the program; one whose bytes are the same is not asked again.

        A script is: it may stay as it is while what it starts is upgraded.
        """
        asked = plugin.spec.name, digest
        if (known := self._versions.get(asked)) is not None:
            return known
        version = await asyncio.to_thread(self._catalogue.programs.version, plugin, found)
        if not await asyncio.to_thread(_is_script, found.path):
            self._versions[asked] = version
        return version

    async def _code(self, job: ToolJob, options: ToolOptions) -> Fetched:
        """What was fetched for the run, of a target that is a repository."""
        if job.target.kind != TargetKind.REPOSITORY:
            return Fetched("", {})
        if self._repositories is None:
            raise PurpleError("this worker fetches no repositories", remedy="run it with the settings of the platform")
        return await self._repositories.fetch(job, getattr(options, "history", 1))

    def _poll(self, files: tuple[Path, ...], progress: Callable[[ToolProgress], None]) -> Callable[[], None]:
        started = self._clock.now()

        def look() -> None:
            stats = [path.stat() for path in files if path.exists()]
            size = sum(each.st_size for each in stats)
            last = max((each.st_mtime for each in stats if each.st_size), default=None)
            progress(ToolProgress(started, size, datetime.fromtimestamp(last, UTC) if last else None))

        return look

    def _judge(self, plugin: Plugin, code: int, output: Path | None, log: Path) -> tuple[ScanState, str]:
        title = plugin.spec.title
        if code not in plugin.spec.exit_codes:
            remedy = plugin.spec.remedies.get(code, "")
            return ScanState.FAILED, f"{title} {_how(code)}{_tail(log)}{f' — {remedy}' if remedy else ''}"
        if output is None and code in plugin.spec.nothing:
            return ScanState.COMPLETE, ""
        if output is None:
            return ScanState.FAILED, f"{title} ended with code {code} and wrote no result{_tail(log)}"
        if line := _line_with(log, plugin.spec.trouble):
            return ScanState.PARTIAL, f"{title} did not look everywhere: {line}"
        return ScanState.COMPLETE, ""

    @staticmethod
    def _judge_undo(plugin: Plugin, code: int, log: Path) -> tuple[ScanState, str]:
        if code:
            return ScanState.FAILED, f"the undo of {plugin.spec.title} {_how(code)}{_tail(log)}"
        return ScanState.COMPLETE, ""

    def _flooded(self, output: Path, stdout: Path, stderr: Path) -> str:
        """Which of its files a tool filled to the limit, where the kernel stops it."""
        names = {stderr: "standard error", stdout: "standard output", output: "its output"}
        return next((name for path, name in names.items() if path.exists() and path.stat().st_size >= self._output), "")

    @staticmethod
    def _log(work: Path, output: Path, stdout: Path, stderr: Path) -> Path:
        """Standard error, after standard output where that is not the result; of each the beginning and the end."""
        log = work / "log"
        with log.open("wb") as file:
            for part in (stdout, stderr):
                if part != output:
                    with part.open("rb") as source:
                        file.write(source.read(_LOG_HALF))
                        left_out = part.stat().st_size - 2 * _LOG_HALF
                        if left_out > 0:
                            file.write(f"\n[{left_out} bytes left out]\n".encode())
                            source.seek(left_out, os.SEEK_CUR)
                        file.write(source.read(_LOG_HALF))
        return log


def _line_with(log: Path, pattern: str) -> str:
    """The first line of a log in which a pattern is found."""
    if not pattern:
        return ""
    with log.open(encoding="utf-8", errors="replace") as lines:
        return next((line.strip()[:_TAIL] for line in lines if re.search(pattern, line)), "")


def _how(code: int) -> str:
    return f"was ended by signal {code - _SIGNAL}" if code > _SIGNAL else f"ended with code {code}"


def _tail(log: Path) -> str:
    """The last words of a log, as the end of a sentence."""
    said = _end_of(log, 4 * _TAIL).strip()[-_TAIL:].strip()
    return f": {' / '.join(said.split(chr(10)))}" if said else ""


def _end_of(path: Path, size: int) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read().decode(errors="replace")
