"""What a schedule will do: its next runs, the clocks' part in them, and what its authorisation would refuse."""

from dataclasses import dataclass
from datetime import datetime

from purple.domain.calendars import copy_of, zone_of
from purple.domain.errors import OutOfScopeError
from purple.domain.schedules import Timing, preview_of
from purple.domain.scope import Authorisation, check_contract
from purple.domain.tools import Intrusiveness

_TWICE = (
    "",
    "the clocks show this time twice: this is the first of the two",
    "the clocks show this time twice: this is the second of the two",
)
_ENDED = frozenset({"revoked", "expired"})


@dataclass(frozen=True, slots=True)
class ComingRun:
    """A run that will be due."""

    at: datetime
    local: datetime
    """In the schedule's own time zone."""
    note: str = ""
    """What happens to it when the clocks change, or why it would be refused."""


@dataclass(frozen=True, slots=True)
class Coming:
    """The next runs, and what the clocks leave out between them."""

    runs: tuple[ComingRun, ...]
    left_out: tuple[str, ...] = ()


def coming_of(timing: Timing, authorisation: Authorisation | None, now: datetime) -> Coming:
    """The next ten runs, in the time zone of the timing."""
    found = preview_of(timing, now)
    zone = zone_of(timing.time_zone)
    runs = [ComingRun(at, at.astimezone(zone), _note(timing, authorisation, at)) for at in found.runs]
    left_out = [
        f"{each:%Y-%m-%d %H:%M} does not exist in {timing.time_zone}: the clocks leave it out, nothing runs"
        for each in found.left_out
    ]
    return Coming(tuple(runs), tuple(left_out))


def _note(timing: Timing, authorisation: Authorisation | None, at: datetime) -> str:
    if refused := refusal(authorisation, at):
        return f"it would be refused by then: {refused}"
    return _TWICE[copy_of(at, zone_of(timing.time_zone))]


def refusal(authorisation: Authorisation | None, at: datetime, rules: frozenset[str] | None = None) -> str:
    """Why an authorisation does not hold at a time, by any rule or by one of these; empty where it does."""
    if authorisation is None:
        return ""
    try:
        check_contract(authorisation, at=at, intrusiveness=Intrusiveness.PASSIVE)
    except OutOfScopeError as refused:
        return refused.line() if rules is None or refused.rule in rules else ""
    return ""


def end_of(authorisation: Authorisation, now: datetime) -> str:
    """How an authorisation ended for good; empty while it has not."""
    return refusal(authorisation, now, _ENDED)
