"""`purple report …`: what campaigns wrote."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents
from cli.listing import LIMIT, Asked, Filter, Limit, Listed, Output, Sort, everything, form, show_list
from cli.output import Column, document, note
from cli.runtime import organisation, with_container
from purple.domain.errors import InvalidInputError, NotFoundError
from purple.domain.pages import Query
from purple.domain.reports import Report, ReportFormat

FIELDS = "id, campaign_id, format, size, created_at"
LISTED = Listed(
    "Reports",
    "purple.reports/1",
    (
        Column("id", whole=True),
        Column("format"),
        Column("size"),
        Column("created_at"),
        Column("campaign_id", "campaign", whole=True, optional=True),
        Column("location", optional=True),
    ),
)
STDOUT = Path("-")


def list_reports(
    campaign: Annotated[UUID | None, typer.Option(help="Of this campaign", show_default=False)] = None,
    filter_: Filter = "",
    sort: Sort = "",
    limit: Limit = LIMIT,
    output: Output = None,
) -> None:
    """List, newest first."""
    terms = f"{filter_} campaign_id:{campaign}" if campaign else filter_
    asked = Asked(terms, sort, limit, form(output))
    with_container(
        lambda c: show_list(
            c.reporting.page, asked, LISTED, lambda row: documents.report(row, c.reporting.location(row))
        )
    )


def show(report: Annotated[UUID, typer.Argument(metavar="REPORT", help="Its id")], output: Output = None) -> None:
    """Show what is known of one; `save` gets its content."""
    wanted = form(output)

    async def look(container: Any) -> None:
        found = await container.reporting.get(organisation(), report)
        document(documents.report(found, container.reporting.location(found)), wanted)

    with_container(look)


def save(
    report: Annotated[UUID | None, typer.Argument(metavar="[REPORT]", help="Its id", show_default=False)] = None,
    campaign: Annotated[
        UUID | None, typer.Option(help="The newest reports of this campaign instead", show_default=False)
    ] = None,
    format_: Annotated[
        ReportFormat | None, typer.Option("--format", help="With --campaign: this one alone", show_default=False)
    ] = None,
    to: Annotated[Path, typer.Option(help="A file or folder; - writes one report to standard output")] = Path(),
) -> None:
    """Save reports to files, and print the files' names."""
    if (report is None) == (campaign is None):
        raise InvalidInputError("which report?", field="REPORT", remedy="give the id of one, or --campaign ID")

    async def get(container: Any) -> None:
        if report is not None:
            chosen = [await container.reporting.get(organisation(), report)]
        else:
            newest = await newest_reports(container, campaign)
            chosen = [each for each in newest if format_ in {None, each.format}]
        if not chosen:
            raise NotFoundError(
                f"campaign {campaign} has no such report", remedy=f"see `purple report list --campaign {campaign}`"
            )
        await _save(container, chosen, to)

    with_container(get)


async def _save(container: Any, chosen: list[Report], to: Path) -> None:
    if to == STDOUT:
        if len(chosen) > 1:
            raise InvalidInputError("several reports, one output", field="--to", value=to, remedy="choose by --format")
        sys.stdout.buffer.write(await container.reporting.content(chosen[0]))
        return
    folder = len(chosen) > 1 or await asyncio.to_thread(to.is_dir)
    for each in chosen:
        path = to / f"report.{each.format}" if folder else to
        await write_file(path, await container.reporting.content(each))
        sys.stdout.write(f"{path}\n")
        note(f"{each.size} bytes, SHA-256 {each.artifact}")


async def write_file(path: Path, content: bytes) -> None:
    """Write a file, and the folder it is in.

    Raises:
        InvalidInputError: it cannot be written.
    """

    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    try:
        await asyncio.to_thread(write)
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be written: {error.strerror}", field="file", value=path, remedy="name another place"
        ) from None


async def newest_reports(container: Any, campaign: UUID | None) -> list[Report]:
    """One of each format: every round writes its own, and the last one counts."""
    found = await everything(container.reporting.page, organisation(), Query({"campaign_id": campaign}))
    newest: dict[str, Report] = {}
    for each in found:
        newest.setdefault(each.format, each)
    return sorted(newest.values(), key=lambda each: each.format)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="What campaigns wrote.", no_args_is_help=True)
    nouns.command("list", epilog=f"--filter and --sort take {FIELDS}.")(list_reports)
    for verb in (show, save):
        nouns.command()(verb)
    app.add_typer(nouns, name="report")
