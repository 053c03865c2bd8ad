"""Programs of the distribution without side effects: nothing is installed, started or enabled, no root is needed.

A package's whole closure is downloaded with apt-get on a state of its own, checked by apt's signatures, and unpacked
into one folder of the cache. Programs run from there with the environment that `PackageRoot.environment` gives.
A program that the machine already has is used instead.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from purple.domain.errors import PackagesUnavailableError
from purple.settings.paths import default_cache

PROGRAM_FOLDERS = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin", "usr/games")
LISTS_AGE_S = 24 * 3600
"""Package lists younger than this are not fetched again, unless a download fails with them."""
KEEP_OUT = frozenset({"libc6", "libc-bin", "libcrypt1", "usr-is-merged", "usrmerge"})
"""Beside the essential packages: a program must run on the C library of the machine whose loader starts it."""


@dataclass(frozen=True, slots=True)
class PackageRoot:
    """Unpacked packages; `path` is laid out like `/`."""

    path: Path

    def which(self, program: str) -> Path | None:
        """Where a program of these packages is, or nothing."""
        folders = [self.path / each for each in PROGRAM_FOLDERS]
        folders += sorted(self.path.glob("usr/lib/jvm/*/bin"), reverse=True)  # alternatives are never set up here
        for each in folders:
            if os.access(each / program, os.X_OK):
                return each / program
        return None

    def environment(self) -> dict[str, str]:
        """The variables with which its programs find their libraries and data; add them to your own."""
        libraries = {each.parent for each in self.path.rglob("lib*.so.*") if not {"jvm", "gdb"} & set(each.parts)}
        found = {"LD_LIBRARY_PATH": ":".join(sorted(map(str, libraries)))} if libraries else {}
        for variable, place in (
            ("NMAPDIR", "usr/share/nmap"),
            ("FONTCONFIG_FILE", "etc/fonts/purple.conf"),
            ("GIT_EXEC_PATH", "usr/lib/git-core"),
            ("TESTSSL_INSTALL_DIR", "etc/testssl"),
        ):
            if (self.path / place).exists():
                found[variable] = str(self.path / place)
        if (self.path / "etc/testssl").exists():  # a script that calls openssl, hexdump and more
            found["PATH"] = f"/usr/local/bin:/usr/bin:/bin:{self.path / 'usr/bin'}"
        if (self.path / "usr/bin/ruby").exists():
            found |= self._ruby()
        return found

    def _ruby(self) -> dict[str, str]:
        """Ruby looks for its library in the places it was built for, and its scripts for it on the path."""
        folders = [*self.path.glob("usr/lib/ruby/*.*"), *self.path.glob("usr/lib/*/ruby/*.*")]
        folders += [self.path / "usr/lib/ruby/vendor_ruby", *self.path.glob("usr/lib/*/ruby/vendor_ruby/*.*")]
        return {
            "PATH": f"{self.path / 'usr/bin'}:/usr/local/bin:/usr/bin:/bin",
            "RUBYLIB": ":".join(sorted(str(each) for each in folders if each.is_dir())),
            "GEM_PATH": str(self.path / "usr/share/rubygems-integration/all"),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A program, and what to add to its environment."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)


def find_program(
    name: str, *, packages: tuple[str, ...] = (), cache: Path | None = None, say: Callable[[str], None] | None = None
) -> Found:
    """A program: the machine's own, else out of `packages`, which are fetched where that is possible.

    Args:
        name: the program's file name.
        packages: Debian packages that hold it; none to look on the machine only.
        cache: the folder for downloads; the user's by default.
        say: told in one sentence what takes time.

    Raises:
        PackagesUnavailableError: it cannot be had; the remedy names what to install.
    """
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    own = shutil.which(name, path=search)
    if own:
        return Found(Path(own))
    if not packages:
        raise PackagesUnavailableError(f"the program {name} is not on this machine", remedy=f"install {name}")
    root = DebianPackages(cache or default_cache(), say).ensure(*packages)
    program = root.which(name)
    if program is None:
        raise PackagesUnavailableError(f"the packages {' '.join(packages)} hold no program {name}")
    return Found(program, root.environment())


class DebianPackages:
    """Folders of unpacked packages in a cache, one for each set of names."""

    def __init__(self, cache: Path, say: Callable[[str], None] | None = None) -> None:
        self._folder = cache / "packages"
        self._say = say or (lambda _: None)

    def ensure(self, *names: str) -> PackageRoot:
        """The packages with everything they depend on; downloaded at the first call, which takes seconds to minutes.

        Two processes that ask at once build once. A folder is whole or not there.

        Raises:
            PackagesUnavailableError: not a Debian or Ubuntu, no such package, or no network; the remedy says what
                to install.
        """
        wanted, root = sorted(set(names)), self._root(names)
        if root.exists():
            return PackageRoot(root)
        for program in ("apt-get", "dpkg-deb"):
            if not shutil.which(program):
                raise self._unavailable(wanted, f"{program} is not here: this is no Debian or Ubuntu")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._lock():
                if not root.exists():
                    self._build(wanted, root)
        except OSError as error:
            raise self._unavailable(wanted, str(error)) from error
        return PackageRoot(root)

    def has(self, *names: str) -> bool:
        """Whether these were downloaded before."""
        return self._root(names).exists()

    def _root(self, names: Iterable[str]) -> Path:
        wanted = sorted(set(names))
        identity = " ".join([*wanted, _release(), platform.machine()])
        return self._folder / f"{wanted[0]}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _build(self, names: list[str], root: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".building-") as scratch:
            work = Path(scratch) / "root"
            archives = Path(scratch) / "archives"
            self._say(f"downloading {' '.join(names)} and what they need")
            self._download(names, archives)
            self._say(f"unpacking {' '.join(names)}")
            work.mkdir()
            for archive in sorted(archives.glob("*.deb")):
                if not _left_out(archive):
                    self._run(names, ["dpkg-deb", "--extract", str(archive), str(work)], timeout_s=120)
            make_world_readable(work)
            _point_inside(work)
            _write_fonts(work, final=root)
            _show_plugins(work)
            work.rename(root)

    def _download(self, names: list[str], archives: Path) -> None:
        state = self._folder / "apt"
        for each in (state / "state/lists/partial", state / "cache", archives / "partial"):
            each.mkdir(parents=True, exist_ok=True)
        apt = ["apt-get", "-q", "-o", f"Dir::State={state}/state", "-o", "Dir::State::status=/dev/null"]
        apt += ["-o", f"Dir::Cache={state}/cache", "-o", f"Dir::Cache::archives={archives}"]
        apt += ["-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=2"]
        update = [*apt, "update"]
        install = [*apt, "install", "--no-install-recommends", "--download-only", "-y", "--", *names]
        stamp = state / "updated"
        if not stamp.exists() or time.time() - stamp.stat().st_mtime > LISTS_AGE_S:
            self._run(names, update, timeout_s=300)
            stamp.touch()
            self._run(names, install, timeout_s=900)
            return
        try:
            self._run(names, install, timeout_s=900)
        except PackagesUnavailableError:  # the archive may have moved on since the lists were fetched
            self._run(names, update, timeout_s=300)
            stamp.touch()
            self._run(names, install, timeout_s=900)

    def _run(self, names: list[str], argv: list[str], *, timeout_s: float) -> None:
        environment = os.environ | {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        try:
            done = subprocess.run(
                argv,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as expired:
            raise self._unavailable(names, f"{argv[0]} took longer than {timeout_s:.0f} s") from expired
        if done.returncode:
            said = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith(("E:", "dpkg"))]
            raise self._unavailable(names, (said or [f"{argv[0]} ended with code {done.returncode}"])[0])

    @staticmethod
    def _unavailable(names: list[str], why: str) -> PackagesUnavailableError:
        return PackagesUnavailableError(
            f"the packages {' '.join(names)} cannot be fetched: {why}",
            remedy=f"install them yourself, on Debian or Ubuntu: apt-get install {' '.join(names)}",
        )


def _release() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return f"{release.get('ID', '')} {release.get('VERSION_ID', release.get('VERSION_CODENAME', ''))}"


def _left_out(archive: Path) -> bool:
    asked = ["dpkg-deb", "--show", "--showformat", "${Package}\t${Essential}", str(archive)]
    name, _, essential = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.partition("\t")
    return essential == "yes" or name in KEEP_OUT


def make_world_readable(root: Path) -> None:
    """Let everybody read a folder of programs, for servers run as another user; nothing in it may raise rights."""
    root.chmod(0o755)
    for each in root.rglob("*"):
        if each.is_symlink():
            continue
        mode = stat.S_IMODE(each.stat().st_mode) & ~(stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX)
        each.chmod(mode | (0o755 if each.is_dir() else 0o644))


def _point_inside(root: Path) -> None:
    """Absolute links mean the machine's root; make them mean this one, relative so that it can be moved."""
    for link in root.rglob("*"):
        if link.is_symlink() and link.readlink().is_absolute():
            inside = root / str(link.readlink()).lstrip("/")
            if os.path.lexists(inside):
                link.unlink()
                link.symlink_to(os.path.relpath(inside, link.parent))


def _write_fonts(root: Path, *, final: Path) -> None:
    """A font configuration that knows the fonts of the root as well as the machine's."""
    if not (root / "etc/fonts/fonts.conf").exists():
        return
    (root / "etc/fonts/purple.conf").write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">\n<fontconfig>\n'
        f"  <dir>{final}/usr/share/fonts</dir>\n  <dir>/usr/share/fonts</dir>\n"
        f'  <include ignore_missing="yes">{final}/etc/fonts/fonts.conf</include>\n</fontconfig>\n'
    )


def _show_plugins(root: Path) -> None:
    """WhatWeb looks for its plugins beside its library before it looks in `/usr/share`."""
    for name in ("plugins", "my-plugins"):
        if (root / "usr/share/whatweb" / name).exists():
            (root / "usr/lib/ruby" / name).symlink_to(Path("../../share/whatweb") / name)
