"""`purple campaign compare`: what became of what an earlier campaign saw."""

from typing import Annotated
from uuid import UUID

import typer

from cli import documents
from cli.listing import Output, form
from cli.output import Column, Format, document, note, table
from cli.runtime import organisation, with_container
from purple.domain.comparisons import CHANGED, MAX_ITEMS, Became
from purple.domain.errors import ExitCode
from purple.domain.severity import Severity

WORDS = {each: each.replace("_", " ") for each in Became}
COUNTS = (Column("became", whole=True), *(Column(each, whole=True) for each in reversed(Severity)))
ITEMS = (
    Column("became", whole=True),
    Column("severity", whole=True),
    Column("title"),
    Column("place"),
    Column("state", "is now", optional=True),
    Column("risk", optional=True),
    Column("id", whole=True, optional=True),
)


def compare(
    before: Annotated[UUID, typer.Argument(metavar="BEFORE", help="The earlier campaign")],
    after: Annotated[UUID, typer.Argument(metavar="AFTER", help="The later one")],
    every: Annotated[bool, typer.Option("--all", help="List what is still there too")] = False,
    fail_on_new: Annotated[bool, typer.Option("--fail-on-new", help="Exit code 3 for new or reopened ones")] = False,
    filter_: Annotated[
        str, typer.Option("--filter", metavar="TERMS", help="Of which targets, such as 'unit:Retail tags:dmz'")
    ] = "",
    output: Output = None,
) -> None:
    """Show what is new, reopened, still there, fixed, and what was not tested again and so is not called fixed."""
    wanted = form(output)
    kinds = tuple(Became) if every else CHANGED
    asked = {"kinds": kinds, "limit": MAX_ITEMS, "filter_": filter_}
    found = with_container(lambda c: c.comparing.compare(organisation(), before, after, **asked))
    made = documents.comparison(found)
    if wanted is Format.TABLE:
        table(
            "Since the earlier campaign", COUNTS, [{"became": WORDS[kind]} | row for kind, row in found.counts.items()]
        )
        table("What became of each", ITEMS, [each | {"became": WORDS[each["became"]]} for each in made["items"]])
        if (total := found.number(*kinds)) > len(found.items):
            note(f"{len(found.items)} of {total} are listed, those of the highest risk")
    else:
        document(made, wanted)
    if fail_on_new and found.number(Became.NEW, Became.REOPENED):
        raise typer.Exit(ExitCode.GATE_FAILED)
