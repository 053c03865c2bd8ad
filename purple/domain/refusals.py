"""What contracts refused: written down once, never changed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal, with the rule that it names."""

    id: UUID
    organisation_id: UUID
    at: datetime
    rule: str
    detail: str
    target: str = ""
    """As it was written; empty where no target was looked at yet."""
    tool: str = ""
    authorisation_id: UUID | None = None
    """None where no contract covers what was asked."""
    campaign_id: UUID | None = None
    """None where the campaign was refused before it had its row."""
    scan_id: UUID | None = None
