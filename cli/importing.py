"""`purple import`: results of tools that ran elsewhere."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents
from cli.launching import FailOn, FailOnNew, gate_of
from cli.listing import Output, form
from cli.output import Column, Format, data, document, line, note, table
from cli.result import show
from cli.runtime import organisation, with_container
from cli.watch import watch_to_end
from purple.domain.errors import ExitCode, InvalidInputError, ParseError
from purple.domain.imports import HEAD

SECOND = 1.0
MEGA = 1_000_000
_FORMATS = (Column("name", "format", whole=True), Column("title"), Column("told_by", "recognised by"))


def import_file(  # noqa: PLR0913, PLR0917 - the options of a command
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="What another tool wrote")] = None,
    format_: Annotated[str, typer.Option("--format", help="By default recognised from the content")] = "",
    authorisation: Annotated[
        UUID | None,
        typer.Option(help="Its id; by default one that covers the target, or the only one", show_default=False),
    ] = None,
    target: Annotated[str, typer.Option(help="What it is about; by default the hosts it names are looked up")] = "",
    name: Annotated[str, typer.Option(help="Of the campaign, for people")] = "",
    series: Annotated[
        str, typer.Option(help="What it continues: what a complete later file of it no longer holds is fixed")
    ] = "",
    create_targets: Annotated[
        bool, typer.Option("--create-targets", help="Register new hosts that the authorisation covers")
    ] = False,
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the format, value as JSON")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only read it, and say what it holds and what is wrong")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Watch the campaign to its end")] = False,
    fail_on: FailOn = None,
    fail_on_new: FailOnNew = None,
    list_formats: Annotated[bool, typer.Option("--list-formats", help="Which formats are known, and end")] = False,
    output: Output = None,
) -> None:
    """Take in results of a tool that ran elsewhere. Results for hosts that nobody may test are listed, never taken."""
    wanted = form(output, sarif=wait)
    if list_formats:
        with_container(lambda container: _list(container, wanted))
        return
    path = _existing(file)
    options = _options(option or [])
    if check:
        raise typer.Exit(with_container(lambda container: _check(container, path, format_, options, wanted)))
    gate = gate_of(fail_on, fail_on_new)

    async def run_it(container: Any) -> int:
        from purple.services.identity import ADMINISTRATOR
        from purple.services.importing import Wanted

        stored = await container.imports.keep(path, format_, _progress(path.stat().st_size))
        note(f"{path.name} is {stored.format.title} ({stored.format.name}), kept as {stored.artifact}")
        asked = Wanted(target, authorisation, name, series, create_targets, options, ADMINISTRATOR.user_id)
        started = await container.imports.start(organisation(), stored, asked)
        if not wait:
            document(documents.campaign(started), wanted)
            note(f"`purple campaign watch {started.id}` shows how it goes")
            return ExitCode.PASS
        ended = await watch_to_end(container, started)
        for each in ended.summary.get("import", {}).get("left_out_places", ()):
            note(f"left out: {each['place']}: {each['results']} results: {each['reason']}")
        return await show(container, ended, wanted, gate, None)

    raise typer.Exit(with_container(run_it))


def _existing(file: Path | None) -> Path:
    if file is None or not file.is_file():
        said = "there is no FILE" if file is None else f"{file} is no file"
        raise InvalidInputError(said, field="FILE", value=file, remedy="name a file to import, or see --list-formats")
    return file


def _options(texts: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise InvalidInputError(
                f"{text!r} is not an option", field="--option", value=text, remedy="write it as delimiter=;"
            )
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _progress(size: int) -> Callable[[int], None]:
    """Says how many bytes were sent, at most once a second and at the end."""
    spoke = [time.monotonic()]

    def say(sent: int) -> None:
        if sent >= size or time.monotonic() - spoke[0] >= SECOND:
            spoke[0] = time.monotonic()
            note(f"sent {sent / MEGA:.1f} of {size / MEGA:.1f} MB")

    return say


async def _list(container: Any, wanted: Format) -> None:
    rows = [documents.import_format(each) for each in container.tools.formats()]
    if wanted is Format.JSON:
        data({"schema": "purple.import-formats/1", "items": rows})
    elif wanted is Format.JSONL:
        for each in rows:
            line(each)
    else:
        table("Formats", _FORMATS, rows)


async def _check(container: Any, path: Path, format_: str, options: dict[str, Any], wanted: Format) -> int:
    """What a file holds, read here and kept nowhere."""
    with path.open("rb") as file:
        known = container.tools.recognise(file.read(HEAD), format_)
    whole = container.tools.validate_options(known.tool, {"artifact": "0" * 64} | options)
    made = await asyncio.to_thread(_counted, container.tools.parse(known.tool, path, whole))
    document({"schema": "purple.import-check/1", "format": known.name} | made, wanted)
    return ExitCode.INCOMPLETE if made["trouble"] else ExitCode.PASS


def _counted(found: Iterable[Any]) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    severities: Counter[str] = Counter()
    hosts: set[str] = set()
    trouble = ""
    try:
        for seen in found:
            kinds[str(seen.kind)] += 1
            if seen.flaw_class is not None:
                severities[str(seen.severity)] += 1
            hosts.add(seen.location.host)
    except ParseError as error:
        trouble = error.detail
    return {
        "results": sum(kinds.values()),
        "kinds": dict(sorted(kinds.items())),
        "severities": dict(sorted(severities.items())),
        "hosts": len(hosts - {""}),
        "trouble": trouble,
    }


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_file)
