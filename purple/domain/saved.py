"""Searches that people keep; one that is an alert tells of what matches it from then on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from purple.domain.errors import InvalidInputError
from purple.domain.search import Wanted

MAX_NAME = 100
MAX_QUERY = 2_000
MAX_SAVED = 200
"""Of one person."""
MAX_ALERTS = 50
"""Of one organisation: each is asked of everything that changes."""
MAX_MATCHES = 10_000
"""Of an alert when it is switched on: what finds more is no alert."""


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A query with a name."""

    id: UUID
    organisation_id: UUID
    owner: str
    """The user name of who keeps it, and alone may change it."""
    name: str
    query: str
    """In the language of `queries`."""
    created_at: datetime
    shared: bool = False
    """Whether everybody of the organisation sees it."""
    alert: bool = False
    """Whether receivers are told of what newly matches."""
    version: int = 1

    def shown_to(self, username: str) -> bool:
        """Whether they see it."""
        return self.shared or self.owner == username


def checked_name(text: str) -> str:
    """A name with single blanks.

    Raises:
        InvalidInputError: it is empty, or too long.
    """
    name = " ".join(text.split())
    if not name or len(name) > MAX_NAME:
        raise InvalidInputError(
            f"a name has 1 to {MAX_NAME} characters", field="name", value=name, remedy="write what it finds"
        )
    return name


class Alerts(Protocol):
    """What saved searches have found."""

    async def remove(self, search_id: UUID, version: int) -> None:
        """Delete a search with all that it has found.

        Raises:
            PreconditionFailedError: it has another version by now.
        """
        ...

    async def begin(self, search_id: UUID, wanted: Wanted, at: datetime) -> int:
        """Forget what was found, and note all that matches now; how many, or one more than may."""
        ...

    async def end(self, search_id: UUID) -> None:
        """Forget what was found."""
        ...

    async def news(self, search_id: UUID, wanted: Wanted, ids: Sequence[UUID], at: datetime) -> tuple[UUID, ...]:
        """Note those of these vulnerabilities that match and were not noted before, the highest risk first."""
        ...
