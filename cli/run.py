"""`purple run …`: tool runs, one tool on one target inside a campaign."""

from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents
from cli import undo as undos
from cli.listing import LIMIT, Asked, Filter, Limit, Listed, Output, Sort, form, show_list
from cli.output import Column, document
from cli.runtime import organisation, with_container

FIELDS = (
    "id, campaign_id, target_id, phase, tool, host, port, url, state, reason, attempt, observations, exit_code, zone, "
    "created_at, started_at, ended_at, seconds"
)
LISTED = Listed(
    "Tool runs",
    "purple.runs/1",
    (
        Column("id", whole=True),
        Column("state"),
        Column("tool"),
        Column("endpoint"),
        Column("observations", "seen", optional=True),
        Column("reason", optional=True),
        Column("started_at", optional=True),
        Column("campaign_id", "campaign", whole=True, optional=True),
    ),
)
HELP = (
    "Tool runs: one tool on one target inside a campaign. They are not under `purple scan`, whose argument is a "
    "target, and a host may well be called list."
)


def list_runs(
    campaign: Annotated[UUID | None, typer.Option(help="Of this campaign", show_default=False)] = None,
    filter_: Filter = "",
    sort: Sort = "",
    limit: Limit = LIMIT,
    output: Output = None,
) -> None:
    """List, newest first."""
    terms = f"{filter_} campaign_id:{campaign}" if campaign else filter_
    asked = Asked(terms, sort, limit, form(output))
    with_container(lambda c: show_list(c.campaigns.scans, asked, LISTED, documents.run))


def show(
    run: Annotated[UUID, typer.Argument(metavar="RUN", help="Its id")],
    output: Output = None,
) -> None:
    """Show one."""
    wanted = form(output)

    async def look(container: Any) -> None:
        document(documents.run(await container.campaigns.scan(organisation(), run)), wanted)

    with_container(look)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help=HELP, short_help="Tool runs of campaigns.", no_args_is_help=True)
    nouns.command("list", epilog=f"--filter and --sort take {FIELDS}.")(list_runs)
    nouns.command()(show)
    nouns.command("undos", epilog=f"--filter and --sort take {undos.FIELDS}.")(undos.list_undos)
    nouns.command()(undos.undo)
    app.add_typer(nouns, name="run")
