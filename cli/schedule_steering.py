"""`purple schedule …`: its verbs that steer, and what became of its runs."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from cli import documents
from cli.authorisation import moment
from cli.listing import LIMIT, Asked, Filter, Limit, Output, Sort, form, show_list
from cli.output import Format, document, note
from cli.runtime import organisation, with_container
from cli.schedule import (
    FIELDS,
    RUN_FIELDS,
    RUNS,
    Note,
    One,
    add,
    edit,
    find_schedule,
    list_schedules,
    preview,
    show,
)
from purple.domain.schedules import Schedule

Steer = Callable[[Any, Schedule], Awaitable[Schedule]]


def pause(schedule: One, note: Note = "", output: Output = None) -> None:
    """Start nothing until it is resumed; the note says why."""
    why = note
    _steer(schedule, output, "paused", lambda c, found: c.schedules.pause(organisation(), found.id, why))


def resume(schedule: One, note: Note = "", output: Output = None) -> None:
    """Go on; what was due meanwhile is not made up for: see `purple schedule backfill`."""
    why = note
    _steer(schedule, output, "resumed", lambda c, found: c.schedules.resume(organisation(), found.id, why))


def trigger(schedule: One, output: Output = None) -> None:
    """Run it now, also where it is paused."""
    said = "triggered; `purple schedule runs {id}` shows what became of it"
    _steer(schedule, output, said, lambda c, found: c.schedules.trigger(organisation(), found.id))


def delete(schedule: One) -> None:
    """End it; campaigns that run go on, and so does what they found."""

    async def end(container: Any) -> str:
        found = await find_schedule(container, schedule)
        await container.schedules.delete(organisation(), found.id)
        return found.name

    note(f"deleted {with_container(end)}")


def backfill(
    schedule: One,
    start: Annotated[str, typer.Option("--from", help="2026-01-31T18:00:00Z")],
    end: Annotated[str, typer.Option("--to", help="The same; by default now", show_default=False)] = "",
    output: Output = None,
) -> None:
    """Run what was due in a period of the past and did not begin, one after the other."""
    wanted = form(output)

    async def ask(container: Any) -> list[str]:
        now = container.clock.now()
        found = await find_schedule(container, schedule)
        until = moment(end, now, "--to") if end else now
        times = await container.schedules.backfill(organisation(), found.id, moment(start, now, "--from"), until)
        return [each.isoformat() for each in times]

    times = with_container(ask)
    note(f"{len(times)} runs are in line; `purple schedule runs` shows what became of them")
    document({"schema": "purple.schedule-backfill/1", "times": times}, wanted)


def list_runs(
    schedule: One, filter_: Filter = "", sort: Sort = "", limit: Limit = LIMIT, output: Output = None
) -> None:
    """What became of each time at which it was due, last first, and why nothing happened."""
    asked = Asked(filter_, sort, limit, form(output))

    async def look(container: Any) -> None:
        found = await find_schedule(container, schedule)
        await show_list(
            lambda whose, query: container.schedules.runs(whose, found.id, query), asked, RUNS, documents.schedule_run
        )

    with_container(look)


def _steer(schedule: str, output: Format | None, said: str, ask: Steer) -> None:
    wanted = form(output)

    async def steer(container: Any) -> Schedule:
        return await ask(container, await find_schedule(container, schedule))

    found = with_container(steer)
    note(f"{found.name}: {said.format(id=found.id)}")
    if wanted is not Format.TABLE:
        document(documents.schedule(found), wanted)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Recurring campaigns.", no_args_is_help=True)
    nouns.command("list", epilog=f"--filter and --sort take {FIELDS}.")(list_schedules)
    for verb in (show, preview, add, edit, pause, resume, trigger, backfill, delete):
        nouns.command()(verb)
    nouns.command("runs", epilog=f"--filter and --sort take {RUN_FIELDS}.")(list_runs)
    app.add_typer(nouns, name="schedule")
