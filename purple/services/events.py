"""Events whose ids come from what they tell, so that telling twice is telling once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from purple.domain.events import Event


def event(
    organisation_id: UUID,
    kind: str,
    subject_id: UUID,
    at: datetime,
    *,
    campaign_id: UUID | None = None,
    data: Mapping[str, Any] | None = None,
    occasion: str = "",
) -> Event:
    """The event of one thing happening to one subject.

    Args:
        organisation_id: the tenant.
        kind: `scan.ended` and the like.
        subject_id: what it happened to.
        at: when.
        campaign_id: the campaign it belongs to.
        data: small JSON.
        occasion: tells two happenings of one kind to one subject apart, such as an attempt.
    """
    key = f"{kind}|{campaign_id or ''}|{occasion}"
    return Event(
        id=uuid5(subject_id, key),
        organisation_id=organisation_id,
        type=kind,
        subject_id=subject_id,
        at=at,
        data=dict(data or {}),
        campaign_id=campaign_id,
    )
