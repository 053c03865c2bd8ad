"""A whole Purple whose servers may be stopped, each held by a supervisor of its own."""

import base64
import copy
import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import bench.house
from bench.house import answers, free_port, process, until
from bench.trials.facade import PATIENCE_S, Facade
from lab.receiver import Receiver
from purple.stack.processes import ProcessId
from purple.stack.servers import Servers, running_servers
from purple.stack.state import PartState, read_state

HERE = Path(__file__).parent
ROLES = ("control", "analysis", "ai", "report", "notify", "recon", "scan")
STEPS = ROLES[:5]


@contextmanager
def stopped(servers: Servers, name: str, how: signal.Signals = signal.SIGKILL) -> Iterator[None]:
    """A server is away for the length of the block, then started again on the same files and port.

    Its supervisor would start it at once, so that one is held meanwhile.

    Raises:
        RuntimeError: it does not end.
    """
    state = read_state(servers.home)
    process = state.parts[name].process if state else None
    if state is None or process is None:
        raise RuntimeError(f"{name} does not run")
    state.supervisor.signal(signal.SIGSTOP)
    try:
        process.signal(how)
        if not process.wait(20):
            raise RuntimeError(f"{name} does not end")
        yield
    finally:
        state.supervisor.signal(signal.SIGCONT)
    until(lambda: _serves_again(servers, name, process), PATIENCE_S, f"{name} is back")


def _serves_again(servers: Servers, name: str, before: ProcessId) -> bool:
    state = read_state(servers.home)
    part = state.parts[name] if state else None
    return part is not None and part.state is PartState.READY and part.process not in {None, before}


@contextmanager
def receiving(file: Path, port: int, secret: str) -> Iterator[Path]:
    """Somebody whom campaigns tell that they ended; each notice is a line of the file."""
    server = Receiver(port, secret, file)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield file
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def apart(folder: Path, *names: str) -> Iterator[dict[str, Servers]]:
    """Each server under a supervisor of its own, so that one can be away while the others stay."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        contexts = {name: running_servers(folder / name, {name}) for name in names}
        starting = {name: pool.submit(context.__enter__) for name, context in contexts.items()}
        for name, context in contexts.items():
            if starting[name].exception() is None:
                stack.push(context)
        yield {name: each.result() for name, each in starting.items()}


def notifying(place: str) -> dict[str, str]:
    """Settings of whoever tells a receiver."""
    return {
        "PURPLE_NOTIFY__WEBHOOK_URL": f"http://127.0.0.1:{free_port()}/",
        "PURPLE_NOTIFY__WEBHOOK_SECRET": "whsec_" + base64.b64encode(place.encode()).decode(),
        "PURPLE_NOTIFY__ALLOW_NETWORKS": '["127.0.0.1/32"]',
    }


@contextmanager
def inbox(file: Path, environment: dict[str, str]) -> Iterator[Path]:
    """The receiver of those settings."""
    port = int(environment["PURPLE_NOTIFY__WEBHOOK_URL"].rsplit(":", 1)[1].strip("/"))
    with receiving(file, port, environment["PURPLE_NOTIFY__WEBHOOK_SECRET"]) as received:
        yield received


class House(bench.house.House):
    """Where Purple is, and what starts more of it."""

    def __init__(self, parts: dict[str, Servers], folder: Path) -> None:
        told = {name: value for each in parts.values() for name, value in each.environment.items()}
        super().__init__(Servers(parts["postgres"].home, told), folder)
        self.parts = parts
        self.environment |= notifying("the receiver of the trials") | {
            "PURPLE_TOOLS__EXTRA": json.dumps([str(HERE / "tools")]),
            "PURPLE_PROFILES__EXTRA": json.dumps([str(HERE / "profiles")]),
        }
        self.facade = Facade(self.environment, self.servers.admin_url, folder / "received.jsonl")

    @contextmanager
    def relay(self) -> Iterator[subprocess.Popen[bytes]]:
        """The outbox's process."""
        with process(["-m", "workers", "relay"], self.environment, self.folder) as started:
            yield started

    def told(self, **environment: str) -> "House":
        """The same house for processes that are told more, with a facade of their own."""
        other, port = copy.copy(self), free_port()
        other.url = f"http://127.0.0.1:{port}"
        other.environment = (
            self.environment | environment | {"PURPLE_API__PORT": str(port), "PURPLE_API__URL": other.url}
        )
        other.facade = replace(self.facade, environment=other.environment)
        return other

    def serves(self) -> bool:
        """Whether all of it is there."""
        return answers(f"{self.url}/health") and self.facade.health()["status"] == "ok"


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """Servers, the facade, the relay and a receiver of notices; who works is for each trial."""
    folder.chmod(0o711)  # every user may enter, as whom servers and tools may run
    with apart(folder, "postgres", "temporal") as parts:
        made = House(parts, folder / "home")
        made.folder.mkdir(mode=0o755)
        made.facade.bootstrap()
        with inbox(made.facade.received, made.environment), made.relay(), made.api():
            until(made.serves, PATIENCE_S, "the house is whole")
            yield made
