"""`make setup`: the locked dependencies in `.venv` of this checkout. Standard library only.

uv comes from the machine, or as a wheel from PyPI into the cache: neither pip nor the venv module is needed, which
Debian packs apart from Python. As root the interpreter is one that an unprivileged server process can read too.
"""

import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAMP = ROOT / ".venv" / ".purple-setup"
INDEX = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
UV_VERSION = "0.9.5"
ROOMS = ("activities", "api", "cli", "purple", "workers", "workflows")
OLDEST = (3, 11)
NEWEST = (3, 14)


def cache() -> Path:
    """The folder that `purple.settings.paths.default_cache` names; repeated here because nothing is installed yet."""
    if os.environ.get("PURPLE_STACK__CACHE"):
        return Path(os.environ["PURPLE_STACK__CACHE"])
    if os.geteuid() == 0:
        return Path("/var/cache/purple")
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "purple"


def download_uv(folder: Path) -> Path:
    """Uv's wheel from the package index, checked by the hash that the index names."""
    machine = {"x86_64": "x86_64", "aarch64": "aarch64"}.get(platform.machine())
    if machine is None:
        raise SystemExit(f"no uv for {platform.machine()}: install uv yourself, see https://docs.astral.sh/uv/")
    request = urllib.request.Request(  # noqa: S310 - the scheme is the index's
        f"{INDEX.rstrip('/')}/uv/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        files = json.load(answer)["files"]
    prefix = f"uv-{UV_VERSION}-py3-none-manylinux"
    wheel = next(f for f in files if f["filename"].startswith(prefix) and f["filename"].endswith(f"{machine}.whl"))
    url = urllib.request.urljoin(f"{INDEX.rstrip('/')}/uv/", wheel["url"])  # type: ignore[attr-defined]  # re-exported
    with urllib.request.urlopen(url, timeout=300) as answer:  # noqa: S310 - as above
        body = answer.read()
    if hashlib.sha256(body).hexdigest() != wheel["hashes"]["sha256"]:
        raise SystemExit("the download of uv is damaged: try again")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "uv"
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        member = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
        part = folder / f".uv-{os.getpid()}"
        part.write_bytes(archive.read(member))
    part.chmod(0o755)
    part.replace(target)
    return target


def find_uv() -> str:
    """Uv of the machine, of the cache, or downloaded."""
    kept = cache() / "uv" / UV_VERSION / "uv"
    found = shutil.which("uv")
    if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
        return found
    if kept.exists():
        return str(kept)
    print("setup: getting uv", flush=True)  # noqa: T201 - progress for a person
    return str(download_uv(kept.parent))


def readable_python() -> str:
    """An interpreter that other users may run: as root, servers and workers are another user."""
    for path in [f"/usr/bin/python3.{minor}" for minor in range(OLDEST[1], NEWEST[1])]:
        if os.access(path, os.X_OK):
            return path
    return sys.executable


def compiled() -> int:
    """Keep the bytecode of what changed, for the same reason."""
    command = [ROOT / ".venv/bin/python", "-m", "compileall", "-q", *ROOMS]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    """Set up, or do nothing where nothing changed."""
    if sys.version_info < OLDEST:
        raise SystemExit(f"Python 3.11 or newer is needed, this is {platform.python_version()}")
    inputs = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "uv.lock"))
    wanted = hashlib.sha256(inputs).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted and (ROOT / ".venv/bin/python").exists():
        return compiled()
    uv = find_uv()
    print("setup: installing the locked dependencies into .venv", flush=True)  # noqa: T201 - progress for a person
    # links into a cache under /root would be closed to the unprivileged user of servers and workers, who cannot keep
    # bytecode either: without it each process begins with a second of compiling
    environment = os.environ | {"UV_LINK_MODE": "copy", "UV_COMPILE_BYTECODE": "1"}
    environment |= {"UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": ""}
    command = [uv, "sync", "--locked", "--quiet", "--group", "dev", "--python", readable_python()]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        print("setup: uv could not install; its message is above", file=sys.stderr)  # noqa: T201 - for a person
        return 1
    STAMP.write_text(wanted)
    return compiled()


if __name__ == "__main__":
    raise SystemExit(main())
