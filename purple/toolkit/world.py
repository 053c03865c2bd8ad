"""The real clock, the real random source, the real Domain Name System, the real network."""

import asyncio
import contextlib
import os
import socket
import time
from datetime import UTC, datetime
from uuid import UUID

from purple.domain.errors import InvalidInputError
from purple.domain.gates import PROBE

_VERSION = 0x7
_VARIANT = 0b10


class SystemClock:
    """See `domain.clock.Clock`."""

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)


class TimeOrderedIds:
    """UUID version 7 by RFC 9562, section 5.7: 48 bits of milliseconds, 74 random bits."""

    def new(self) -> UUID:
        """A new one."""
        milliseconds = time.time_ns() // 1_000_000
        random = int.from_bytes(os.urandom(10))
        high, low = random >> 68, random & ((1 << 62) - 1)
        return UUID(int=(milliseconds & ((1 << 48) - 1)) << 80 | _VERSION << 76 | high << 64 | _VARIANT << 62 | low)


class SystemResolver:
    """See `domain.clock.Resolver`."""

    async def resolve(self, name: str) -> tuple[str, ...]:
        """By the machine's resolver."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError as error:
            raise InvalidInputError(
                f"{name} does not resolve: {error.strerror}", field="target", value=name, remedy="check the name"
            ) from error
        addresses = dict.fromkeys(str(each[4][0]) for each in sorted(found, key=lambda each: each[0] != socket.AF_INET))
        return tuple(addresses)


class TcpProber:
    """See `domain.gates.Prober`."""

    async def answers(self, address: str, port: int) -> bool:
        """By a connection of TCP."""
        try:
            async with asyncio.timeout(PROBE.total_seconds()):
                _, writer = await asyncio.open_connection(address, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True
