"""What every list has in common: a filter, an order, a limit over pages, and its forms."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import runtime
from cli.output import Column, Format, data, line, note, table
from purple.domain.errors import InvalidInputError
from purple.domain.pages import MAX_LIMIT, Page, Query

Fetch = Callable[[UUID, Query], Awaitable[Page[Any]]]

Filter = Annotated[
    str,
    typer.Option(
        "--filter", metavar="TERMS", help="Which, such as 'state:open severity:>=high -tool:nmap last_seen:<7d'"
    ),
]
Sort = Annotated[str, typer.Option("--sort", metavar="FIELDS", help="In which order, such as '-risk,title'")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many")]
Output = Annotated[
    Format | None, typer.Option("-o", "--output", help="By default PURPLE_CLI__OUTPUT", show_default=False)
]
LIMIT = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """How a list is shown."""

    title: str
    schema: str
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list was asked for."""

    filter: str
    sort: str
    limit: int
    output: Format


def form(output: Format | None, *, sarif: bool = False) -> Format:
    """The form that was asked for, else the setting's.

    Raises:
        InvalidInputError: SARIF of what are no findings.
    """
    if output is None:
        return Format(runtime.settings().cli.output)
    if output is Format.SARIF and not sarif:
        raise InvalidInputError(
            "there is no SARIF of this",
            field="--output",
            value=output,
            remedy="use table, json or jsonl; SARIF is for vulnerabilities and for what a campaign found",
        )
    return output


async def pages(fetch: Fetch, organisation: UUID, query: Query, limit: int) -> AsyncIterator[Sequence[Any]]:
    """Page after page, up to a limit; where it cuts the list, a line says so."""
    from dataclasses import replace

    cursor = query.cursor
    while True:
        page = await fetch(organisation, replace(query, cursor=cursor, limit=min(limit, MAX_LIMIT)))
        yield page.items
        limit -= len(page.items)
        cursor = page.next_cursor
        if not cursor:
            return
        if limit <= 0:
            note("there are more: see --limit and --filter")
            return


async def everything(fetch: Fetch, organisation: UUID, query: Query) -> list[Any]:
    """All rows, however many pages."""
    found: list[Any] = []
    async for items in pages(fetch, organisation, query, 2**31):
        found += items
    return found


async def show_list(
    fetch: Fetch, asked: Asked, listed: Listed, document: Callable[[Any], dict[str, Any]], query: Query | None = None
) -> None:
    """Write a list in the form that was asked for; JSON lines come page by page."""
    wanted = query or Query(filter=asked.filter, sort=asked.sort)
    rows: list[dict[str, Any]] = []
    async for items in pages(fetch, runtime.organisation(), wanted, asked.limit):
        written = [document(each) for each in items]
        if asked.output is Format.JSONL:
            for each in written:
                line(each)
        else:
            rows += written
    if asked.output is Format.JSON:
        data({"schema": listed.schema, "items": rows})
    elif asked.output is Format.TABLE:
        table(listed.title, listed.columns, rows)
