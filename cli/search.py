"""`purple search …`: searching what was found; the index for it, held against the database and built anew."""

import sys
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import typer

from cli import documents, saved_search, search_documents
from cli.listing import LIMIT, Output, form
from cli.output import Column, Format, data, document, line, note, table
from cli.runtime import organisation, with_container
from cli.vulnerability import FIELDS, LISTED, tabled
from purple.domain.errors import ExitCode, InvalidInputError
from purple.domain.pages import MAX_LIMIT
from purple.domain.search import AUDIT_LOGS, SCAN_RESULTS, SYSTEM_METRICS, VULNERABILITIES

T = TypeVar("T")
INDICES = (VULNERABILITIES, SCAN_RESULTS, AUDIT_LOGS, SYSTEM_METRICS)
ALL = "all"
Indexed = Annotated[str, typer.Argument(metavar="[INDEX]", help=f"{', '.join(INDICES)} or {ALL}", show_default=False)]
RECORDS = {
    SCAN_RESULTS: (
        Column("tool"),
        Column("state"),
        Column("host"),
        Column("observations", whole=True),
        Column("reason", optional=True),
        Column("seconds", optional=True),
        Column("created_at", optional=True),
        Column("id", whole=True, optional=True),
    ),
    AUDIT_LOGS: (
        Column("at"),
        Column("type"),
        Column("actor"),
        Column("subject_id", "object", whole=True, optional=True),
    ),
    SYSTEM_METRICS: (
        Column("at"),
        Column("scans_running", whole=True),
        Column("scans_pending", whole=True),
        Column("queues_served", whole=True),
        Column("events_behind", whole=True),
        Column("database_ms", optional=True),
    ),
}
SHOWN = 10
"""Ids of each kind."""
DIFFERENCES = ("missing", "left_over", "other")
Facets = Annotated[list[str], typer.Option("--facet", metavar="NAME", help="Count matches by it; `all` is every one")]


def find(
    query: Annotated[
        str,
        typer.Argument(
            metavar="QUERY", help="Words and terms, such as 'login \"sql injection\" -staging severity:>=high'"
        ),
    ] = "",
    index: Annotated[str, typer.Option("--in", metavar="INDEX", help="Where: " + ", ".join(INDICES))] = VULNERABILITIES,
    saved: Annotated[str, typer.Option("--saved", metavar="SEARCH", help="Begin with one that is kept")] = "",
    facet: Facets = [],  # noqa: B006 - never changed
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_LIMIT, help="At most so many")] = LIMIT,
    output: Output = None,
) -> None:
    """Find vulnerabilities, the best matches first; without words the highest risk, or the newest records."""
    wanted = form(output)
    if index != VULNERABILITIES:
        if saved:
            raise InvalidInputError(
                "searches that are kept are of vulnerabilities", field="--saved", value=saved, remedy="leave out --in"
            )
        _records(index, query, facet, limit, wanted)
        return

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
        _facets(found)
    _number(found)


def _known(indices: Mapping[str, T], name: str) -> str:
    """The name of an index.

    Raises:
        InvalidInputError: there is none of this name.
    """
    if name not in indices:
        raise InvalidInputError(
            f"there is no index {name!r}", field="INDEX", value=name, remedy=f"use {', '.join(indices)}"
        )
    return name


def _records(index: str, query: str, facet: list[str], limit: int, output: Format) -> None:
    """What a search of records found; their columns are their fields."""
    found = with_container(lambda c: c.records[_known(c.records, index)].search(organisation(), query, limit, facet))
    if found.note:
        note(found.note)
    if output is Format.JSON:
        data(search_documents.records(index, found))
    elif output is Format.JSONL:
        for each in found.items:
            line(each)
    else:
        table(index.replace("_", " ").capitalize(), RECORDS[index], found.items)
        _facets(found)
    _number(found)


def _facets(found: Any) -> None:
    for each in found.facets:
        rows = [{"value": bucket.label, "count": bucket.count} for bucket in each.buckets]
        table(f"By {each.name.replace('_', ' ')}", (Column("value"), Column("count", whole=True)), rows)


def _number(found: Any) -> None:
    note(f"{len(found.items)} of {'at least ' if found.bounded else ''}{found.total}")


def _counted(word: str) -> Any:
    """What tells how many there were so far, where a person looks."""

    def told(count: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{word} {count}")
            sys.stderr.flush()

    return told


def rebuild(index: Indexed = VULNERABILITIES) -> None:
    """Fill a new index from the database and put it in the place of the old one, which answers meanwhile."""

    async def build(container: Any) -> dict[str, int]:
        names = list(container.indexing) if index == ALL else [_known(container.indexing, index)]
        return {name: await container.indexing[name].rebuild(_counted("copied")) for name in names}

    for name, copied in with_container(build).items():
        note(f"{copied} {name.replace('_', ' ')} are in the new index")


def verify(index: Indexed = VULNERABILITIES, output: Output = None) -> None:
    """Hold every document of an index against its row; exit code 3 where one differs."""
    wanted = form(output)

    async def compare(container: Any) -> dict[str, Any]:
        names = list(container.indexing) if index == ALL else [_known(container.indexing, index)]
        return {name: await container.indexing[name].verify(_counted("compared")) for name in names}

    compared = with_container(compare)
    if wanted is Format.TABLE:
        columns = (Column("index"), Column("what"), Column("number"), Column("ids", "the first"))
        table("Index beside database", columns, [row for each in compared.items() for row in _differences(*each)])
    else:
        told = {name: _compared(found) for name, found in compared.items()}
        document({"schema": "purple.search/1"} | ({"indices": told} if index == ALL else told[index]), wanted)
    if sum(_differs(*each) for each in compared.items()):  # each of them is said
        raise typer.Exit(ExitCode.GATE_FAILED)


def _compared(found: Any) -> dict[str, Any]:
    ids = {name: [str(one) for one in getattr(found.difference, name)] for name in DIFFERENCES}
    return {"rows": found.rows, "behind": found.behind, **ids}


def _differences(index: str, found: Any) -> list[dict[str, Any]]:
    rows = ((name, getattr(found.difference, name)) for name in DIFFERENCES)
    return [
        {
            "index": index,
            "what": name.replace("_", " "),
            "number": len(ids),
            "ids": ", ".join(map(str, ids[:SHOWN])),
        }
        for name, ids in rows
    ]


def _differs(index: str, found: Any) -> bool:
    """Whether one does, once it was said."""
    differing, named = len(found.difference.ids), index.replace("_", " ")
    if not differing:
        note(f"all {found.rows} {named} are in the index as they are in the database")
        return False
    rebuilt = f"`purple search rebuild{'' if index == VULNERABILITIES else f' {index}'}` mends it"
    remedy = f"{found.behind} events are not fed yet: try again" if found.behind else rebuilt
    note(f"{differing} {named} differ; {remedy}")
    return True


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Words in what was found, and the index that finds them.", no_args_is_help=True)
    nouns.command(epilog=f"Terms take {FIELDS}.")(find)
    saved_search.register(nouns)
    nouns.command()(rebuild)
    nouns.command()(verify)
    app.add_typer(nouns, name="search")
