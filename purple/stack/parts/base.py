"""What every part of the stack says of itself, and what it is told of the place it runs in."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from purple.domain.errors import PurpleError
from purple.settings import Settings
from purple.stack.files import Secrets, own_folder, reachable
from purple.stack.ports import LOOPBACK, Ports, answers
from purple.stack.processes import Launch, ServerUser

Say = Callable[[str], None]
"""Tells the user what a part is busy with, one short sentence."""


class PartAbsentError(PurpleError):
    """A part cannot be had here, and the stack works without it; the detail says what that means."""

    status = 503
    code = "part-absent"
    title = "A part of the stack is missing"


@dataclass(frozen=True)
class Site:
    """Where a stack lives and under which rules."""

    home: Path
    cache: Path
    own: Settings
    """What the user set: environment and `.env`, never what a stack wrote itself."""
    user: ServerUser | None
    ports: Ports
    secrets: Secrets
    ephemeral: bool = False
    """The data may be lost with the machine's power: tests."""

    def folder(self, name: str) -> Path:
        """The data folder of a server, closed to everybody but the server's user."""
        path = own_folder(self.home / name, self.user)
        if not reachable(path, self.user):
            raise PurpleError(
                f"{self.home} is closed to the user {self.user.name if self.user else os.geteuid()}, "
                "as whom the servers run",
                field="stack.home",
                value=self.home,
                remedy="set PURPLE_STACK__HOME to a folder that every user may enter",
            )
        return path


class Part(ABC):
    """One process of the stack, or a server of the user's own that stands in for it."""

    needs: tuple[str, ...] = ()
    """Parts that must be ready before this one starts."""
    once: bool = False
    """Whether the process is to end with code 0 rather than to stay."""
    early: bool = False
    """Whether its offers hold before it serves, even before what it needs does, so that others need not wait for it."""
    follows: tuple[str, ...] = ()
    """How the settings begin whose change makes it start again; none by default."""
    start_timeout_s: float = 90.0

    def __init__(self, name: str, title: str, site: Site) -> None:
        self.name = name
        self.title = title
        self.site = site
        self.offered: Callable[[], dict[str, str]] = dict
        """What the other parts have offered so far; set by the supervisor."""

    @abstractmethod
    def prepare(self, say: Say) -> Launch | None:
        """Get what is missing and say how to start; None where nothing is to be started. May take minutes.

        Raises:
            PartAbsentError: it cannot be had, and that is no failure.
            PurpleError: it cannot start, with the remedy.
        """

    @abstractmethod
    def healthy(self) -> bool:
        """Whether it serves now; returns within two seconds or so and raises nothing."""

    def settle(self) -> None:  # noqa: B027 - most parts have nothing to settle
        """Finish the set-up once it serves: roles, databases. May run again at each start."""

    def offers(self) -> dict[str, str]:
        """Settings by which others find it, as environment variables; known after `prepare`."""
        return {}


class External(Part):
    """A server of the user's own: nothing is started, only looked at."""

    def __init__(self, name: str, title: str, site: Site, *, host: str, port: int) -> None:
        super().__init__(name, title, site)
        self.host = host
        self.port = port

    def prepare(self, say: Say) -> None:
        """Nothing to start."""
        say(f"yours, at {self.host}:{self.port}")

    def healthy(self) -> bool:
        """Whether it accepts connections."""
        return answers(self.host, self.port)


__all__ = ["LOOPBACK", "External", "Part", "PartAbsentError", "Say", "Site"]
