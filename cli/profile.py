"""`purple profile …`: pipelines: which there are, what is wrong with one, what one would do."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents
from cli.complete import profiles as profile_names
from cli.launching import Profile, ToolOption, parse_options, profile_of
from cli.listing import Output, form
from cli.output import Column, Format, data, document, line, note, table
from cli.runtime import organisation, with_container
from purple.domain.errors import InvalidInputError

_COLUMNS = (
    Column("name", "profile", whole=True),
    Column("version"),
    Column("title"),
    Column("runs", "tools", optional=True),
)
_STEPS = (
    Column("number", "", whole=True),
    Column("phase", whole=True),
    Column("tool", whole=True),
    Column("verdict", whole=True),
    Column("why"),
    Column("places", "where", optional=True),
)
_FINDINGS = (Column("line", whole=True), Column("field"), Column("message"), Column("remedy", optional=True))
Name = Annotated[str, typer.Argument(metavar="PROFILE", help="Its name", autocompletion=profile_names)]


def list_profiles(output: Output = None) -> None:
    """List, by name."""
    wanted = form(output)

    async def look(container: Any) -> list[dict[str, Any]]:
        return [documents.profile(container.profiles.load(name)) for name in container.profiles.names()]

    found = with_container(look)
    if wanted is Format.JSON:
        data({"schema": "purple.profiles/1", "items": found})
    elif wanted is Format.JSONL:
        for each in found:
            line(each)
    else:
        rows = [{**each, "runs": [step["tool"] for step in (*each["recon"], *each["tools"])]} for each in found]
        table("Profiles", _COLUMNS, rows)


def show(name: Name, output: Output = None) -> None:
    """Show one: its recon, what follows from it, its limits."""
    wanted = form(output)

    async def look(container: Any) -> dict[str, Any]:
        return documents.profile(container.profiles.load(name))

    found = with_container(look)
    if wanted is Format.TABLE:
        for phase in ("recon", "tools"):
            found[phase] = [f"{each['tool']} ({each['when']})" for each in found[phase]]
    document(found, wanted)


def schema() -> None:
    """Write the JSON Schema of a profile's file, for editors."""

    async def look(container: Any) -> dict[str, Any]:
        from purple.services.profiles.checking import schema as made

        return made(container.tools)

    data(with_container(look))


def lint(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A profile as YAML")],
    output: Output = None,
) -> None:
    """Say everything that is wrong with a profile's file. Exits 2 where something is."""
    wanted = form(output)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise InvalidInputError(
            f"{file} cannot be read: {error}", field="file", value=file, remedy="name a file of YAML"
        ) from None

    async def look(container: Any) -> list[dict[str, Any]]:
        from purple.services.profiles.checking import check

        found = check(text, file.stem, container.tools)
        return [{name: getattr(each, name) for name in ("line", "field", "message", "remedy")} for each in found]

    findings = with_container(look)
    if wanted is Format.JSON:
        data({"schema": "purple.profile-findings/1", "items": findings})
    elif wanted is Format.JSONL:
        for each in findings:
            line(each)
    elif findings:
        table(str(file), _FINDINGS, findings)
    if findings:
        raise InvalidInputError(
            f"{file} has {len(findings)} mistake{'s' if len(findings) > 1 else ''}", remedy="mend what is listed"
        )
    note(f"{file} is a profile")


def explain(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A URL, a host, a network, or an id of the register")],
    profile: Profile = None,
    authorisation: Annotated[
        UUID | None, typer.Option(help="By default one that covers the target now", show_default=False)
    ] = None,
    option: ToolOption = None,
    output: Output = None,
) -> None:
    """Say which steps would run on a target, in which order, why, and what would be skipped. Nothing is started."""
    wanted = form(output)
    options = parse_options(option or [])

    async def look(container: Any) -> dict[str, Any]:
        found = await container.explaining.explain(
            organisation(), target, profile_of(profile), authorisation_id=authorisation, options=options
        )
        return documents.explanation(found)

    found = with_container(look)
    if wanted is not Format.TABLE:
        document(found, wanted)
        return
    table(f"{found['profile']} version {found['version']} on {found['target']}", _STEPS, found["steps"])
    if found["refused"]:
        note(f"a campaign would not start: {found['refused']}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Pipelines: what runs on which target, and why.", no_args_is_help=True)
    nouns.command("list")(list_profiles)
    for verb in (show, explain, lint, schema):
        nouns.command()(verb)
    app.add_typer(nouns, name="profile")
