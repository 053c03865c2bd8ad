"""How risk was, day by day: of the organisation, of each business unit and of each target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Subject(StrEnum):
    """Whose risk."""

    ORGANISATION = "organisation"
    UNIT = "unit"
    TARGET = "target"


Scores = Mapping[tuple[Subject, UUID], int]
"""0 to 100, by subject and its id."""


@dataclass(frozen=True, slots=True)
class RiskDay:
    """A score, from that day on until the next one that is kept."""

    day: date
    score: int


class RiskHistory(Protocol):
    """Scores by day; a day on which nothing changed is not kept."""

    async def keep(self, day: date, scores: Scores) -> int:
        """Keep what is another score than before; what is not named has none any more. How many are kept."""
        ...

    async def days(self, subject: Subject, subject_id: UUID, since: date) -> Sequence[RiskDay]:
        """By day; the first is that in force on the first day, where there was one."""
        ...
