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
import sys
import tempfile
import threading
from pathlib import Path

from lab import nginx
from lab.receiver import Receiver
from lab.webapp import FLAWS, Shop

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


def main() -> int:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m lab")
    parser.add_argument("--state", type=Path, required=True, help="file to write the addresses to, as JSON")
    parser.add_argument("--without", default="", help=f"flaws to mend, with commas: {', '.join(FLAWS)}, tls")
    parser.add_argument(
        "--ports", default="", help="of web application, nginx HTTP and HTTPS, receiver; free ones if not"
    )
    parser.add_argument("--lifeline", action="store_true", help="end when standard input closes")
    arguments = parser.parse_args()
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
    ports = [int(each) for each in arguments.ports.split(",") if each] or [free_port() for _ in range(4)]
    shop_port, http, https, receiver_port = ports
    shop, receiver = Shop(shop_port, mended), Receiver(receiver_port, secret, home / "received.jsonl")
    web = nginx.start(home, http, https, weak_tls="tls" not in mended)
    try:
        for server in (shop, receiver):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        wait_for(http)
        wait_for(https)
        state = {
            "webapp": f"http://127.0.0.1:{shop.server_address[1]}/",
            "http": f"http://127.0.0.1:{http}/",
            "https": f"https://127.0.0.1:{https}/",
            "receiver": f"http://127.0.0.1:{receiver.server_address[1]}/",
            "secret": secret,
            "received": str(home / "received.jsonl"),
            "pid": os.getpid(),
        }
        partial = arguments.state.with_suffix(".part")
        partial.write_text(json.dumps(state))
        partial.replace(arguments.state)
        stop.wait()
    finally:
        web.terminate()
        web.wait(10)
        arguments.state.unlink(missing_ok=True)
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
