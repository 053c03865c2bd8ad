"""`purple search …`: searching what was found; the index for it, held against the database and built anew."""

import sys
from typing import Annotated, Any

import typer

from cli import documents, saved_search, search_documents
from cli.listing import LIMIT, Output, form
from cli.output import Column, Format, data, document, line, note, table
from cli.runtime import organisation, with_container
from cli.vulnerability import FIELDS, LISTED, tabled
from purple.domain.errors import ExitCode
from purple.domain.pages import MAX_LIMIT
from purple.domain.search import VULNERABILITIES

SHOWN = 10
"""Ids of each kind."""
Facets = Annotated[list[str], typer.Option("--facet", metavar="NAME", help="Count matches by it; `all` is every one")]


def find(
    query: Annotated[
        str,
        typer.Argument(
            metavar="QUERY", help="Words and terms, such as 'login \"sql injection\" -staging severity:>=high'"
        ),
    ] = "",
    saved: Annotated[str, typer.Option("--saved", metavar="SEARCH", help="Begin with one that is kept")] = "",
    facet: Facets = [],  # noqa: B006 - never changed
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_LIMIT, help="At most so many")] = LIMIT,
    output: Output = None,
) -> None:
    """Find vulnerabilities, the best matches first; without words those with the highest risk."""
    wanted = form(output)

    async def look(container: Any) -> Any:
        kept = (await saved_search.find_saved(container, saved)).query if saved else ""
        return await container.searching.search(organisation(), f"{kept} {query}", limit, facet)

    found = with_container(look)
    if found.note:
        note(found.note)
    if wanted is Format.JSON:
        data(search_documents.search(found))
    elif wanted is Format.JSONL:
        for each in found.items:
            line(documents.vulnerability(each))
    else:
        table(LISTED.title, LISTED.columns, map(tabled, found.items))
        for each in found.facets:
            rows = [{"value": bucket.label, "count": bucket.count} for bucket in each.buckets]
            table(f"By {each.name.replace('_', ' ')}", (Column("value"), Column("count", whole=True)), rows)
    said = "at least " if found.bounded else ""
    note(f"{len(found.items)} of {said}{found.total}")


def _counted(word: str) -> Any:
    """What tells how many there were so far, where a person looks."""

    def told(count: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{word} {count}")
            sys.stderr.flush()

    return told


def rebuild() -> None:
    """Fill a new index from the database and put it in the place of the old one, which answers meanwhile."""
    copied = with_container(lambda c: c.indexing[VULNERABILITIES].rebuild(_counted("copied")))
    note(f"{copied} vulnerabilities are in the new index")


def verify(output: Output = None) -> None:
    """Hold every document of the index against its row; exit code 3 where one differs."""
    wanted = form(output)
    found = with_container(lambda c: c.indexing[VULNERABILITIES].verify(_counted("compared")))
    kinds = {name: getattr(found.difference, name) for name in ("missing", "left_over", "other")}
    if wanted is Format.TABLE:
        rows = [
            {"what": name.replace("_", " "), "number": len(ids), "ids": ", ".join(map(str, ids[:SHOWN]))}
            for name, ids in kinds.items()
        ]
        table("Index beside database", (Column("what"), Column("number"), Column("ids", "the first")), rows)
    else:
        ids = {name: [str(one) for one in each] for name, each in kinds.items()}
        document({"schema": "purple.search/1", "rows": found.rows, "behind": found.behind, **ids}, wanted)
    differing = len(found.difference.ids)
    if not differing:
        note(f"all {found.rows} vulnerabilities are in the index as they are in the database")
        return
    remedy = f"{found.behind} events are not fed yet: try again" if found.behind else "`purple search rebuild` mends it"
    note(f"{differing} differ; {remedy}")
    raise typer.Exit(ExitCode.GATE_FAILED)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Words in what was found, and the index that finds them.", no_args_is_help=True)
    nouns.command(epilog=f"Terms take {FIELDS}.")(find)
    saved_search.register(nouns)
    nouns.command()(rebuild)
    nouns.command()(verify)
    app.add_typer(nouns, name="search")
