"""What the undo workflow and its steps say to each other."""

from uuid import UUID

from purple.contracts.base import Contract
from purple.contracts.campaigns import CampaignRef
from purple.domain.undos import UndoState


class UndoInput(Contract):
    """Run every open undo of a campaign."""

    ref: CampaignRef
    ends: str = ""
    """Why the campaign ends here, where its own workflow no longer can; else empty."""


class UndoStep(Contract):
    """One undo to dispatch."""

    undo_id: UUID
    tool: str
    role: str
    host: str
    """Undos of one host run one after another."""
    endpoint: str
    """For people."""
    timeout_s: float
    attempts: int = 0
    """So far."""
    zone: str = ""


class OpenUndos(Contract):
    """What is still to be undone, the newest change first; not more than go into a history at once."""

    undos: tuple[UndoStep, ...] = ()


class RunUndo(Contract):
    """Run an undo, for the n-th time from 1."""

    ref: CampaignRef
    undo_id: UUID
    attempt: int


class UndoOutcome(Contract):
    """How an attempt ended; an undo that is still open is tried again after the wait."""

    state: UndoState
    reason: str = ""
    wait_s: float = 0.0


class UndoAlarm(Contract):
    """Tell people of an undo that keeps failing."""

    ref: CampaignRef
    undo_id: UUID


class Undone(Contract):
    """What became of the undos; the workflow's result."""

    done: int = 0
    failed: int = 0
