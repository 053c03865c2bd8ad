"""`purple schedule …`: recurring campaigns, and what became of each time that one was due."""

from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents
from cli.launching import Profile, ToolOption, parse_options, profile_of, put_files
from cli.listing import LIMIT, Asked, Filter, Limit, Listed, Output, Sort, form, show_list
from cli.output import Column, Format, document, note, table
from cli.runtime import organisation, with_container
from cli.target import find_or_register
from cli.timing import Calendar, CatchUp, Cron, EndAt, Jitter, Overlapping, StartAt, TimeZone, timing_of
from purple.domain.errors import InvalidInputError, NotFoundError
from purple.domain.pages import Query
from purple.domain.schedules import Schedule, Timing

FIELDS = "id, name, profile, authorisation_id, target_ids, state, owner, note, created_at, paused_at"
RUN_FIELDS = "id, due_at, cause, outcome, reason, campaign_id, created_at"
LISTED = Listed(
    "Schedules",
    "purple.schedules/1",
    (
        Column("id", whole=True),
        Column("state"),
        Column("name"),
        Column("due"),
        Column("note", optional=True),
        Column("profile", optional=True),
        Column("owner", optional=True),
    ),
)
RUNS = Listed(
    "Runs of a schedule",
    "purple.schedule-runs/1",
    (
        Column("due_at"),
        Column("outcome"),
        Column("campaign_state", "campaign", optional=True),
        Column("reason", "why nothing happened", optional=True),
        Column("cause", optional=True),
        Column("campaign_id", whole=True, optional=True),
    ),
)
_COMING = (Column("local", whole=True), Column("at", "UTC"), Column("note", optional=True))
One = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Its id or its name")]
Note = Annotated[str, typer.Option(help="Why, for people")]
AuthorisationId = Annotated[
    UUID | None, typer.Option("--authorisation", help="By default one that covers all targets", show_default=False)
]


async def find_schedule(container: Any, text: str) -> Schedule:
    """A schedule by its id, or by its name.

    Raises:
        NotFoundError: there is none.
    """
    try:
        known = UUID(text)
    except ValueError:
        page = await container.schedules.page(organisation(), Query({"name": text}, limit=1))
        if not page.items:
            raise NotFoundError(
                f"there is no schedule {text!r}", field="schedule", value=text, remedy="see `purple schedule list`"
            ) from None
        by_name: Schedule = page.items[0]
        return by_name
    by_id: Schedule = await container.schedules.get(organisation(), known)
    return by_id


def tabled(row: Any) -> dict[str, Any]:
    """A schedule with its timing in words."""
    timing = row.timing
    return documents.schedule(row) | {"due": f"{'; '.join((*timing.cron, *timing.calendar))} ({timing.time_zone})"}


def list_schedules(filter_: Filter = "", sort: Sort = "", limit: Limit = LIMIT, output: Output = None) -> None:
    """List, newest first."""
    asked = Asked(filter_, sort, limit, form(output))
    made = tabled if asked.output is Format.TABLE else documents.schedule
    with_container(lambda c: show_list(c.schedules.page, asked, LISTED, made))


def show(schedule: One, output: Output = None) -> None:
    """Show one, with its next ten runs."""
    wanted = form(output)

    async def look(container: Any) -> None:
        found = await find_schedule(container, schedule)
        coming = documents.coming(await container.schedules.coming(found))
        if wanted is Format.TABLE:
            document(documents.schedule(found), wanted)
            _show_coming(coming)
        else:
            document(documents.schedule(found) | {"coming": coming}, wanted)

    with_container(look)


def _show_coming(coming: dict[str, Any]) -> None:
    table("Next runs", _COMING, coming["runs"])
    for line in coming["left_out"]:
        note(line)


def preview(  # noqa: PLR0913, PLR0917 - the options of a command
    cron: Cron = None,
    calendar: Calendar = None,
    time_zone: TimeZone = None,
    jitter: Jitter = None,
    overlap: Overlapping = None,
    catch_up: CatchUp = None,
    start_at: StartAt = None,
    end_at: EndAt = None,
    authorisation: AuthorisationId = None,
    output: Output = None,
) -> None:
    """Show the next ten runs of a timing, and what daylight saving does to them; nothing is saved."""
    options = dict(locals())
    wanted = form(output)

    async def look(container: Any) -> dict[str, Any]:
        timing = timing_of(Timing(), container.clock.now(), options)
        return documents.coming(await container.schedules.preview(organisation(), timing, authorisation))

    coming = with_container(look)
    if wanted is Format.TABLE:
        _show_coming(coming)
    else:
        document(coming, wanted)


