"""Why sightings are one vulnerability, on the wire."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas import Answer, Body
from purple.domain.life import MAX_WHY
from purple.domain.rulings import MAX_JOINED
from purple.domain.severity import Severity


class SplitBody(Body):
    """What one rule of a tool saw is another flaw."""

    tool: str = Field(min_length=1, max_length=200)
    rule: str = Field(min_length=1, max_length=500, description="As its observations have it")
    why: str = Field(min_length=1, max_length=MAX_WHY)


class JoinBody(Body):
    """Others are this flaw."""

    others: list[UUID] = Field(min_length=1, max_length=MAX_JOINED)
    why: str = Field(min_length=1, max_length=MAX_WHY)


class RulingUndoBody(Body):
    """Why fingerprints decide again."""

    why: str = Field(min_length=1, max_length=MAX_WHY)


class InCommonAnswer(Answer):
    """Something that all its sightings have in common."""

    name: str = Field(description="cve, weakness, port, path, parameter, file, or a fact that its tool tells flaws by")
    value: str


class WitnessAnswer(Answer):
    """What one rule of one tool says of it."""

    tool: str
    rule: str
    title: str
    severity: Severity
    observations: int
    campaigns: int
    last_seen: datetime
    observation_id: UUID = Field(description="The newest")


class RulingAnswer(Answer):
    """What a person decided; `tool` and `rule` are empty where one flaw was joined with another."""

    id: UUID
    tool: str
    rule: str
    created_at: datetime
    actor: str
    why: str
    undone_at: datetime | None
    undone_by: str


class CorrelationAnswer(Answer):
    """Why all that was seen of a vulnerability is one flaw."""

    target_id: UUID
    parts: list[InCommonAnswer] = Field(description="With the target they make the fingerprint")
    witnesses: list[WitnessAnswer]
    rulings: list[RulingAnswer] = Field(description="In force, that brought sightings here or took some away")
    duplicate_of: UUID | None = Field(description="The vulnerability that has its sightings now")
