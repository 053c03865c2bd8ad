"""`purple data …`: what others publish of flaws, brought in and shown with its age."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import documents
from cli.listing import Output, form
from cli.output import Column, Format, data, line, note, table
from cli.runtime import organisation, with_container
from purple.domain.enrichment import Dataset
from purple.domain.errors import ExitCode, InvalidInputError, PurpleError

COLUMNS = (
    Column("dataset", whole=True),
    Column("version"),
    Column("age", whole=True),
    Column("facts", whole=True),
    Column("brought_at", optional=True),
    Column("source", optional=True),
)


def show(output: Output = None) -> None:
    """Show each dataset with its version, age and digest."""
    wanted = form(output)
    rows = [documents.edition(each) for each in with_container(lambda c: c.publications.kept(organisation()))]
    if wanted is Format.JSON:
        data({"schema": "purple.editions/1", "items": rows})
    elif wanted is Format.JSONL:
        for each in rows:
            line(each)
    else:
        table("What others publish", COLUMNS, rows)


def update(
    datasets: Annotated[
        list[Dataset] | None, typer.Argument(help="By default all, or all that the folder holds", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--from", metavar="FOLDER", help="With files as they are published", show_default=False),
    ] = None,
) -> None:
    """Bring in what is published, each dataset whole or not at all; the relay then weighs what changed.

    One that cannot be had leaves the others alone; then it ends with 5, or as its error does where nothing came at all.
    """
    if folder is not None and not folder.is_dir():
        raise InvalidInputError("there is no such folder", field="--from", value=folder, remedy="name a folder")

    async def bring(container: Any) -> tuple[int, list[PurpleError]]:
        brought = 0
        failed: list[PurpleError] = []
        async for dataset, came in container.enriching.update(datasets or list(Dataset), folder):
            if isinstance(came, PurpleError):
                failed.append(came)
                note(f"{dataset} stays as it is: {came.line()}")
            else:
                brought += 1
                said = f"{came.added} added, {came.changed} changed, {came.removed} removed"
                note(f"{dataset} {came.edition.version}: {came.edition.facts} facts, {said}")
        return brought, failed

    brought, failed = with_container(bring)
    if failed:
        raise typer.Exit(ExitCode.INCOMPLETE if brought else failed[0].exit_code)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="What others publish of flaws: KEV, EPSS, CVE, CWE, CAPEC, ATT&CK.", no_args_is_help=True)
    nouns.command()(show)
    nouns.command()(update)
    app.add_typer(nouns, name="data")