def add(  # noqa: PLR0913, PLR0917 - the options of a command
    name: Annotated[str, typer.Argument(help="For people; each schedule has its own")],
    targets: Annotated[list[str], typer.Argument(metavar="TARGET...", help="Ids of the register, or values")],
    cron: Cron = None,
    calendar: Calendar = None,
    time_zone: TimeZone = None,
    jitter: Jitter = None,
    overlap: Overlapping = None,
    catch_up: CatchUp = None,
    start_at: StartAt = None,
    end_at: EndAt = None,
    profile: Profile = None,
    authorisation: AuthorisationId = None,
    option: ToolOption = None,
    owner: Annotated[str, typer.Option(help="Who hears when it pauses itself")] = "admin",
    note: Note = "",
    paused: Annotated[bool, typer.Option("--paused", help="Start nothing until it is resumed")] = False,
    output: Output = None,
) -> None:
    """Write one down. Its next runs are shown; see `purple schedule preview` before."""
    given = dict(locals())
    options = parse_options(option or [])
    wanted = form(output)

    async def write(container: Any) -> tuple[Schedule, dict[str, Any]]:
        from purple.services.identity import ADMINISTRATOR
        from purple.services.schedules import Wanted

        timing = timing_of(Timing(), container.clock.now(), given)
        timing.check(container.clock.now())
        await put_files(container, options)
        chosen = [await find_or_register(container, text) for text in targets]
        contract = authorisation or (await container.single.covering(organisation(), *chosen)).id
        asked = Wanted(
            name=name,
            profile=profile_of(profile),
            target_ids=tuple(each.id for each in chosen),
            authorisation_id=contract,
            timing=timing,
            options=options,
            owner=owner,
            note=note,
            paused=paused,
            created_by=ADMINISTRATOR.user_id,
        )
        made = await container.schedules.create(organisation(), asked)
        return made, documents.coming(await container.schedules.coming(made))

    made, coming = with_container(write)
    document(documents.schedule(made), wanted)
    if wanted is Format.TABLE:
        _show_coming(coming)
    _say_untold(made)


def _say_untold(schedule: Schedule) -> None:
    if schedule.told_version < schedule.version:
        note("the workflow server is away: it is told of this when it is back")


def edit(  # noqa: PLR0913, PLR0917 - the options of a command
    schedule: One,
    name: Annotated[str | None, typer.Option(help="A new one", show_default=False)] = None,
    target: Annotated[list[str] | None, typer.Option(help="In place of all targets; again for each")] = None,
    cron: Cron = None,
    calendar: Calendar = None,
    time_zone: TimeZone = None,
    jitter: Jitter = None,
    overlap: Overlapping = None,
    catch_up: CatchUp = None,
    start_at: StartAt = None,
    end_at: EndAt = None,
    profile: Profile = None,
    authorisation: AuthorisationId = None,
    option: ToolOption = None,
    owner: Annotated[str | None, typer.Option(help="A new one", show_default=False)] = None,
    output: Output = None,
) -> None:
    """Change what is named; the rest stays."""
    given = dict(locals())
    options = parse_options(option or [])
    wanted = form(output)

    async def change(container: Any) -> Schedule:
        from purple.services.identity import ADMINISTRATOR

        known = await find_schedule(container, schedule)
        changes = {each: given[each] for each in ("name", "profile", "owner") if given[each] is not None}
        timing = timing_of(known.timing, container.clock.now(), given)
        if timing != known.timing:
            changes["timing"] = timing
        if authorisation is not None:
            changes["authorisation_id"] = authorisation
        if target:
            chosen = [await find_or_register(container, text) for text in target]
            changes["target_ids"] = tuple(each.id for each in chosen)
        if options:
            await put_files(container, options)
            changes["options"] = options
        if not changes:
            raise InvalidInputError("nothing to change", field="--name", remedy="name what becomes of it, see --help")
        changed: Schedule = await container.schedules.edit(
            organisation(), known.id, known.version, ADMINISTRATOR.user_id, **changes
        )
        return changed

    changed = with_container(change)
    note(f"changed {changed.name}")
    document(documents.schedule(changed), wanted)
    _say_untold(changed)
