"""The life of vulnerabilities in the hands of people: changes with who, when and why, comments, and triage of many."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from purple.domain.errors import ConflictError, InvalidInputError
from purple.domain.pages import Query
from purple.domain.vulnerabilities import ChangeCause, VulnerabilityState, check_transition

MAX_WHY = 2_000
MAX_COMMENT = 10_000
MAX_AT_ONCE = 5_000
"""Vulnerabilities of one triage."""
_FIRST_YEAR, _LAST_YEAR = 2000, 2999


def checked_why(text: str, *, needed: bool = True) -> str:
    """Why somebody changes something, with single blanks.

    Raises:
        InvalidInputError: it is too long, or there is none where one is needed.
    """
    why = " ".join(text.split())
    if len(why) > MAX_WHY or (needed and not why):
        raise InvalidInputError(
            f"say why in 1 to {MAX_WHY} characters", field="why", value=why[:50], remedy="write what made you sure"
        )
    return why


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks of one vulnerability or of many; None leaves as it is."""

    state: VulnerabilityState | None = None
    accepted_until: datetime | None = None
    """Belongs to `risk_accepted`, and to nothing else."""
    owner: str | None = None
    """A user name, or empty for nobody."""
    sets_due: bool = False
    due_at: datetime | None = None
    """Where `sets_due`: the day, or None for the policy's own."""
    why: str = ""

    def checked(self, now: datetime) -> "Wanted":
        """The same with a tidy why.

        Raises:
            InvalidInputError: it asks for nothing, does not say why, or an acceptance has no end in the future.
        """
        if self.state is None and self.owner is None and not self.sets_due:
            raise InvalidInputError("nothing is to be changed", field="state", remedy="give a state, owner or due date")
        why = checked_why(self.why, needed=self.state is not None)
        self._check_moments(now)
        return Wanted(self.state, self.accepted_until, self.owner, self.sets_due, self.due_at, why)

    def _check_moments(self, now: datetime) -> None:
        accepts = self.state is VulnerabilityState.RISK_ACCEPTED
        until = self.accepted_until
        for name, at in (("accepted_until", until), ("due_at", self.due_at)):
            if at is not None and (at.tzinfo is None or not _FIRST_YEAR <= at.year <= _LAST_YEAR):
                raise InvalidInputError(
                    f"{at} is no moment that we keep", field=name, value=at, remedy="give a date with its time zone"
                )
        if accepts and (until is None or until <= now):
            raise InvalidInputError(
                "a risk is accepted until a day in the future",
                field="accepted_until",
                value=until,
                remedy="say when it must be looked at again",
            )
        if until is not None and not accepts:
            raise InvalidInputError(
                "only an accepted risk has an end", field="accepted_until", value=until, remedy="leave it out"
            )


@dataclass(frozen=True, slots=True)
class Held:
    """What decides whether a vulnerability may be changed."""

    id: UUID
    target_id: UUID
    state: VulnerabilityState
    owner: str
    version: int


@dataclass(frozen=True, slots=True)
class Changed:
    """One vulnerability that was changed."""

    id: UUID
    version: int
    """Afterwards."""
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a vulnerability's history; append-only."""

    organisation_id: UUID
    vulnerability_id: UUID
    version: int
    """That it had afterwards."""
    at: datetime
    cause: ChangeCause
    actor: str
    """User name; empty where no person did it."""
    why: str
    campaign_id: UUID | None
    operation_id: UUID | None
    before: dict[str, Any]
    after: dict[str, Any]
    """The fields that changed: `state` (with `accepted_until`, `accepted_from`), `owner`, `due_at`, `severity`."""


@dataclass(frozen=True, slots=True)
class Comment:
    """What a person says of a vulnerability; append-only. The text is anybody's and never markup."""

    id: UUID
    organisation_id: UUID
    vulnerability_id: UUID
    created_at: datetime
    author: str
    body: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which vulnerabilities: some ids, or all that a filter finds."""

    ids: tuple[UUID, ...] = ()
    query: Query | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Vulnerabilities that a triage leaves alone, because of their state."""

    state: VulnerabilityState
    why: str
    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a triage changes, and what it leaves alone."""

    ids: tuple[UUID, ...]
    changes: dict[str, int]
    """How many it changes, by present state."""
    refused: tuple[Refused, ...]


def judge(found: Iterable[Held], wanted: Wanted) -> Verdict:
    """What would become of them: none is forced into a state that its own does not allow."""
    changes: Counter[str] = Counter()
    refused: dict[tuple[VulnerabilityState, str], list[UUID]] = {}
    ids = []
    for each in found:
        if why := _refusal(each, wanted):
            refused.setdefault((each.state, why), []).append(each.id)
        else:
            ids.append(each.id)
            changes[each.state] += 1
    told = tuple(Refused(state, why, tuple(those)) for (state, why), those in sorted(refused.items()))
    return Verdict(tuple(ids), dict(sorted(changes.items())), told)


def _refusal(one: Held, wanted: Wanted) -> str:
    """Why it stays as it is; empty where it changes."""
    if wanted.state is not None:
        try:
            check_transition(one.state, wanted.state)
        except ConflictError as error:
            return f"it is {one.state} already" if one.state is wanted.state else error.detail
    elif wanted.owner == one.owner and not wanted.sets_due:
        return "it has this owner already"
    return ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One triage of many, which can be undone once."""

    id: UUID
    organisation_id: UUID
    created_at: datetime
    actor: str
    why: str
    asked: dict[str, Any]
    outcome: dict[str, Any]
    """How many it changed by the state they had, and which it left alone."""
    undone_at: datetime | None = None
    undone_by: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """One vulnerability that an undo leaves alone."""

    id: UUID
    why: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What an undo did."""

    restored: tuple[Changed, ...]
    left: tuple[Left, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Who changes something, when, and as part of what."""

    cause: ChangeCause
    at: datetime
    actor: str = ""
    why: str = ""
    operation_id: UUID | None = None


class Lives(Protocol):
    """Changes of vulnerabilities: each call is one statement or two, however many there are, and writes the history."""

    async def select(self, chosen: Chosen, limit: int, *, lock: bool = False) -> Sequence[Held]:
        """At most so many of those chosen, in the order of their ids; locked until the transaction ends where asked.

        Raises:
            InvalidInputError: the filter cannot be read.
        """
        ...

    async def change(self, ids: Sequence[UUID], wanted: Wanted, told: Told) -> Sequence[Changed]:
        """Change all of these, which are locked and may be changed so."""
        ...

    async def take_back(self, operation_id: UUID, told: Told) -> TakenBack:
        """Give back what an operation changed, but for what somebody changed since."""
        ...

    async def end_acceptances(self, at: datetime, limit: int) -> Sequence[Changed]:
        """Give some of those whose accepted time is over the state that they had before."""
        ...


def event_data(one: Changed, told: Told) -> Mapping[str, Any]:
    """What the event of a change says: states and names, never a person's words."""
    shown = {name: value for name, value in one.after.items() if name != "accepted_from"}
    return {"cause": str(told.cause), "by": told.actor, "version": one.version, **shown}
