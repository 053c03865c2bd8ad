"""When a schedule is due, as options of commands."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import typer

from cli.authorisation import moment
from purple.domain.errors import InvalidInputError
from purple.domain.schedules import Overlap, Timing

_LENGTH = re.compile(r"(\d{1,6})(s|m|h|d)?\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Cron = Annotated[list[str] | None, typer.Option(help="Such as '30 3 * * mon-fri'; again for each")]
Calendar = Annotated[
    list[str] | None, typer.Option(help="Such as 'hour=3 day_of_month=1-7 day_of_week=sun'; again for each")
]
TimeZone = Annotated[
    str | None, typer.Option(help="An IANA name such as Europe/Berlin; by default UTC", show_default=False)
]
Jitter = Annotated[
    str | None, typer.Option(help="Begin up to so much late, at random, such as 90s or 10m", show_default=False)
]
Overlapping = Annotated[
    Overlap | None,
    typer.Option("--overlap", help="While the run before goes on; by default skip", show_default=False),
]
CatchUp = Annotated[
    str | None, typer.Option(help="How late it may begin after an outage; by default 5m", show_default=False)
]
StartAt = Annotated[str | None, typer.Option(help="Nothing is due before this moment", show_default=False)]
EndAt = Annotated[str | None, typer.Option(help="Nothing is due after this moment", show_default=False)]


def length(text: str, field: str) -> int:
    """A length of time in seconds.

    Raises:
        InvalidInputError: it is none.
    """
    match = _LENGTH.match(text.strip())
    if match is None:
        raise InvalidInputError(
            f"{text!r} is no length of time", field=field, value=text, remedy="write it as 90s, 10m or 1h"
        )
    return int(match[1]) * _SECONDS[match[2] or "s"]


def timing_of(known: Timing, now: datetime, options: dict[str, Any]) -> Timing:
    """A timing with what was given changed; new expressions and calendars stand in place of all old ones.

    Raises:
        InvalidInputError: one of the options cannot be read.
    """
    changes: dict[str, Any] = {}
    if options["cron"] or options["calendar"]:
        changes = {name: tuple(options[name] or ()) for name in ("cron", "calendar")}
    for name in ("time_zone", "overlap"):
        if options[name] is not None:
            changes[name] = options[name]
    for option, name in (("jitter", "jitter_s"), ("catch_up", "catch_up_s")):
        if options[option] is not None:
            changes[name] = length(options[option], f"--{option.replace('_', '-')}")
    for name in ("start_at", "end_at"):
        if options[name] is not None:
            changes[name] = moment(options[name], now, f"--{name.replace('_', '-')}")
    return replace(known, **changes)
