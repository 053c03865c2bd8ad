"""`purple tool …`: which security tools there are, and getting them."""

import asyncio
import os
from typing import Annotated, Any

import typer

from cli.output import Format, data, note, table
from cli.runtime import with_container
from purple.domain.errors import InvalidInputError, PurpleError


def list_tools(output: Annotated[Format, typer.Option("-o", "--output")] = Format.TABLE) -> None:
    """Which tools there are, and whether each can be used here."""

    async def look(container: Any) -> list[Any]:
        names = container.tools.names()
        return [await asyncio.to_thread(container.tools.status, name) for name in names]

    found = with_container(look)
    if output is Format.JSON:
        data([{name: getattr(each, name) for name in each.__slots__} for each in found])
        return
    rows = [(e.name, "yes" if e.usable else "no", e.version, e.detail, e.purpose) for e in found]
    table("Tools", ("tool", "usable", "version", "where, or why not", "what it adds"), rows)


def install(
    names: Annotated[list[str] | None, typer.Argument(help="Tools to get")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every tool, and what PDF reports need")] = False,
) -> None:
    """Get the programs of tools: from packages, or into hash-locked environments."""
    if not names and not everything:
        raise InvalidInputError("which tool?", field="names", remedy="name one, or give --all")

    os.umask(0o022)  # the stack starts us with a closed one, and its unprivileged workers read this cache

    async def get(container: Any) -> None:
        for name in names or container.tools.names():
            try:
                status = await asyncio.to_thread(container.tools.install, name, note)
            except PurpleError as error:
                if not everything:
                    raise
                note(f"{name}: not to be had: {error.line()}")
                continue
            note(f"{name} {status.version}: {status.detail}")
        if everything:
            note(f"PDF reports: {await container.renderer.prepare()}")

    with_container(get)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    tools = typer.Typer(
        help="Security tools: each in an environment of its own.", no_args_is_help=True, rich_markup_mode=None
    )
    tools.command("list")(list_tools)
    tools.command()(install)
    app.add_typer(tools, name="tool")
