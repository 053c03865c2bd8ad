"""What stands between a tool and the machine that it runs on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Start:
    """How a program is started."""

    argv: tuple[str, ...]
    """Its path and its arguments."""
    environment: Mapping[str, str]
    """All of it."""
    work: Path
    """The folder that it runs in and may write to."""
    writes: tuple[Path, ...] = ()
    """Other folders that it keeps for itself from run to run."""
    reads: tuple[Path, ...] = ()
    """Folders and files that it is given to read, wherever they are and whoever owns them."""


class Isolation(Protocol):
    """Starts a program so that it sees and reaches less; what it prints and how it ends stay as they are.

    Whatever it starts ends when the process that it became is killed.
    """

    @property
    def name(self) -> str:
        """`none` or what isolates."""
        ...

    @property
    def detail(self) -> str:
        """What holds, or why nothing does and what to do about it; one sentence."""
        ...

    def around(self, start: Start) -> Start:
        """What to start in its place."""
        ...

    def complaint(self, code: int, stderr: Path) -> str:
        """Why it could not start the program, where it was not the program that ended with this code; else nothing."""
        ...
