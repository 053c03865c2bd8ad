"""`purple search …`: its verbs for searches that people keep."""

from typing import Annotated, Any
from uuid import UUID

import typer

from cli import search_documents
from cli.listing import LIMIT, Asked, Filter, Limit, Listed, Output, Sort, form, show_list
from cli.output import Column, Format, document, note
from cli.runtime import with_container
from purple.domain.errors import NotFoundError
from purple.domain.pages import Query

FIELDS = "id, name, owner, query, shared, alert, created_at"
LISTED = Listed(
    "Saved searches",
    "purple.saved-searches/1",
    (
        Column("name"),
        Column("query"),
        Column("owner", optional=True),
        Column("shared", optional=True),
        Column("alert"),
        Column("id", whole=True, optional=True),
    ),
)
One = Annotated[str, typer.Argument(metavar="SEARCH", help="Its name or its id")]
Named = Annotated[str, typer.Argument(metavar="NAME")]
Asking = Annotated[str, typer.Argument(metavar="QUERY", help="As `purple search find` takes it")]
Shared = Annotated[bool | None, typer.Option("--shared/--private", help="Everybody sees it", show_default=False)]
Alert = Annotated[
    bool | None, typer.Option("--alert/--no-alert", help="Tell receivers of what newly matches", show_default=False)
]


async def find_saved(container: Any, text: str) -> Any:
    """A saved search by its id, or by its name; one's own come first.

    Raises:
        NotFoundError: there is none.
    """
    from purple.services.identity import ADMINISTRATOR

    try:
        return await container.saved_searches.get(ADMINISTRATOR, UUID(text))
    except ValueError:
        page = await container.saved_searches.page(ADMINISTRATOR, Query({"name": text}))
    if not page.items:
        raise NotFoundError(f"there is no saved search {text!r}", value=text, remedy="see `purple search list`")
    return next((each for each in page.items if each.owner == ADMINISTRATOR.username), page.items[0])


def list_saved(filter_: Filter = "", sort: Sort = "", limit: Limit = LIMIT, output: Output = None) -> None:
    """List searches that are kept, by name."""
    asked = Asked(filter_, sort, limit, form(output))

    async def look(container: Any) -> None:
        from purple.services.identity import ADMINISTRATOR

        await show_list(
            lambda _, query: container.saved_searches.page(ADMINISTRATOR, query),
            asked,
            LISTED,
            search_documents.saved_search,
        )

    with_container(look)


def save(name: Named, query: Asking, shared: Shared = None, alert: Alert = None, output: Output = None) -> None:
    """Keep a search; with --alert receivers of notices hear of what matches it from now on."""
    wanted = form(output)

    async def keep(container: Any) -> Any:
        from purple.services.identity import ADMINISTRATOR

        return await container.saved_searches.create(ADMINISTRATOR, name, query, shared=bool(shared), alert=bool(alert))

    _told(with_container(keep), "saved", wanted)


def edit(
    search: One,
    name: Annotated[str | None, typer.Option(show_default=False)] = None,
    query: Annotated[str | None, typer.Option(show_default=False)] = None,
    shared: Shared = None,
    alert: Alert = None,
    output: Output = None,
) -> None:
    """Change one; an alert whose query changes begins anew."""
    wanted = form(output)
    given = {"name": name, "query": query, "shared": shared, "alert": alert}
    changes = {field: value for field, value in given.items() if value is not None}

    async def change(container: Any) -> Any:
        from purple.services.identity import ADMINISTRATOR

        found = await find_saved(container, search)
        return await container.saved_searches.edit(ADMINISTRATOR, found.id, found.version, **changes)

    _told(with_container(change), "changed", wanted)


def delete(search: One) -> None:
    """Forget one."""

    async def forget(container: Any) -> str:
        from purple.services.identity import ADMINISTRATOR

        found = await find_saved(container, search)
        await container.saved_searches.delete(ADMINISTRATOR, found.id, found.version)
        return str(found.name)

    note(f"deleted {with_container(forget)}")


def _told(found: Any, said: str, output: Format) -> None:
    note(f"{found.name}: {said}")
    if output is not Format.TABLE:
        document(search_documents.saved_search(found), output)


def register(nouns: typer.Typer) -> None:
    """Add the commands."""
    nouns.command("list", epilog=f"--filter and --sort take {FIELDS}.")(list_saved)
    for verb in (save, edit, delete):
        nouns.command()(verb)
