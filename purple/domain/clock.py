"""Time, randomness and names of the network are handed in, so that tests are exact."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """The time of day."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...


class Ids(Protocol):
    """A source of new identifiers."""

    def new(self) -> UUID:
        """A time-ordered UUID (version 7, RFC 9562)."""
        ...


class Resolver(Protocol):
    """The Domain Name System."""

    async def resolve(self, name: str) -> tuple[str, ...]:
        """All addresses of a name, IPv4 first.

        Raises:
            InvalidInputError: the name does not resolve.
        """
        ...
