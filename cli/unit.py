"""`purple unit …`: the parts of the organisation, as a tree."""

from typing import Annotated, Any

import typer

from cli import documents
from cli.listing import LIMIT, Asked, Filter, Limit, Listed, Output, Sort, form, show_list
from cli.output import Column, Format, data, document, line, note, table
from cli.runtime import organisation, with_container
from purple.domain.errors import InvalidInputError
from purple.domain.units import SEPARATOR

FIELDS = "id, name, path, parent_id, owner, created_at"
LISTED = Listed(
    "Business units",
    "purple.business-units/1",
    (
        Column("path"),
        Column("owner", optional=True),
        Column("created_at", optional=True),
        Column("id", whole=True, optional=True),
    ),
)
STANDING = (
    Column("path"),
    Column("owner", optional=True),
    Column("targets", whole=True),
    Column("risk", whole=True),
    Column("present", "present vulnerabilities"),
)
One = Annotated[str, typer.Argument(metavar="UNIT", help="Its path, such as Retail/Payments, or its id")]


async def find_unit(container: Any, text: str) -> Any:
    """A unit by its path or id.

    Raises:
        NotFoundError: there is none.
    """
    return await container.units.named(organisation(), text)


async def unit_id(container: Any, text: str) -> Any:
    """The id of a unit by its path or id; None for an empty text."""
    return (await find_unit(container, text)).id if text else None


def list_units(filter_: Filter = "", sort: Sort = "", limit: Limit = LIMIT, output: Output = None) -> None:
    """List, in the order of their paths."""
    asked = Asked(filter_, sort, limit, form(output))
    with_container(lambda c: show_list(c.units.page, asked, LISTED, documents.unit))


def tree(output: Output = None) -> None:
    """Show the whole tree: targets, present vulnerabilities and risk of each unit with all that is below it."""
    wanted = form(output)
    rows = [documents.standing(each) for each in with_container(lambda c: c.units.tree(organisation()))]
    if wanted is Format.JSON:
        data({"schema": "purple.business-unit-tree/1", "items": rows})
    elif wanted is Format.JSONL:
        for each in rows:
            line(each)
    else:
        table("Business units", STANDING, rows)


def show(unit: One, output: Output = None) -> None:
    """Show one; `purple risk show --unit` says how it stands."""
    wanted = form(output)

    async def look(container: Any) -> None:
        document(documents.unit(await find_unit(container, unit)), wanted)

    with_container(look)


def add(
    path: Annotated[str, typer.Argument(metavar="PATH", help="Retail, or Retail/Payments where Retail is there")],
    owner: Annotated[str, typer.Option(help="A user name")] = "",
    output: Output = None,
) -> None:
    """Add one; what is above it must be there."""
    wanted = form(output)
    above, _, name = path.rpartition(SEPARATOR)

    async def make(container: Any) -> Any:
        parent = await unit_id(container, above)
        return await container.units.create(organisation(), name, parent_id=parent, owner=owner)

    document(documents.unit(with_container(make)), wanted)


def edit(
    unit: One,
    name: Annotated[str | None, typer.Option(help="A new name", show_default=False)] = None,
    under: Annotated[
        str | None,
        typer.Option("--under", metavar="UNIT", help="Move it under this one; empty for the top", show_default=False),
    ] = None,
    owner: Annotated[str | None, typer.Option(help="A user name; empty for nobody", show_default=False)] = None,
    output: Output = None,
) -> None:
    """Rename, move or hand over one; what is below it moves with it."""
    wanted = form(output)
    told = {"name": name, "owner": owner}
    changes: dict[str, Any] = {field: value for field, value in told.items() if value is not None}
    if not changes and under is None:
        raise InvalidInputError("nothing to change", field="--name", remedy="name what becomes of it, see --help")

    async def change(container: Any) -> Any:
        known = await find_unit(container, unit)
        if under is not None:
            changes["parent_id"] = await unit_id(container, under)
        return await container.units.edit(organisation(), known.id, known.version, **changes)

    changed = with_container(change)
    note(f"changed {changed.path}")
    document(documents.unit(changed), wanted)


def delete(unit: One) -> None:
    """Take an empty one away."""

    async def end(container: Any) -> str:
        known = await find_unit(container, unit)
        await container.units.delete(organisation(), known.id, known.version)
        return str(known.path)

    note(f"deleted {with_container(end)}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="The parts of the organisation, as a tree.", no_args_is_help=True)
    nouns.command("list", epilog=f"--filter and --sort take {FIELDS}.")(list_units)
    for verb in (tree, show, add, edit, delete):
        nouns.command()(verb)
    app.add_typer(nouns, name="unit")
