"""One envelope for everything that happens; it is written with the change it tells of."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """A fact, in the past tense: `scan.completed`, `campaign.started`."""

    id: UUID
    organisation_id: UUID
    type: str
    subject_id: UUID
    """What it is about: campaign, scan, vulnerability …"""
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)
    """Small JSON: ids, states, counts; never tool output."""
    campaign_id: UUID | None = None
    position: int | None = None
    """Given by the relay after commit; readers resume on it."""
