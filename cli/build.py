"""`purple build …`: builds of the workflows, where worker versioning is on."""

from typing import Annotated, Any

import typer

from cli.listing import Output, form
from cli.output import Column, Format, data, line, note, table
from cli.runtime import with_container

COLUMNS = (Column("id", "build", whole=True), Column("state"))


def list_builds(output: Output = None) -> None:
    """List, the current one first. The workers of one that is drained may be stopped."""
    wanted = form(output)
    builds = with_container(lambda c: c.orchestrator.builds.all())
    items = [{"schema": "purple.build/1", "id": each.id, "state": each.state} for each in builds]
    if wanted is Format.JSON:
        data({"schema": "purple.builds/1", "items": items})
    elif wanted is Format.JSONL:
        for each in items:
            line(each)
    else:
        table("Builds", COLUMNS, items)


def current(
    build: Annotated[str, typer.Argument(metavar="BUILD", help="Its id; of an earlier one to go back")],
) -> None:
    """Let campaigns that start from now on run on this build, and those that may move along with it."""

    async def change(container: Any) -> None:
        await container.orchestrator.builds.make_current(build)

    with_container(change)
    note(f"build {build} takes what is new")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Builds of the workflows, where worker versioning is on.", no_args_is_help=True)
    nouns.command("list")(list_builds)
    nouns.command()(current)
    app.add_typer(nouns, name="build")
