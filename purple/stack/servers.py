"""Servers for a test-suite or a bench: real ones, on ports of their own, gone when the block ends.

    with running_servers(home, {"postgres", "temporal", "valkey"}) as servers:
        create_engine(servers.owner_url)

`home` is any folder, for instance one of pytest's; None makes one and removes it. As root the servers run as
`nobody`: where that user cannot enter `home` (pytest's folders are such), a folder in the system's temporary
place is used instead, and removed. Names: `postgres`, `temporal`, `valkey`, `elasticsearch`. The first three are
up in a few seconds; nothing on disk is flushed, so they are for data that may be lost. Ports are never the usual
ones, so several runs and a stack of the user's own do not meet.

The servers hang on a pipe to this process: if it dies, by whatever signal, they end.
`servers.environment` holds the same values as settings (`PURPLE_DATABASE__URL` and so on) for child processes.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from purple.settings.paths import default_cache
from purple.stack.files import reachable
from purple.stack.launcher import bring_down, follow, spawn
from purple.stack.parts.postgres import APP, SUPERUSER
from purple.stack.processes import server_user
from purple.stack.state import PartState


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are. A URL is empty where its server was not asked for or cannot be had."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    """Servers that were asked for and cannot be had here, each with the reason and the remedy."""

    @property
    def database_url(self) -> str:
        """The application's role, `postgresql+psycopg://…/purple`."""
        return self.environment.get("PURPLE_DATABASE__URL", "")

    @property
    def relay_url(self) -> str:
        """The relay's role."""
        return self.environment.get("PURPLE_DATABASE__RELAY_URL", "")

    @property
    def owner_url(self) -> str:
        """The role that owns the database `purple` and runs migrations."""
        return self.environment.get("PURPLE_DATABASE__OWNER_URL", "")

    @property
    def admin_url(self) -> str:
        """The superuser, for making more databases; no process of Purple ever has it."""
        secrets: dict[str, str] = json.loads((self.home / "secrets.json").read_text())
        return self.database_url.replace(f"{APP}:{secrets[APP]}@", f"{SUPERUSER}:{secrets['postgres-admin']}@")

    @property
    def temporal_address(self) -> str:
        """`host:port`."""
        return self.environment.get("PURPLE_TEMPORAL__ADDRESS", "")

    @property
    def temporal_ui_url(self) -> str:
        """Temporal's web pages."""
        return self.environment.get("PURPLE_TEMPORAL__UI_URL", "")

    @property
    def search_url(self) -> str:
        """Elasticsearch."""
        return self.environment.get("PURPLE_SEARCH__URL", "")

    @property
    def cache_url(self) -> str:
        """Redis."""
        return self.environment.get("PURPLE_CACHE__URL", "")


@contextlib.contextmanager
def running_servers(
    home: Path | None, names: AbstractSet[str], *, cache: Path | None = None, timeout_s: float = 300
) -> Iterator[Servers]:
    """Start servers, and end them with the block.

    Raises:
        PurpleError: one of them does not start; the message says why.
    """
    place = Path(home) if home else None
    made = None
    if place is None or not reachable(place, server_user()):
        made = place = Path(tempfile.mkdtemp(prefix="purple-servers-"))
        place.chmod(0o711)
    place.mkdir(parents=True, exist_ok=True)
    # servers of the user's own are not for tests; what the settings say of the stack itself holds
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PURPLE_") or k.startswith("PURPLE_STACK__")}
    process: subprocess.Popen[bytes] | None = None
    try:
        process = spawn(place, cache or default_cache(), sorted(names), ephemeral=True, environment=environment)
        state = follow(place, process, names, timeout_s=timeout_s)
        yield Servers(
            home=place,
            environment=dict(state.offered),
            absent={p.name: p.detail for p in state.parts.values() if p.state is PartState.ABSENT},
        )
    finally:
        if process is not None and process.stdin is not None:
            process.stdin.close()
        bring_down(place)
        if process is not None:
            process.wait(30)
        if made:
            shutil.rmtree(made, ignore_errors=True)
