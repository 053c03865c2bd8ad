"""Where the lab of a running stack is."""

import json
from pathlib import Path

from purple.domain.errors import NotFoundError


def lab_targets(home: Path) -> list[str]:
    """The URLs and addresses of its services.

    Raises:
        NotFoundError: it is not running.
    """
    try:
        state = json.loads((home / "lab.json").read_text())
    except OSError:
        raise NotFoundError("the lab is not running", remedy="`purple up --lab` starts it") from None
    return [state[name] for name in ("webapp", "http", "https", "ssh", "redis", "ftp")]
