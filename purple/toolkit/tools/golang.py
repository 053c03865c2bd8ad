"""Programs that are published as Go modules: built once from source, checked against Go's checksum database.

A Go of the machine is used; where there is none, or one too old to fetch what a module asks for, one comes as a
module too, by way of the distribution's.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from purple.domain.errors import PackagesUnavailableError
from purple.toolkit.packages import find_program

TOOLCHAIN = "go1.26.8"
"""What is fetched where the machine's own cannot fetch one."""
_ABLE = (1, 21)
"""The first version that fetches the toolchain that a module asks for."""
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_BUILD_S = 1200
_NETWORK = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE")
_KEPT = {"PATH", "HOME", "LANG", "TMPDIR", *_NETWORK}


def build(module: str, target: Path, cache: Path, say: Callable[[str], None]) -> None:
    """Build `module@version` to a file; takes a minute or more.

    Raises:
        PackagesUnavailableError: it cannot be built here; the remedy says what is missing.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as scratch:
        work = Path(scratch)
        go, environment = _toolchain(work, cache, say)
        say(f"building {module}, which takes a minute or more")
        _run([go, "install", "-trimpath", "-ldflags=-s -w", module], work, environment, module)
        made = [each for each in (work / "bin").iterdir() if each.is_file()]
        if len(made) != 1:
            raise PackagesUnavailableError(f"{module} is not one program")
        made[0].rename(target)


def _toolchain(work: Path, cache: Path, say: Callable[[str], None]) -> tuple[Path, dict[str, str]]:
    """A Go, and the environment in which it keeps to the scratch folder."""
    found = find_program("go", packages=("golang-go",), cache=cache, say=say)
    environment = {name: value for name, value in os.environ.items() if name in _KEPT} | found.environment
    environment |= {
        "HOME": str(work),
        "GOPATH": str(work / "path"),
        "GOCACHE": str(work / "cache"),
        "GOBIN": str(work / "bin"),
        "GOENV": "off",
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "auto",
        "CGO_ENABLED": "0",  # no C compiler is needed
    }
    telemetry = work / ".config/go/telemetry/mode"  # else a process that outlives it writes there meanwhile
    telemetry.parent.mkdir(parents=True)
    telemetry.write_text("off")
    said = _run([found.path, "version"], work, environment, "Go")
    version = re.search(r"go(\d+)\.(\d+)", said)
    if version and (int(version[1]), int(version[2])) >= _ABLE:
        return found.path, environment
    say(f"fetching {TOOLCHAIN}")
    machine = _MACHINES.get(os.uname().machine, os.uname().machine)
    module = f"golang.org/toolchain@v0.0.1-{TOOLCHAIN}.linux-{machine}"
    _run([found.path, "mod", "download", module], work, environment, module)
    root = work / "path/pkg/mod" / module
    for folder in (root / "bin", root / "pkg/tool"):  # a module holds no modes
        for each in folder.rglob("*"):
            each.chmod(0o755)
    environment.pop("LD_LIBRARY_PATH", None)
    return root / "bin/go", environment | {"GOROOT": str(root), "GOTOOLCHAIN": "local"}


def _run(argv: list[Path | str], work: Path, environment: dict[str, str], what: str) -> str:
    try:
        done = subprocess.run(
            argv,
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_BUILD_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PackagesUnavailableError(
            f"{what} could not be had: {error}", remedy="install Go 1.24 or newer"
        ) from error
    if done.returncode:
        raise PackagesUnavailableError(
            f"{what} could not be had: {done.stderr.strip()[-300:]}",
            remedy="check the connection to the Go module proxy, or put the program on the path yourself",
        )
    return done.stdout
