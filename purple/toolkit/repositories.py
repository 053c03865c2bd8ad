"""Fetches the code of a repository for tools to look at, and trusts nothing that it holds.

Git runs under the guardian, with a configuration that is ours alone: one protocol, the checked address, no redirect, no
prompt, no credentials, no hooks, no submodules. Before a file is written its repository's list of files is measured.
Links are written as the text they are, and what the repository says of its own files (filters, encodings, "this is
binary") counts for nothing.
"""

import asyncio
import re
import signal
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.isolation import Isolation, Start
from purple.domain.targets import authority
from purple.domain.tools import ToolJob
from purple.toolkit.adapter import CODE, HISTORY
from purple.toolkit.isolation import NoIsolation
from purple.toolkit.packages import Found, find_program
from purple.toolkit.process import Guardians, Limits, bare_environment

ATTRIBUTES = "* -text -ident -filter -eol -working-tree-encoding !diff !merge\n"
"""Stands over every `.gitattributes`: files come as they were committed, and a secret in a file that its repository
calls binary is still text to whoever looks for secrets."""
CONFIGURATION = "gitconfig"
_STALLED_S = 60
_SAID = 300
_COMMIT = re.compile(r"[0-9a-f]{40,64}\Z")
_SUBMODULE = "160000"
_LINE = 400
"""Bytes of one file in a listing, on average and generously."""


class NotFetchedError(PurpleError):
    """The repository could not be had; `ended` is how Git ended, or None where it was not asked."""

    code = "not-fetched"
    title = "Repository not fetched"

    def __init__(self, detail: str, *, remedy: str = "", ended: int | None = None) -> None:
        super().__init__(detail, remedy=remedy)
        self.ended = ended


@dataclass(frozen=True, slots=True)
class Room:
    """What a repository may take."""

    size_mb: int = 1024
    """Of its history as it is sent, and of its files as they are written, each."""
    files: int = 200_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was brought."""

    commit: str
    """That the files are of."""
    environment: Mapping[str, str]
    """With which a tool finds Git itself, and Git nobody's configuration."""


class Repositories:
    """Brings code to a run's work folder."""

    def __init__(
        self,
        cache: Path,
        guardians: Guardians,
        *,
        folders: Sequence[Path] = (),
        authorities: Path | None = None,
        room: Room | None = None,
        memory_mb: int = 4096,
        isolation: Callable[[], Isolation] = NoIsolation,
    ) -> None:
        """Say what is allowed.

        Args:
            cache: the folder for downloads, where Git itself may have to come from.
            guardians: what Git runs under.
            folders: folders of this machine whose repositories may be scanned.
            authorities: certificates that servers may be signed with, in place of the machine's.
            room: what one repository may take.
            memory_mb: what Git may take.
            isolation: what Git runs under beside.
        """
        self._cache = cache
        self._guardians = guardians
        self._folders = tuple(folders)
        self._authorities = authorities
        self._room = room or Room()
        self._memory = memory_mb * 1024**2
        self._isolation = isolation

    async def fetch(self, job: ToolJob, history: int) -> Fetched:
        """Write files to `CODE` and commits to `HISTORY` in the work folder.

        Args:
            job: its target is the repository.
            history: how many commits to fetch; 0 for the history of every branch.

        Raises:
            InvalidInputError: it is none that is fetched.
            NotFetchedError: it is not there, too large, or too slow.
            PackagesUnavailableError: there is no Git.
        """
        source = self._source(job)
        git = await asyncio.to_thread(find_program, "git", packages=("git",), cache=self._cache)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=job.work) as scratch:
            (Path(scratch) / CONFIGURATION).write_text(self._configuration(job, source) + "\n", encoding="utf-8")
            given = [source] if source.startswith("/") else [*filter(None, [self._authorities])]
            start = Start((str(git.path),), _environment(git, Path(scratch)), job.work, reads=tuple(map(Path, given)))
            isolation = await asyncio.to_thread(self._isolation)
            run = _Git(start, isolation, self._guardians, Path(scratch), self._limits(job))
            bare = job.work / HISTORY
            depth = [f"--depth={history}", "--single-branch"] if history else []
            await run("clone", "--bare", "--no-local", "--template=", "--quiet", *depth, "--", source, str(bare))
            (bare / "info").mkdir(exist_ok=True)
            (bare / "info/attributes").write_text(ATTRIBUTES, encoding="utf-8")
            commit = (await run(f"--git-dir={bare}", "rev-parse", "--verify", "HEAD^{commit}")).decode().strip()
            if not _COMMIT.match(commit):
                raise NotFetchedError(f"{source} has no commit")
            listing = [f"--git-dir={bare}", "ls-tree", "-r", "-l", "-z", "--full-tree", commit]
            self._measure(source, await run(*listing, most=self._room.files * _LINE))
            code = job.work / CODE
            code.mkdir()
            placed = (f"--git-dir={bare}", f"--work-tree={code}")
            await run(*placed, "read-tree", commit)
            await run(*placed, "checkout-index", "--all", "--force", "--quiet", at=code)
        return Fetched(commit, _for_tools(git))

    def _source(self, job: ToolJob) -> str:
        """What Git is told to clone: an https URL, or the real path of a folder that the settings allow."""
        url, value = job.target.url, job.target.host
        if url:
            if urlsplit(url).scheme != "https":
                raise InvalidInputError(
                    f"{url} would be fetched without protection",
                    field="target",
                    value=url,
                    remedy="register it by its https URL",
                )
            return url
        if not value.startswith("/"):
            raise InvalidInputError(
                f"{value} is neither an https URL nor a folder",
                field="target",
                value=value,
                remedy="register it by its https URL",
            )
        real = Path(value).resolve()
        allowed = [each.resolve() for each in self._folders]
        if not any(real.is_relative_to(each) for each in allowed):
            raise InvalidInputError(
                f"{value} is not below a folder whose repositories may be scanned",
                field="target",
                value=value,
                remedy="name its folder in PURPLE_TOOLS__REPOSITORIES, if whoever registers targets may read it",
            )
        if not real.is_dir() or (real / ".git").is_file() or (real / ".git").is_symlink():
            raise NotFetchedError(f"{value} is no repository with a history of its own")
        return str(real)

    def _configuration(self, job: ToolJob, source: str) -> str:
        local = source.startswith("/")
        lines = [
            *("[core]", "hooksPath = /dev/null", "attributesFile = /dev/null", "symlinks = false", "fsmonitor = false"),
            *("protectHFS = true", "protectNTFS = true", "bigFileThreshold = 32m", "[init]", "templateDir ="),
            *("[protocol]", "allow = never", f'[protocol "{"file" if local else "https"}"]', "allow = always"),
            *(
                "[credential]",
                "helper =",
                "[submodule]",
                "recurse = false",
                "[fetch]",
                "recurseSubmodules = false",
                "unpackLimit = 1",
            ),
            *("[gc]", "auto = 0", "[maintenance]", "auto = false", "[transfer]", "bundleURI = false"),
            *("[pack]", "threads = 1"),
        ]
        if local:  # it may belong to somebody else: its own configuration and hooks are not read, only its objects
            return "\n".join(
                [*lines, "[safe]", f"directory = {_quoted(source)}", f"directory = {_quoted(source)}/.git"]
            )
        lines += ["[http]", "followRedirects = false", "lowSpeedLimit = 1", f"lowSpeedTime = {_STALLED_S}", "proxy ="]
        port = job.target.port or 443
        lines.append(f"curloptResolve = {_quoted(f'{job.target.host}:{port}:{authority(job.target.address, None)}')}")
        if self._authorities:
            lines.append(f"sslCAInfo = {_quoted(str(self._authorities))}")
        return "\n".join(lines)

    def _limits(self, job: ToolJob) -> Limits:
        return Limits(job.timeout_s, self._memory, self._room.size_mb * 1024**2)

    def _measure(self, source: str, listing: bytes) -> None:
        """Refuse what is too large before any of it is written."""
        size = files = 0
        for entry in listing.split(b"\0"):
            mode, _, rest = entry.partition(b" ")
            if mode and mode.decode() != _SUBMODULE:
                files += 1
                digits = rest.partition(b"\t")[0].split()[-1]
                size += int(digits) if digits.isdigit() else 0
        if files > self._room.files or size > self._room.size_mb * 1024**2:
            raise NotFetchedError(
                f"{source} holds {files} files of {size // 1024**2} MB,"
                f" more than {self._room.files} files or {self._room.size_mb} MB",
                remedy="raise PURPLE_TOOLS__REPOSITORY_MB or PURPLE_TOOLS__REPOSITORY_FILES if that is meant",
            )


