"""Undos on the wire."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas import Answer, Body
from purple.domain.undos import UndoState
from purple.services.undos import MAX_WHY


class DoneBody(Body):
    """That an undo was done by hand."""

    why: str = Field(min_length=1, max_length=MAX_WHY, description="What was done, and how it was seen to work")


class UndoAnswer(Answer):
    """How to take back what a tool changed, and how far that is."""

    id: UUID
    campaign_id: UUID
    scan_id: UUID
    tool: str
    title: str
    endpoint: str
    state: UndoState
    attempts: int
    last_error: str
    instructions: str = Field(description="What a person does by hand where it keeps failing")
    registered_at: datetime = Field(validation_alias="created_at", description="Before the tool acted")
    done_at: datetime | None
    done_by: str = Field(description="Who says that it was done by hand; empty where a worker did it")
    done_why: str
