"""`python -m lab --state FILE`: starts the lab on loopback and leaves in FILE where its services are.

It ends with SIGTERM, SIGINT or, with `--lifeline`, when standard input closes.
"""

import argparse
import base64
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from lab import nginx, servers
from lab.receiver import Receiver
from lab.webapp import FLAWS, Shop

SERVICES = {
    "webapp": "http://127.0.0.1:{port}/",
    "http": "http://127.0.0.1:{port}/",
    "https": "https://127.0.0.1:{port}/",
    "receiver": "http://127.0.0.1:{port}/",
    "ssh": "127.0.0.1:{port}",
    "redis": "127.0.0.1:{port}",
    "ftp": "127.0.0.1:{port}",
}
"""By name: how the address of each is written."""
WARNING = "The lab is VULNERABLE ON PURPOSE. It listens on loopback only; do not put it on a network."


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, attempts: int = 100) -> None:
    """Until somebody listens.

    Raises:
        TimeoutError: nobody does after some ten seconds.
    """
    pause = threading.Event()
    for _ in range(attempts):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        pause.wait(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


def watch_lifeline(stop: threading.Event) -> None:
    """Stop when whoever started us is gone."""
    while os.read(0, 1024):
        pass
    stop.set()


def arguments_of(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m lab")
    parser.add_argument("--state", type=Path, required=True, help="file to write the addresses to, as JSON")
    parser.add_argument(
        "--without", default="", help=f"flaws to mend, with commas: {', '.join(FLAWS)}, tls, ssh, redis, ftp"
    )
    parser.add_argument("--ports", default="", help=f"of {', '.join(SERVICES)}; free ones if not")
    parser.add_argument("--lifeline", action="store_true", help="end when standard input closes")
    return parser.parse_args(argv)


def start_servers(home: Path, ports: dict[str, int], mended: frozenset[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The servers that are programs of their own; each is told as soon as it was started."""
    yield nginx.start(home, ports["http"], ports["https"], weak_tls="tls" not in mended)
    yield servers.openssh(home / "ssh", ports["ssh"], weak="ssh" not in mended)
    yield servers.redis(home / "redis", ports["redis"], weak="redis" not in mended)
    yield servers.vsftpd(home / "ftp", ports["ftp"], weak="ftp" not in mended)


def main() -> int:
    """Run until told to stop."""
    arguments = arguments_of()
    print(WARNING, file=sys.stderr, flush=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if arguments.lifeline:
        threading.Thread(target=watch_lifeline, args=[stop], daemon=True).start()
    mended = frozenset(filter(None, arguments.without.split(",")))
    home = Path(tempfile.mkdtemp(prefix="purple-lab-"))
    home.chmod(0o755)
    secret = os.environ.get("PURPLE_LAB_SECRET") or "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    chosen = [int(each) for each in arguments.ports.split(",") if each] or [free_port() for _ in SERVICES]
    ports = dict(zip(SERVICES, chosen, strict=True))
    running: list[subprocess.Popen[bytes]] = []
    try:
        for server in (
            Shop(ports["webapp"], mended),
            Receiver(ports["receiver"], secret, home / "received.jsonl"),
        ):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        for process in start_servers(home, ports, mended):
            running.append(process)  # noqa: PERF402 - each is kept at once, so that a later failure ends it too
        for port in ports.values():
            wait_for(port)
        state = {name: SERVICES[name].format(port=port) for name, port in ports.items()}
        partial = arguments.state.with_suffix(".part")
        extra = {"secret": secret, "received": str(home / "received.jsonl"), "pid": os.getpid()}
        partial.write_text(json.dumps(state | extra))
        partial.replace(arguments.state)
        stop.wait()
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(10)
        arguments.state.unlink(missing_ok=True)
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
