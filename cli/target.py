"""`purple target …`: the register of what may be tested."""

from typing import Annotated, Any, NamedTuple
from uuid import UUID

import typer

from cli import documents
from cli.listing import LIMIT, Asked, Filter, Limit, Listed, Output, Sort, form, show_list
from cli.output import Column, Format, data, document, line, note, table
from cli.runtime import organisation, with_container
from cli.target_files import export_targets, import_targets
from cli.unit import unit_id
from purple.domain.errors import InvalidInputError, NotFoundError
from purple.domain.pages import Query
from purple.domain.target_fields import custom_fields, custom_mapping, custom_pairs
from purple.domain.targets import Control, Criticality, DataClass, Environment, Exposure, Target, TargetKind, recognise

FIELDS = (
    "id, kind, value, name, criticality, tags, zone, exposure, data_class, controls, unit, "
    "environment, category, frameworks, custom, created_at, retired_at, machine_id"
)
LISTED = Listed(
    "Targets",
    "purple.targets/1",
    (
        Column("id", whole=True),
        Column("value"),
        Column("name", optional=True),
        Column("kind", optional=True),
        Column("criticality", optional=True),
        Column("tags", optional=True),
        Column("unit", optional=True),
        Column("environment", optional=True),
        Column("category", optional=True),
        Column("zone", optional=True),
        Column("created_at", optional=True),
    ),
)
GATE = (
    Column("state"),
    Column("tool"),
    Column("endpoint"),
    Column("host", optional=True),
    Column("exclusive", "alone", optional=True),
    Column("since", optional=True),
    Column("reason", optional=True),
    Column("campaign_id", "campaign", whole=True, optional=True),
)
One = Annotated[str, typer.Argument(metavar="TARGET", help="Its id, or its value as it was registered")]


async def find_target(container: Any, text: str) -> Target:
    """A target by its id, or by its value.

    Raises:
        InvalidInputError: the text is neither.
        NotFoundError: it is not registered.
    """
    try:
        known = UUID(text)
    except ValueError:
        kind, value = recognise(text)
    else:
        by_id: Target = await container.targets.get(organisation(), known)
        return by_id
    page = await container.targets.page(organisation(), Query({"kind": kind, "value": value}, limit=1))
    if not page.items:
        raise NotFoundError(f"{value} is not registered", field="target", value=text, remedy="see `purple target list`")
    found: Target = page.items[0]
    return found


async def find_or_register(container: Any, text: str) -> Target:
    """One of the register by its id; a value that is new is registered."""
    try:
        UUID(text)
    except ValueError:
        registered: Target = await container.targets.ensure(organisation(), text)
        return registered
    return await find_target(container, text)


async def told(container: Any, row: Target) -> dict[str, Any]:
    """A target as it is shown, with the path of its business unit."""
    units = {row.unit_id: (await container.units.get(organisation(), row.unit_id)).path} if row.unit_id else {}
    return documents.target(row, units)


def list_targets(filter_: Filter = "", sort: Sort = "", limit: Limit = LIMIT, output: Output = None) -> None:
    """List, newest first."""
    asked = Asked(filter_, sort, limit, form(output))

    async def look(container: Any) -> None:
        units = {each.id: each.path for each in await container.units.all(organisation())}
        await show_list(container.targets.page, asked, LISTED, lambda row: documents.target(row, units))

    with_container(look)


def show(target: One, output: Output = None) -> None:
    """Show one."""
    wanted = form(output)

    async def look(container: Any) -> None:
        document(await told(container, await find_target(container, target)), wanted)

    with_container(look)


def gate(target: One, output: Output = None) -> None:
    """Show which tools of any campaign run against one, which wait, and whether it stopped answering."""
    wanted = form(output)

    async def look(container: Any) -> Any:
        known = await find_target(container, target)
        return await container.gatekeeping.standing(organisation(), known.id)

    standing = with_container(look)
    found = documents.gate(standing)
    if wanted is not Format.TABLE:
        document(found, wanted)
        return
    for breaker in standing.breakers:
        note(f"{breaker}; nothing starts there until it is back")
    table(f"At most {found['tools_at_once']} tools at once", GATE, [*found["running"], *found["waiting"]])


