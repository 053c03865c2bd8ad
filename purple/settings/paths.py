"""Where a checkout's own state and the machine's shared cache live.

Root gets folders that an unprivileged server process can reach; `/root` is closed to it.
"""

import hashlib
import os
from pathlib import Path

CODE_ROOT = Path(__file__).resolve().parents[2]


def default_cache() -> Path:
    """The folder for downloads that any checkout of this user may share: servers, packages, tools."""
    if os.geteuid() == 0:
        return Path("/var/cache/purple")
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "purple"


def default_home() -> Path:
    """The folder for the data of the stack of this checkout; two checkouts never share a database."""
    key = hashlib.sha256(str(CODE_ROOT).encode()).hexdigest()[:8]
    if os.geteuid() == 0:
        base = Path("/var/lib/purple")
    else:
        base = Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser() / "purple"
    return base / f"{CODE_ROOT.name}-{key}"