class _Git:
    """Git as it is run for one fetch."""

    def __init__(self, start: Start, isolation: Isolation, guardians: Guardians, scratch: Path, limits: Limits) -> None:
        self._start = start
        self._isolation = isolation
        self._guardians = guardians
        self._scratch = scratch
        self._limits = limits
        self._deadline = asyncio.get_running_loop().time() + limits.wall_s

    async def __call__(self, *arguments: str, at: Path | None = None, most: int | None = None) -> bytes:
        """What it prints; `most` bytes a file in place of the room that a repository has.

        Raises:
            NotFetchedError: it failed, or the time is over.
        """
        out, err = self._scratch / "out", self._scratch / "err"
        left = max(0.1, self._deadline - asyncio.get_running_loop().time())
        plain = replace(self._start, argv=(*self._start.argv, *arguments))
        start = await asyncio.to_thread(self._isolation.around, plain)
        ended = await self._guardians.run(
            start.argv,
            work=at or self._scratch,
            environment=start.environment,
            limits=Limits(left, self._limits.memory_bytes, most or self._limits.file_bytes),
            stdout=out,
            stderr=err,
        )
        if ended.timed_out:
            raise NotFetchedError(f"fetching took longer than {self._limits.wall_s:.0f} s", ended=ended.code)
        if ended.code:
            unstarted = self._isolation.complaint(ended.code, err)
            said = f"Git was not started: {unstarted}" if unstarted else self._complaint(err, ended.code)
            raise NotFetchedError(said, ended=ended.code)
        return out.read_bytes()

    def _complaint(self, err: Path, code: int) -> str:
        said = err.read_bytes()[-8192:].decode(errors="replace").strip()
        killed = code == 128 + signal.SIGXFSZ or "invalid index-pack output" in said
        if killed:  # by the kernel, at the limit of a file's size; nobody says so
            return f"the repository is larger than {self._limits.file_bytes // 1024**2} MB, or damaged"
        what = " / ".join(line for line in said.splitlines() if line.startswith(("fatal:", "error:")))[-_SAID:]
        return f"Git could not fetch it: {what or f'it ended with code {code}'}"


def _environment(git: Found, scratch: Path) -> Mapping[str, str]:
    told = {
        **git.environment,
        "GIT_CONFIG_GLOBAL": str(scratch / CONFIGURATION),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_SSH_COMMAND": "/bin/false",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }
    return bare_environment(scratch, told)


def _for_tools(git: Found) -> dict[str, str]:
    folder, usual = str(git.path.parent), bare_environment(git.path.parent, {})["PATH"]
    return {
        "PATH": usual if folder in usual.split(":") else f"{folder}:{usual}",
        **{name: value for name, value in git.environment.items() if name != "PATH"},
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
    }


def _quoted(text: str) -> str:
    """A value as Git's configuration writes it; no line break ends it early."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
