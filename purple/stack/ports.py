"""Ports on loopback: the usual one where it is free, the same one the next time."""

import http.client
import json
import random
import socket
import threading
from pathlib import Path

from purple.stack.files import write_private

LOOPBACK = "127.0.0.1"
ANY = (20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free for a listener
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def answers(host: str, port: int, timeout_s: float = 2.0) -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


class Ports:
    """Who listens where, remembered in a file. Safe to use from several threads."""

    def __init__(self, file: Path, *, usual: bool = True) -> None:
        """Read what was chosen before.

        Args:
            file: where the choice is kept.
            usual: try the well-known port first; tests do not, so that several runs do not race for it.
        """
        self._file = file
        self._usual = usual
        self._lock = threading.Lock()
        self._chosen: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}

    def pick(self, name: str, usual: int) -> int:
        """A free port for `name`: that of last time, else the usual one, else any."""
        with self._lock:
            taken = {port for other, port in self._chosen.items() if other != name}
            wishes = [self._chosen.get(name, 0), usual if self._usual else 0]
            port = next((wish for wish in wishes if wish and wish not in taken and is_free(wish)), 0)
            while not port:
                port = self._any()
                port = 0 if port in taken else port
            self._chosen[name] = port
            write_private(self._file, json.dumps(self._chosen))
            return port

    @staticmethod
    def _any() -> int:
        """A free one below those that the kernel gives to outgoing connections.

        Among those, somebody's connection could take it while its server is away, were it only a client of that
        very server that connects to itself.
        """
        while True:
            port = random.SystemRandom().randrange(*ANY)
            if is_free(port):
                return port


def ask(port: int, path: str, timeout_s: float) -> tuple[int, bytes]:
    """Status and body of what is served on loopback; status 0 where nobody answers.

    A part that starts is asked ten times a second, and a client that could do TLS reads all certificates each time.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
