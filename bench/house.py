"""Purple's own processes on real servers, with a tool of the bench's own beside the real ones."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from purple.db.migrate import upgrade
from purple.stack.ports import ask
from purple.stack.servers import Servers, running_servers

HERE = Path(__file__).parent


def until(condition: Callable[[], object], seconds: float, what: str, pause_s: float = 0.005) -> None:
    """Wait for it.

    Raises:
        TimeoutError: in vain.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(pause_s)


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether it serves."""
    parts = urlsplit(url)
    status, _ = ask(parts.port or 80, parts.path, timeout_s=5)
    return status == HTTPStatus.OK


@contextmanager
def process(
    argv: list[str], environment: dict[str, str], folder: Path, under: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """One process, in a session of its own as those of the stack are, ended with the block.

    A program that becomes it may come first.
    """
    with (folder / "processes.log").open("ab") as log:
        started = subprocess.Popen(
            [*under, sys.executable, *argv],
            cwd=folder,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


class House:
    """Where Purple is, and what starts more of it."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        port = free_port()
        self.servers = servers
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.environment = servers.environment | {
            "PURPLE_STACK__HOME": str(folder),
            "PURPLE_TOOLS__EXTRA": json.dumps([str(HERE / "tools")]),
            "PURPLE_PROFILES__EXTRA": json.dumps([str(HERE / "profiles")]),
            "PURPLE_API__PORT": str(port),
            "PURPLE_API__URL": self.url,
            "PYTHONPATH": str(HERE.parent),
        }

    def token(self) -> str:
        """Of the first administrator."""
        return self.purple("bootstrap").strip()

    def purple(self, *arguments: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=self.folder,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    @contextmanager
    def workers(
        self, *roles: str, module: str = "workers", under: Sequence[str] = ()
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A process of these roles, once it is ready."""
        ready = self.folder / f"ready-{uuid4()}"
        told = self.environment | {"PURPLE_READY_FILE": str(ready)}
        with process(["-m", module, *roles], told, self.folder, under) as started:
            until(lambda: ready.exists() or started.poll() is not None, 120, f"workers {roles} are ready", 0.02)
            if started.poll() is not None:
                raise RuntimeError((self.folder / "processes.log").read_text()[-2000:])
            yield started

    @contextmanager
    def api(self) -> Iterator[subprocess.Popen[bytes]]:
        """The facade, once it serves."""
        with process(["-m", "api"], self.environment, self.folder) as started:
            until(lambda: answers(f"{self.url}/health"), 120, "the API serves", 0.02)
            yield started


@contextmanager
def house(folder: Path, *more: str) -> Iterator[House]:
    """PostgreSQL and Temporal with Purple's database on them, and more servers where they are asked for."""
    with running_servers(None, {"postgres", "temporal", *more}) as servers:
        upgrade(servers.owner_url)
        yield House(servers, folder)
