"""What the gate of a host, its steps and the campaigns that wait there say to each other."""

from uuid import UUID

from purple.contracts.base import Contract


class GateRef(Contract):
    """Which gate."""

    organisation_id: UUID
    host: str


class GateTurn(Contract):
    """What came of a look at the queue."""

    waiting: int = 0
    """Who still waits, for a turn or for the host."""
    away: bool = False
    """Whether the host is gone."""
    look_again_s: float = 30.0
    words: str = ""
    """For people."""


class GateOpen(Contract):
    """The turn of a scan has come; the argument of a signal to its campaign."""

    scan_id: UUID
