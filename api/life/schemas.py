"""Changes of vulnerabilities on the wire."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from api.deps import MAX_FILTER
from api.schemas import Answer, Body
from purple.domain.life import MAX_AT_ONCE, MAX_COMMENT, MAX_WHY, Operation
from purple.domain.vulnerabilities import ChangeCause, VulnerabilityState


class VulnerabilityEdit(Body):
    """What may change of a vulnerability; what is left out stays."""

    state: VulnerabilityState | None = Field(default=None, description="`fixed` is earned by a scan and refused here")
    accepted_until: AwareDatetime | None = Field(default=None, description="With `risk_accepted`, and only there")
    owner: str | None = Field(default=None, max_length=200, description="A user name, or empty for nobody")
    due_at: AwareDatetime | None = Field(default=None, description="null gives it back to the policy")
    why: str = Field(default="", max_length=MAX_WHY, description="A change of state needs one")


class TriageBody(Body):
    """Vulnerabilities, by ids or by a filter, and what is to become of them."""

    ids: list[UUID] | None = Field(default=None, min_length=1, max_length=MAX_AT_ONCE)
    filter: str | None = Field(default=None, max_length=MAX_FILTER, description="As the list takes it; instead of ids")
    state: VulnerabilityState | None = None
    accepted_until: AwareDatetime | None = None
    owner: str | None = Field(default=None, max_length=200)
    due_at: AwareDatetime | None = Field(default=None, description="null gives them back to the policy")
    why: str = Field(min_length=1, max_length=MAX_WHY)
    preview: bool = Field(default=False, description="Only tell what would change")


class RefusedAnswer(Answer):
    """Vulnerabilities that are left alone."""

    state: VulnerabilityState
    why: str
    ids: list[UUID]


class TriageAnswer(Answer):
    """What a triage did, or would do."""

    operation_id: UUID | None = Field(description="What undoing needs; null of a preview")
    changed: int
    changes: dict[str, int] = Field(description="How many, by the state they have before")
    refused: list[RefusedAnswer]


class OperationAnswer(Answer):
    """One triage of many, as it was done."""

    id: UUID
    created_at: datetime
    actor: str
    why: str
    asked: dict[str, Any] = Field(description="Ids or filter, and what they were to become")
    changed: int
    changes: dict[str, int] = Field(description="How many, by the state they had before")
    undone_at: datetime | None
    undone_by: str

    @classmethod
    def of(cls, done: Operation) -> "OperationAnswer":
        """With what came of it."""
        told = {name: getattr(done, name) for name in cls.model_fields if hasattr(done, name)}
        return cls(**told, changed=done.outcome["changed"], changes=done.outcome["changes"])


class UndoBody(Body):
    """Why a triage is undone."""

    why: str = Field(default="", max_length=MAX_WHY)


class LeftAnswer(Answer):
    """One that an undo leaves alone."""

    id: UUID
    why: str


class TakenBackAnswer(Answer):
    """What an undo did."""

    operation_id: UUID
    restored: int
    left: list[LeftAnswer]


class ChangeAnswer(Answer):
    """One entry of a history."""

    version: int = Field(description="That the vulnerability had afterwards")
    at: datetime
    cause: ChangeCause
    actor: str = Field(description="User name; empty where no person did it")
    why: str
    campaign_id: UUID | None
    operation_id: UUID | None
    before: dict[str, Any]
    after: dict[str, Any]


class CommentBody(Body):
    """What to say."""

    body: str = Field(min_length=1, max_length=MAX_COMMENT)


class CommentAnswer(Answer):
    """What a person said; never markup."""

    id: UUID
    created_at: datetime
    author: str
    body: str
