"""A host that counts who visits it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(eq=False)
class Visit:
    """One tool that greeted."""

    tool: str
    port: int
    rate: int
    connection: socket.socket
    beside: int
    """Who was there when it came, itself among them."""


@dataclass
class Host:
    """Listens on ports of one address. Probes say nothing, and are not counted."""

    address: str
    ports: tuple[int, ...]
    visits: list[Visit] = field(default_factory=list)
    inside: list[Visit] = field(default_factory=list)
    alone_broken: list[str] = field(default_factory=list)
    """When an intruder was not alone."""
    knocks: int = 0
    """Connections of all kinds."""
    _holds: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _listening: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def most(self) -> int:
        """The most visitors at once."""
        return max((each.beside for each in self.visits), default=0)

    def hold(self) -> None:
        """Let nobody go."""
        self._holds = True

    def let_go(self, *, from_now_on: bool = True) -> None:
        """Let everybody go that is here, and whoever comes."""
        with self._lock:
            self._holds = not from_now_on
            for each in list(self.inside):
                self._release(each)

    def open(self) -> None:
        """Answer."""
        for port in self.ports:
            server = socket.create_server((self.address, port), backlog=64)
            self._listening.append(server)
            self._spawn(self._accept, server)

    def close(self) -> None:
        """Answer nobody, and throw out who is here."""
        for server in self._listening:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()
        self._listening.clear()
        with self._lock:
            for each in self.inside:
                with suppress(OSError):
                    each.connection.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """For good."""
        self.close()
        for each in self._threads:
            each.join(10)

    def _spawn(self, what: Callable[[socket.socket], None], on: socket.socket) -> None:
        thread = threading.Thread(target=what, args=(on,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            self._spawn(self._receive, connection)

    def _receive(self, connection: socket.socket) -> None:
        with connection:
            self.knocks += 1
            try:
                greeting = connection.makefile("rb").readline().decode().split()
            except OSError:
                return
            if not greeting:
                return  # a probe
            with self._lock:
                tool, port, rate = greeting
                visit = Visit(tool, int(port), int(rate), connection, len(self.inside) + 1)
                self.visits.append(visit)
                self.inside.append(visit)
                kinds = [each.tool for each in self.inside]
                if "intruder" in kinds and len(kinds) > 1:
                    self.alone_broken.append(", ".join(kinds))
            self._stay(visit)

    def _stay(self, visit: Visit) -> None:
        visit.connection.settimeout(None if self._holds else 0.4)
        try:
            gone = visit.connection.recv(1) == b""
        except TimeoutError:
            gone = False
        except OSError:
            gone = True
        with self._lock:
            if not gone:
                self._release(visit)
            if visit in self.inside:
                self.inside.remove(visit)

    def _release(self, visit: Visit) -> None:
        """It counts as gone before it knows, so that who comes next is not counted beside it."""
        if visit in self.inside:
            self.inside.remove(visit)
        with suppress(OSError):
            visit.connection.sendall(b"go\n")


@contextmanager
def listening(address: str, *ports: int) -> Iterator[Host]:
    """A host that answers for the length of the block."""
    host = Host(address, ports)
    host.open()
    try:
        yield host
    finally:
        host.end()