def add(  # noqa: PLR0913, PLR0917 - the options of a command
    values: Annotated[list[str], typer.Argument(metavar="VALUE...", help="URLs, hosts, host:port, networks")],
    kind: Annotated[
        TargetKind | None, typer.Option(help="By default recognised by how it is written", show_default=False)
    ] = None,
    name: Annotated[str, typer.Option(help="For people; by default its value")] = "",
    criticality: Annotated[Criticality, typer.Option(help="How much depends on it")] = Criticality.MEDIUM,
    tag: Annotated[list[str] | None, typer.Option(help="Again for each")] = None,
    zone: Annotated[str, typer.Option(help="The network zone whose workers alone reach it")] = "",
    exposure: Annotated[Exposure, typer.Option(help="From where it is reached")] = Exposure.UNKNOWN,
    data_class: Annotated[DataClass, typer.Option(help="What data it holds")] = DataClass.UNKNOWN,
    control: Annotated[list[Control] | None, typer.Option(help="Stands before its flaws; again for each")] = None,
    unit: Annotated[str, typer.Option(help="The business unit it belongs to: its path or id")] = "",
    environment: Annotated[Environment, typer.Option(help="What it is for")] = Environment.UNKNOWN,
    category: Annotated[str, typer.Option(help="What sort of asset it is to you")] = "",
    framework: Annotated[list[str] | None, typer.Option(help="What it must comply with; again for each")] = None,
    custom: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A field of your own; again for each")
    ] = None,
    output: Output = None,
) -> None:
    """Register targets. To register one says nothing about whether it may be tested: see `purple authorisation`."""
    wanted = form(output)
    if name and len(values) > 1:
        raise InvalidInputError(
            "one name for several targets", field="--name", value=name, remedy="add them one by one"
        )

    fields: dict[str, Any] = {"kind": kind, "name": name, "criticality": criticality, "tags": tag or (), "zone": zone}
    fields |= {"exposure": exposure, "data_class": data_class, "controls": control or ()}
    fields |= {"environment": environment, "category": category, "frameworks": framework or (), "custom": custom or ()}

    async def register_them(container: Any) -> list[dict[str, Any]]:
        fields["unit_id"] = await unit_id(container, unit)
        made = [await container.targets.create(organisation(), value, **fields) for value in values]
        return [await told(container, each) for each in made]

    made = with_container(register_them)
    if wanted is Format.JSON:
        data({"schema": LISTED.schema, "items": made})
    elif wanted is Format.JSONL:
        for each in made:
            line(each)
    else:
        table("Registered", LISTED.columns, made)


