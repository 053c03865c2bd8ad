"""`purple config …`: what is set, where, and whether it is right."""

import typer

from cli import documents, runtime
from cli.listing import Output, form
from cli.output import Column, Format, data, line, note, table
from purple.domain.errors import ExitCode

_COLUMNS = (Column("name", whole=True), Column("value"), Column("source"))


def schema() -> None:
    """Print the JSON Schema of all settings."""
    from purple.settings import Settings

    data({"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema()})


def check() -> None:
    """Name each wrong or unknown PURPLE_ setting; exit 2 where there is one."""
    from purple.settings.checks import problems

    found = list(problems())
    for each in found:
        note(f"error: {each.line()}")
    if found:
        raise typer.Exit(ExitCode.USAGE)
    note("every setting is known and can be")


def show(output: Output = None) -> None:
    """Every setting, where it comes from, secrets hidden."""
    wanted = form(output)
    from purple.settings.checks import shown

    items = [documents.setting(each) for each in shown(runtime.settings())]
    if wanted is Format.JSON:
        data({"schema": "purple.settings/1", "items": items})
    elif wanted is Format.JSONL:
        for each in items:
            line(each)
    else:
        table("Settings", _COLUMNS, items)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Settings: what is set, where, and whether it is right.", no_args_is_help=True)
    for verb in (show, check, schema):
        nouns.command()(verb)
    app.add_typer(nouns, name="config")
