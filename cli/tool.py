"""`purple tool …`: which security tools there are, and getting them."""

import asyncio
import os
from typing import Annotated, Any

import typer

from cli import documents
from cli.complete import tools as tool_names
from cli.listing import Output, form
from cli.output import Column, Format, data, document, line, note, table
from cli.runtime import with_container
from purple.domain.errors import InvalidInputError, PurpleError

_COLUMNS = (
    Column("name", "tool", whole=True),
    Column("usable"),
    Column("version", optional=True),
    Column("detail", "where, or why not"),
    Column("purpose", "what it adds", optional=True),
)

ISOLATION = "bubblewrap"
"""What tools are run under; it is installed like one."""


def list_tools(output: Output = None) -> None:
    """Which tools there are, and whether each can be used here."""
    wanted = form(output)

    async def look(container: Any) -> list[dict[str, Any]]:
        names = container.tools.names()
        return [documents.tool(await asyncio.to_thread(container.tools.status, name)) for name in names]

    found = with_container(look)
    if wanted is Format.JSON:
        data(found)
    elif wanted is Format.JSONL:
        for each in found:
            line(each)
    else:
        table("Tools", _COLUMNS, found)


def show(
    name: Annotated[str, typer.Argument(metavar="TOOL", help="Its name", autocompletion=tool_names)],
    output: Output = None,
) -> None:
    """Show one: what it takes, how hard it is, and its options."""
    wanted = form(output)

    async def look(container: Any) -> dict[str, Any]:
        plugin = container.tools.plugin(name)
        spec = plugin.spec
        status = await asyncio.to_thread(container.tools.status, name)
        described = ("role", "target_kinds", "intrusiveness", "timeout_s", "techniques")
        options = plugin.adapter.Options.model_json_schema()
        return documents.tool(status) | {
            **{each: getattr(spec, each) for each in described},
            "options": options.get("properties", {}),
        }

    found = with_container(look)
    if wanted is Format.TABLE:
        found["options"] = [f"{found['name']}.{each}" for each in found["options"]]
    document(found, wanted)


def install(
    names: Annotated[list[str] | None, typer.Argument(help="Tools to get", autocompletion=tool_names)] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every tool, and what PDF reports need")] = False,
    profile: Annotated[
        str, typer.Option(help="Every tool that this profile runs, and what PDF reports need", show_default=False)
    ] = "",
) -> None:
    """Get the programs of tools: from packages, or into hash-locked environments."""
    if not names and not everything and not profile:
        raise InvalidInputError("which tool?", field="names", remedy="name one, or give --profile NAME or --all")

    os.umask(0o022)  # the stack starts us with a closed one, and its unprivileged workers read this cache

    async def get(container: Any) -> None:
        for name in names or [ISOLATION, *_wanted(container, profile)]:
            try:
                note(await asyncio.to_thread(_get, container, name))
            except PurpleError as error:
                if names:
                    raise
                note(f"{name}: not to be had: {error.line()}")
        if not names:
            note(f"PDF reports: {await container.renderer.prepare(fetch=True)}")

    with_container(get)


def _get(container: Any, name: str) -> str:
    """Install one; what is there then."""
    if name == ISOLATION:
        return f"isolation of tools: {container.isolations.install(note).detail}"
    status = container.tools.install(name, note)
    return f"{name} {status.version}: {status.detail}"


def _wanted(container: Any, profile: str) -> list[str]:
    """The tools of a profile, or every tool."""
    if not profile:
        return list(container.tools.names())
    chosen = container.profiles.load(profile)
    return sorted({step.tool for step in (*chosen.recon, *chosen.tools)})


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Security tools: each in an environment of its own.", no_args_is_help=True)
    nouns.command("list")(list_tools)
    for verb in (show, install):
        nouns.command()(verb)
    app.add_typer(nouns, name="tool")
