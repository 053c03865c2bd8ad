"""`purple target import` and `export`: the register as a file."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import documents
from cli.listing import Filter, Output, everything, form
from cli.output import Column, Format, cell, document, note, table
from cli.runtime import organisation, with_container
from purple.domain.errors import ExitCode, InvalidInputError
from purple.domain.pages import Query
from purple.domain.target_files import write

LINES = (
    Column("row", whole=True),
    Column("becomes", whole=True),
    Column("value"),
    Column("changes"),
)
REFUSED = (
    Column("row", whole=True),
    Column("field", whole=True),
    Column("value"),
    Column("detail"),
    Column("remedy", optional=True),
)
SHOWN = 50


def import_targets(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would change, and what is refused")
    ] = False,
    output: Output = None,
) -> None:
    """Register and change targets as a file says: all of them, or none where a row is refused.

    CSV names its columns in the first line: value, and any of kind, name, criticality, exposure, data_class, tags,
    unit, zone, controls, environment, category, frameworks, custom. An empty cell says nothing,
    `none` takes away. What a file does not tell stays as it is.
    """
    wanted = form(output)
    if not file.is_file():
        raise InvalidInputError(f"{file} is no file", field="FILE", value=file, remedy="name a file to import")
    data = file.read_bytes()

    async def act(container: Any) -> Any:
        service = container.target_import
        return await (service.look if dry_run else service.take)(organisation(), data)

    plan = with_container(act)
    made = documents.target_import(plan, dry_run=dry_run)
    if wanted is not Format.TABLE:
        document(made, wanted)
    else:
        _shown(made)
    if plan.refused:
        note(f"{len(made['refused'])} mistakes: nothing of this file would be taken in")
        raise typer.Exit(ExitCode.USAGE)


def _shown(made: dict[str, Any]) -> None:
    would = "would be " if made["dry_run"] else ""
    told = ", ".join(f"{made[name]} {would}{name}" for name in ("created", "changed"))
    rows = [each | {"changes": _words(each["changes"])} for each in made["lines"][:SHOWN]]
    table(f"{told}, {made['unchanged']} as they are", LINES, rows)
    if len(made["lines"]) > SHOWN:
        note(f"and {len(made['lines']) - SHOWN} more: -o json names all of them")
    if made["refused"]:
        table("Refused", REFUSED, made["refused"])


def _words(changes: dict[str, Any]) -> str:
    told = (
        f"{name}: {cell(each['before']) or 'none'} → {cell(each['after']) or 'none'}" for name, each in changes.items()
    )
    return "; ".join(told)


def export_targets(
    filter_: Filter = "",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="By default standard output", show_default=False)
    ] = None,
) -> None:
    """Write targets as CSV that `import` takes, and in which no spreadsheet finds a formula."""

    async def look(container: Any) -> str:
        units = {each.id: each.path for each in await container.units.all(organisation())}
        found = await everything(container.targets.page, organisation(), Query(filter=filter_, sort="value"))
        return "".join(write(documents.target_row(each, units) for each in found))

    text = with_container(look)
    if to is None:
        sys.stdout.write(text)
    else:
        to.write_text(text, newline="")
        note(f"wrote {to}")
