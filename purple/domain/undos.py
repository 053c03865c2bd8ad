"""Undos: how to take back what a tool changed, written down before the tool acts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from purple.domain.targets import Address
from purple.domain.tools import ToolTarget

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0


class UndoState(StrEnum):
    """How far an undo is."""

    OPEN = "open"
    """Registered; what it takes back may be there."""
    DONE = "done"
    FAILED = "failed"
    """Tried as often as the settings say; a person must look."""


@dataclass(frozen=True, slots=True)
class Undo:
    """One change at one place, and the way back."""

    id: UUID
    organisation_id: UUID
    campaign_id: UUID
    scan_id: UUID
    tool: str
    role: str
    """The worker role that runs it: the tool's own."""
    title: str
    """What it does, for people."""
    instructions: str
    """What a person does by hand where it keeps failing."""
    job: dict[str, Any]
    """The command's arguments as data: host, checked address, port, URL and options of the run that it takes back."""
    timeout_s: float
    state: UndoState
    created_at: datetime
    """When it was registered: before the tool acted."""
    round: int = 1
    """How often it was opened: the tool acted again, or a person had it tried again."""
    attempts: int = 0
    """In this round."""
    last_error: str = ""
    done_at: datetime | None = None
    done_by: str = ""
    """Who says that it was done by hand; empty where a worker did it."""
    done_why: str = ""
    zone: str = ""
    """Whose workers reach the place."""

    @property
    def place(self) -> Address:
        """Where it acts."""
        return Address(self.job["host"], self.job["port"], self.job["url"])

    @property
    def endpoint(self) -> str:
        """Where it acts, for people."""
        return self.place.endpoint

    @property
    def target(self) -> ToolTarget:
        """Where it acts, as the tool is told: at the address that was checked before the tool acted."""
        return ToolTarget(self.job["host"], self.job["address"], self.job["port"], self.job["url"])


def undo_id_of(scan_id: UUID, attempt: int) -> UUID:
    """The undo's id: the same however often a worker takes an attempt up."""
    return uuid5(scan_id, f"undo:{attempt}")


def wait_after(attempt: int) -> float:
    """Seconds until the next attempt: twice as long each time, a minute at most."""
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(attempt - 1, 16))
