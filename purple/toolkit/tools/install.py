"""Where a tool's program comes from: the machine, Debian packages, a hash-locked environment, or a Go module."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from purple.domain.errors import PackagesUnavailableError
from purple.toolkit.packages import Found, find_program
from purple.toolkit.tools.golang import build
from purple.toolkit.tools.plugins import Plugin

Say = Callable[[str], None]
_SCRIPT_HEAD = 64 * 1024
"""Bytes of a script in which it says its version."""


class Programs:
    """Finds and installs the programs of tools. Installing twice, or twice at once, is harmless."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder = folder
        self._cache = cache

    def find(self, plugin: Plugin) -> Found:
        """The program as it is here, without fetching anything that is not in the cache.

        Raises:
            PackagesUnavailableError: it is not installed; the remedy says how to.
        """
        install = plugin.spec.install
        remedy = f"run `purple tool install {plugin.spec.name}`"
        if install["python"]:
            program = self._environment(plugin) / "bin" / install["program"]
            if not program.exists():
                raise PackagesUnavailableError(f"{plugin.spec.title} is not installed", remedy=remedy)
            return Found(program)
        if install["go"]:
            program = self._built(plugin)
            return Found(program) if program.exists() else self._own(plugin, remedy)
        try:
            return find_program(install["program"])
        except PackagesUnavailableError:
            if not install["packages"]:
                raise
        kept = self._folder / f"{plugin.spec.name}.packages"
        if not kept.exists():
            raise PackagesUnavailableError(f"{plugin.spec.title} is not installed", remedy=remedy)
        return find_program(install["program"], packages=tuple(install["packages"]), cache=self._cache)

    def install(self, plugin: Plugin, say: Say = lambda _: None) -> Found:
        """Get the program.

        Raises:
            PackagesUnavailableError: it cannot be had; the remedy names what to install.
        """
        install = plugin.spec.install
        self._folder.mkdir(parents=True, exist_ok=True)
        if install["python"]:
            if not (self._environment(plugin) / "bin" / install["program"]).exists():
                say(f"installing {plugin.spec.title}")
                self._make_environment(plugin)
            return self.find(plugin)
        if install["go"]:
            if not self._built(plugin).exists():
                build(install["go"], self._built(plugin), self._cache, say)
            return self.find(plugin)
        found = find_program(install["program"], packages=tuple(install["packages"]), cache=self._cache, say=say)
        (self._folder / f"{plugin.spec.name}.packages").touch()
        return found

    def version(self, plugin: Plugin, found: Found) -> str:
        """What the program says of its version, or its lock file does; empty where neither does.

        Raises:
            PackagesUnavailableError: the program does not run.
        """
        install = plugin.spec.install
        if install["python"]:
            match = re.search(r"^[A-Za-z0-9_.-]+==(\S+)", self._pin(plugin), re.MULTILINE)
            return match[1] if match else ""
        if install["go"] and found.path == self._built(plugin):
            return str(install["go"].rpartition("@v")[2])
        probe = install["version"]
        if not probe:
            return ""
        if not probe["arguments"]:
            with found.path.open("rb") as file:
                match = re.search(probe["pattern"], file.read(_SCRIPT_HEAD).decode(errors="replace"))
            return match[1] if match else ""
        try:
            done = subprocess.run(
                [found.path, *probe["arguments"]],
                env={"PATH": os.defpath, **found.environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=20,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise PackagesUnavailableError(
                f"{found.path} does not run: {error}", remedy=f"install {plugin.spec.title} again"
            ) from error
        match = re.search(probe["pattern"], done.stdout + done.stderr)
        return match[1] if match else ""

    def _built(self, plugin: Plugin) -> Path:
        """Where the program is that was built from its module."""
        module, program = str(plugin.spec.install["go"]), str(plugin.spec.install["program"])
        key = hashlib.sha256(f"{module} {platform.machine()}".encode()).hexdigest()[:12]
        return self._folder / f"{plugin.spec.name}-{key}" / program

    @staticmethod
    def _own(plugin: Plugin, remedy: str) -> Found:
        """The machine's own program in place of one that was not built."""
        try:
            return find_program(plugin.spec.install["program"])
        except PackagesUnavailableError:
            raise PackagesUnavailableError(f"{plugin.spec.title} is not installed", remedy=remedy) from None

    def _pin(self, plugin: Plugin) -> str:
        """The line of the lock file that pins the tool itself."""
        names = {plugin.spec.install["program"].lower(), plugin.spec.name, f"{plugin.spec.name}3"}
        lines = (plugin.folder / plugin.spec.install["python"]).read_text(encoding="utf-8").splitlines()
        return next((line for line in lines if line.split("==")[0].lower() in names), "")

    def _environment(self, plugin: Plugin) -> Path:
        lock = (plugin.folder / plugin.spec.install["python"]).read_bytes()
        return self._folder / f"{plugin.spec.name}-{hashlib.sha256(lock).hexdigest()[:12]}"

    def _make_environment(self, plugin: Plugin) -> None:
        """Build beside and rename, so that a half-made one is never used; scripts find Python by a relative path."""
        target = self._environment(plugin)
        uv = Path(sys.executable).parent / "uv"
        program = str(uv) if uv.exists() else shutil.which("uv")
        if program is None:
            raise PackagesUnavailableError("uv is not here", remedy="run `make setup`")
        python = next((p for p in ("/usr/bin/python3.11", "/usr/bin/python3") if os.access(p, os.X_OK)), sys.executable)
        environment = os.environ | {"UV_LINK_MODE": "copy", "UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": ""}
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            made = Path(scratch) / target.name
            lock = plugin.folder / plugin.spec.install["python"]
            for argv in (
                [program, "venv", "--quiet", "--relocatable", "--python", python, str(made)],
                [program, "pip", "install", "--quiet", "--require-hashes", "-r", str(lock), "--python", str(made)],
            ):
                done = subprocess.run(
                    argv, env=environment, cwd=scratch, capture_output=True, text=True, errors="replace", check=False
                )
                if done.returncode:
                    raise PackagesUnavailableError(
                        f"{plugin.spec.title} could not be installed: {done.stderr.strip()[-300:]}",
                        remedy="check the connection to the Python package index, then try again",
                    )
            made.chmod(0o755)
            if not target.exists():
                made.rename(target)
