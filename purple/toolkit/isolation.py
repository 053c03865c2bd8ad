"""Isolation of tools by bubblewrap: namespaces and a file system of their own, as root or not.

Sources: bwrap(1) of bubblewrap 0.8, namespaces(7), capabilities(7).
"""

import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from purple.domain.errors import PackagesUnavailableError, UnavailableError
from purple.domain.isolation import Isolation, Start
from purple.toolkit.packages import Found, find_program
from purple.toolkit.process import bare_environment

PROGRAM, PACKAGE = "bwrap", "bubblewrap"
PROBE_S = 10
PRIVATE = (Path("/tmp"), Path("/var/tmp"), Path("/run"))  # noqa: S108 - hidden, not used
"""What a tool gets an empty one of: files of others, and the sockets of the machine's services."""
KEYS = (".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".config", ".netrc", ".git-credentials", ".pgpass")
"""In the home of whoever runs the worker."""
NAMES = Path("/etc/resolv.conf")
"""Often a link into `/run`, and still to be read."""
ALWAYS = (
    *("--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
    *("--unshare-cgroup-try", "--cap-drop", "ALL"),
)
RAW = ("--cap-add", "CAP_NET_RAW", "--cap-add", "CAP_NET_BIND_SERVICE")
"""What root keeps: raw sockets, as port scanners open them. Who is not root has none to lose."""
ANYBODYS = ("--cap-add", "CAP_DAC_OVERRIDE")
"""What root keeps where it is given files of others to read."""
REMEDY = "install bubblewrap, or run `purple tool install bubblewrap`"
SAID = 300
_ASK = """
import json, sys
from pathlib import Path
from purple.toolkit.isolation import Isolations, View
wanted, folder, cache = json.loads(sys.argv[1])
view = View(*(tuple(map(Path, paths)) for paths in json.loads(sys.argv[2])))
print(getattr(Isolations(wanted, Path(folder), Path(cache), view).seen(), "why", ""), end="")
"""
"""What another user is asked: why there is none, or nothing."""


@dataclass(frozen=True, slots=True)
class View:
    """Which parts of the machine tools see. The nearest folder above a file decides."""

    hidden: tuple[Path, ...] = ()
    """Folders that are empty to them, and files that they cannot read."""
    shown: tuple[Path, ...] = ()
    """Folders that they read wherever these lie; one that is hidden itself stays hidden."""


@dataclass(frozen=True, slots=True)
class NoIsolation:
    """Tools run with the rights of the worker."""

    why: str = "PURPLE_TOOLS__ISOLATION is none"
    name = "none"

    @property
    def detail(self) -> str:
        """Why."""
        return f"tools may do what the worker may: {self.why}"

    def around(self, start: Start) -> Start:
        """As it is."""
        return start

    def complaint(self, code: int, stderr: Path) -> str:  # noqa: ARG002 - there is nobody to complain
        """Nothing."""
        return ""


@dataclass(frozen=True)
class Bubblewrap:
    """Each tool in namespaces of its own. The network is the machine's: scanners need it."""

    program: Found
    view: View = View()
    name = "bubblewrap"

    @cached_property
    def detail(self) -> str:
        """What it holds."""
        return (
            f"{self.program.path}: files are read-only but a tool's work folder; the stack's home, other scans and /tmp"
            " are hidden; own processes; the network is the machine's"
        )

    def around(self, start: Start) -> Start:
        """Bubblewrap's command line; it runs the program where it is started itself."""
        argv = [str(self.program.path), *ALWAYS]
        if os.geteuid() == 0:
            argv += [*RAW, *(ANYBODYS if start.reads else ())]
        argv += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", *self._places(start)]
        for name in self.program.environment:  # with which only bubblewrap itself finds its libraries
            told = start.environment.get(name)
            argv += ["--unsetenv", name] if told is None else ["--setenv", name, told]
        environment = {**start.environment, **self.program.environment}
        return replace(start, argv=(*argv, "--", *start.argv), environment=environment)

    def complaint(self, code: int, stderr: Path) -> str:
        """Bubblewrap ends with 1, as many tools do, and says who it is."""
        if code != 1:
            return ""
        with stderr.open("rb") as file:
            first = file.read(SAID).decode(errors="replace").split("\n")[0]
        return first if first.startswith(f"{PROGRAM}: ") else ""

    def trouble(self) -> str:
        """Why it does not work here; nothing where it does."""
        with tempfile.TemporaryDirectory() as scratch:
            start = Start(("/bin/true",), bare_environment(Path(scratch), {}), Path(scratch))
            made = self.around(start)
            try:
                done = subprocess.run(
                    made.argv,
                    env=dict(made.environment),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=PROBE_S,
                    check=False,
                )
            except (OSError, subprocess.SubprocessError) as error:
                return str(error)
        return done.stderr.strip()[:SAID] or f"it ended with code {done.returncode}" if done.returncode else ""

    def _places(self, start: Start) -> Iterator[str]:
        """What stands over the read-only root, outer folders first."""
        hidden = {path.resolve() for path in (*PRIVATE, *self.view.hidden, *_keys()) if _there(path)}
        places = {path: _nothing_at(path) for path in hidden}
        program = Path(start.argv[0])
        shown = (*self.view.shown, NAMES, program.parent, program.resolve().parent)
        seen = {path.resolve() for path in shown} - hidden | {path.resolve() for path in start.reads}
        for real in seen:
            if _there(real) and not hidden.isdisjoint((real, *real.parents)):
                places[real] = ("--ro-bind", str(real), str(real))
        for path in (*start.writes, start.work):
            if _there(real := path.resolve()):
                places[real] = ("--bind", str(real), str(real))
        for path in sorted(places):
            yield from places[path]


def _there(path: Path) -> bool:
    """What cannot be looked for is not there: whoever runs the worker does not see it, nor do its tools."""
    return os.access(path, os.F_OK)


def _nothing_at(path: Path) -> tuple[str, ...]:
    return ("--tmpfs", str(path)) if path.is_dir() else ("--ro-bind", "/dev/null", str(path))


def _keys() -> Iterator[Path]:
    try:
        home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:  # a container's user may have no name
        return
    yield from (home / each for each in KEYS)


class Isolations:
    """Which isolation is in force in this process.

    It is looked for until it is found: on a new machine the first worker may start before the program is there.
    """

    def __init__(
        self, wanted: Literal["auto", "bubblewrap", "none"], folder: Path, cache: Path, view: View = View()
    ) -> None:
        """Say what is wanted.

        Args:
            wanted: `auto` for bubblewrap where it works.
            folder: where tools are installed.
            cache: where packages are.
            view: what tools see.
        """
        self._wanted = wanted
        self._mark = folder / f"{PACKAGE}.packages"
        self._cache = cache
        self._view = view
        self._settled: Isolation | None = None

    def now(self) -> Isolation:
        """The one to run tools under.

        Raises:
            UnavailableError: bubblewrap is demanded and does not work here.
        """
        if self._settled is None:
            found, lasts = self._look()
            if found.name == "none" and self._wanted == PACKAGE:
                raise UnavailableError(
                    f"PURPLE_TOOLS__ISOLATION demands bubblewrap; {found.detail}",
                    remedy="make it work, or set PURPLE_TOOLS__ISOLATION to auto or none",
                )
            self._settled = found if lasts else None
            return found
        return self._settled

    def seen(self) -> Isolation:
        """What is found now, whatever is demanded."""
        return self._look()[0]

    def seen_by(self, user: int, group: int) -> Isolation:
        """What a worker of another user and group finds now, as only root can ask."""
        told = [self._wanted, str(self._mark.parent), str(self._cache)]
        views = [[str(path) for path in paths] for paths in (self._view.hidden, self._view.shown)]
        try:
            done = subprocess.run(
                [sys.executable, "-c", _ASK, json.dumps(told), json.dumps(views)],
                user=user,
                group=group,
                extra_groups=[],
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=2 * PROBE_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return NoIsolation(f"user {user} could not be asked: {error}")
        return NoIsolation(done.stdout) if done.stdout else Bubblewrap(self._find(), self._view)

    def _look(self) -> tuple[Isolation, bool]:
        """What there is, and whether it stays so while this process runs."""
        if self._wanted == "none":
            return NoIsolation(), True
        try:
            made = Bubblewrap(self._find(), self._view)
        except PackagesUnavailableError:
            return NoIsolation(f"bubblewrap is not here: {REMEDY}"), False
        if trouble := made.trouble():
            why = f"bubblewrap does not work here ({trouble}): allow user namespaces to whoever runs the worker"
            return NoIsolation(why), True
        return made, True

    def install(self, say: Callable[[str], None]) -> Isolation:
        """Get the program where it is wanted and not here.

        Raises:
            PackagesUnavailableError: it cannot be had.
        """
        if self._wanted != "none":
            self._mark.parent.mkdir(parents=True, exist_ok=True)
            find_program(PROGRAM, packages=(PACKAGE,), cache=self._cache, say=say)
            self._mark.touch()
        return self.seen()

    def _find(self) -> Found:
        packages = (PACKAGE,) if self._mark.exists() else ()
        return find_program(PROGRAM, packages=packages, cache=self._cache)
