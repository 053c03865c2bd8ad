"""`purple run undo …`: what tools changed, and taking it back."""

from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents
from cli.listing import LIMIT, Asked, Filter, Limit, Listed, Output, Sort, form, show_list
from cli.output import Column, Format, document, note
from cli.runtime import organisation, with_container
from purple.domain.errors import InvalidInputError

FIELDS = "id, campaign_id, scan_id, tool, title, state, attempts, created_at, done_at, done_by"
LISTED = Listed(
    "Undos",
    "purple.undos/1",
    (
        Column("id", whole=True),
        Column("state"),
        Column("tool"),
        Column("endpoint"),
        Column("attempts"),
        Column("last_error", optional=True),
        Column("registered_at", optional=True),
        Column("campaign_id", "campaign", whole=True, optional=True),
    ),
)


def list_undos(
    campaign: Annotated[UUID | None, typer.Option(help="Of this campaign", show_default=False)] = None,
    filter_: Filter = "",
    sort: Sort = "",
    limit: Limit = LIMIT,
    output: Output = None,
) -> None:
    """List what tools changed and how far its undo is, newest first."""
    terms = f"{filter_} campaign_id:{campaign}" if campaign else filter_
    asked = Asked(terms, sort, limit, form(output))
    with_container(lambda c: show_list(c.undos.page, asked, LISTED, documents.undo))


def undo(
    one: Annotated[UUID, typer.Argument(metavar="UNDO", help="Its id")],
    retry: Annotated[bool, typer.Option("--retry", help="Try it again, as often as at first")] = False,
    done: Annotated[bool, typer.Option("--done", help="It was done by hand; say with --why")] = False,
    why: Annotated[str, typer.Option(help="What was done by hand, and how it was seen to work")] = "",
    output: Output = None,
) -> None:
    """Show the undo of what a tool changed and what to do by hand, or try it again, or say that it is done."""
    if retry and done:
        raise InvalidInputError("--retry and --done exclude each other", field="--done", remedy="give one of them")
    if done != bool(why):
        raise InvalidInputError("--done and --why belong together", field="--why", remedy="say what was done by hand")
    wanted = form(output)

    async def act(container: Any) -> Any:
        from purple.services.identity import ADMINISTRATOR

        if retry:
            return await container.undos.retry(organisation(), one, ADMINISTRATOR)
        if done:
            return await container.undos.mark_done(organisation(), one, ADMINISTRATOR, why)
        return await container.undos.get(organisation(), one)

    found = with_container(act)
    if retry:
        note(f"{found.title}: tried again; `purple run undo {one}` shows how it went")
    if done:
        note(f"{found.title}: done by hand")
    if not (retry or done) or wanted is not Format.TABLE:
        document(documents.undo(found), wanted)
