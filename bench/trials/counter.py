"""A counter on loopback: who connects, and when."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Counter(socketserver.ThreadingTCPServer):
    """Answers every line; remembers connections as the moment and the local address."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: str, port: int) -> None:
        self.connections: list[tuple[float, str]] = []
        super().__init__((address, port), _Answer)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def count(self) -> int:
        """Connections so far."""
        return len(self.connections)

    @property
    def last(self) -> float:
        """When the last one came."""
        return self.connections[-1][0] if self.connections else 0.0

    def get_request(self) -> tuple[Any, Any]:
        """Count it."""
        connection, peer = super().get_request()
        self.connections.append((time.time(), connection.getsockname()[0]))
        connection.settimeout(5)
        return connection, peer


class _Answer(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """To each the same."""
        if self.request.recv(64):
            self.request.sendall(b"yes\n")


@contextmanager
def counting(address: str, port: int = 0) -> Iterator[Counter]:
    """A counter for as long as the block lasts, on a port that is free unless told which."""
    with Counter(address, port) as counter:
        thread = threading.Thread(target=counter.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield counter
        finally:
            counter.shutdown()
            thread.join()
