"""Business units on the wire."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas import Answer, Body
from purple.domain.severity import Severity
from purple.domain.units import MAX_NAME


class UnitBody(Body):
    """A business unit to add."""

    name: str = Field(min_length=1, max_length=MAX_NAME, examples=["Payments"], description="Without /")
    parent_id: UUID | None = Field(default=None, description="null is the top of the tree")
    owner: str = Field(default="", max_length=200, description="A user name, or empty for nobody")


class UnitEdit(Body):
    """What may change of a business unit; what is left out stays."""

    name: str = Field(default="", min_length=1, max_length=MAX_NAME)
    parent_id: UUID | None = Field(default=None, description="What is below it moves with it; null is the top")
    owner: str = Field(default="", max_length=200)


class UnitAnswer(Answer):
    """A business unit."""

    id: UUID
    name: str
    path: str = Field(description="The names from the top to it", examples=["Retail/Payments"])
    parent_id: UUID | None
    owner: str
    created_at: datetime


class StandingAnswer(Answer):
    """How a business unit stands, with all that is below it."""

    unit: UnitAnswer
    targets: int
    present: dict[Severity, int] = Field(description="Present vulnerabilities by severity")
    risk: int = Field(description="0 to 100")


class TreeAnswer(Answer):
    """Every unit, those above before those below."""

    items: list[StandingAnswer]