def edit(  # noqa: PLR0913, PLR0917 - the options of a command
    target: One,
    name: Annotated[str | None, typer.Option(help="A new name", show_default=False)] = None,
    criticality: Annotated[Criticality | None, typer.Option(help="A new one", show_default=False)] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Add a tag; again for each")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="Take a tag away; again for each")] = None,
    zone: Annotated[str | None, typer.Option(help="Its network zone; empty for none", show_default=False)] = None,
    exposure: Annotated[Exposure | None, typer.Option(help="From where it is reached", show_default=False)] = None,
    data_class: Annotated[DataClass | None, typer.Option(help="What data it holds", show_default=False)] = None,
    control: Annotated[list[Control] | None, typer.Option(help="Stands before its flaws; again for each")] = None,
    unit: Annotated[str | None, typer.Option(help="Its business unit; empty for none", show_default=False)] = None,
    no_controls: Annotated[bool, typer.Option("--no-controls", help="Nothing stands before them any more")] = False,
    environment: Annotated[Environment | None, typer.Option(help="What it is for", show_default=False)] = None,
    category: Annotated[
        str | None, typer.Option(help="What sort of asset it is; empty for none", show_default=False)
    ] = None,
    framework: Annotated[list[str] | None, typer.Option(help="It must comply with this too; again for each")] = None,
    no_framework: Annotated[list[str] | None, typer.Option(help="It need not any more; again for each")] = None,
    custom: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A field of your own; again for each"),
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Take such a field away; again for each")
    ] = None,
    output: Output = None,
) -> None:
    """Change what is named of a target; what is not named stays."""
    wanted = form(output)
    given = {"name": name, "criticality": criticality, "zone": zone, "exposure": exposure, "data_class": data_class}
    given |= {"environment": environment, "category": category}
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if control or no_controls:
        changes["controls"] = control or ()
    lists = Lists(tag, untag, framework, no_framework, custom, unset)
    if not changes and not any(lists) and unit is None:
        raise InvalidInputError("nothing to change", field="--name", remedy="name what becomes of it, see --help")

    async def change(container: Any) -> dict[str, Any]:
        known = await find_target(container, target)
        changes.update(lists.changes(known))
        if unit is not None:
            changes["unit_id"] = await unit_id(container, unit)
        return await told(container, await container.targets.edit(organisation(), known.id, known.version, **changes))

    changed = with_container(change)
    note(f"changed {changed['value']}")
    document(changed, wanted)


def retire(
    target: One, why: Annotated[str, typer.Option("--why", help="Why it is tested no more")], output: Output = None
) -> None:
    """Test it no more. It is kept, with its history; its present vulnerabilities go out of scope."""
    wanted = form(output)

    async def act(container: Any) -> dict[str, Any]:
        from purple.services.identity import ADMINISTRATOR

        known = await find_target(container, target)
        return await told(container, await container.retiring.retire(known.id, known.version, why, ADMINISTRATOR))

    done = with_container(act)
    note(f"retired {done['value']}: `purple target restore` brings it back")
    document(done, wanted)


def restore(target: One, output: Output = None) -> None:
    """Test it again; its vulnerabilities are what they were, but for what somebody changed since."""
    wanted = form(output)

    async def act(container: Any) -> dict[str, Any]:
        from purple.services.identity import ADMINISTRATOR

        known = await find_target(container, target)
        return await told(container, await container.retiring.restore(known.id, known.version, ADMINISTRATOR))

    done = with_container(act)
    note(f"restored {done['value']}")
    document(done, wanted)


class Lists(NamedTuple):
    """What comes to a target's lists and what goes."""

    tag: list[str] | None
    untag: list[str] | None
    framework: list[str] | None
    no_framework: list[str] | None
    custom: list[str] | None
    unset: list[str] | None

    def changes(self, known: Target) -> dict[str, Any]:
        """By field of the target."""
        found: dict[str, Any] = {}
        if self.tag or self.untag:
            found["tags"] = (set(known.tags) | set(self.tag or ())) - set(self.untag or ())
        if self.framework or self.no_framework:
            found["frameworks"] = (set(known.frameworks) | set(self.framework or ())) - set(self.no_framework or ())
        if self.custom or self.unset:
            named = custom_mapping(known.custom) | custom_mapping(custom_fields(self.custom or ()))
            found["custom"] = custom_pairs({name: named[name] for name in named.keys() - set(self.unset or ())})
        return found


def register(app: typer.Typer) -> None:
    """Add the commands."""
    from cli import target_machines  # which finds targets as this one does

    nouns = typer.Typer(help="The register of what may be tested.", no_args_is_help=True)
    nouns.command("list", epilog=f"--filter and --sort take {FIELDS}.")(list_targets)
    nouns.command("import")(import_targets)
    nouns.command("export", epilog=f"--filter takes {FIELDS}.")(export_targets)
    for verb in (show, add, edit, retire, restore, gate):
        nouns.command()(verb)
    target_machines.register(nouns)
    app.add_typer(nouns, name="target")
