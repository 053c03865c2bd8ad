"""`purple authorisation …`: who allowed what to be tested, when and how hard."""

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents
from cli.listing import LIMIT, Asked, Filter, Limit, Listed, Output, Sort, form, show_list
from cli.output import Column, document, note
from cli.runtime import organisation, with_container
from purple.domain.errors import InvalidInputError
from purple.domain.pages import Query
from purple.domain.tools import Intrusiveness

FIELDS = (
    "id, name, signed_by, valid_from, valid_until, max_intrusiveness, forbidden_tools, windows, document, created_at, "
    "revoked_at"
)
LISTED = Listed(
    "Authorisations",
    "purple.authorisations/1",
    (
        Column("id", whole=True),
        Column("state"),
        Column("name"),
        Column("signed_by", optional=True),
        Column("include", optional=True),
        Column("exclude", optional=True),
        Column("max_intrusiveness", "at most", optional=True),
        Column("valid_from", optional=True),
        Column("valid_until", optional=True),
        Column("windows", optional=True),
        Column("forbidden_tools", optional=True),
    ),
)
REFUSALS = "id, at, rule, detail, target, tool, authorisation_id, campaign_id, scan_id"
REFUSED = Listed(
    "Refusals",
    "purple.refusals/1",
    (
        Column("at", whole=True),
        Column("rule"),
        Column("target"),
        Column("tool", optional=True),
        Column("detail", optional=True),
        Column("campaign_id", "campaign", optional=True),
    ),
)
One = Annotated[UUID, typer.Argument(metavar="AUTHORISATION", help="Its id")]
_AGE = re.compile(r"(\d{1,5})([mhdw])\Z")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def list_authorisations(filter_: Filter = "", sort: Sort = "", limit: Limit = LIMIT, output: Output = None) -> None:
    """List, newest first."""
    asked = Asked(filter_, sort, limit, form(output))

    async def look(container: Any) -> None:
        now = container.clock.now()
        await show_list(container.authorisations.page, asked, LISTED, lambda row: documents.authorisation(row, now))

    with_container(look)


def show(authorisation: One, output: Output = None) -> None:
    """Show one."""
    wanted = form(output)

    async def look(container: Any) -> None:
        found = await container.authorisations.get(organisation(), authorisation)
        document(documents.authorisation(found, container.clock.now()), wanted)

    with_container(look)


def add(  # noqa: PLR0913, PLR0917 - a contract's fields
    name: Annotated[str, typer.Option(help="For people")],
    signed_by: Annotated[str, typer.Option(help="Who allows it")],
    include: Annotated[
        list[str], typer.Option(help="An address, a network, a name, *.name, a URL or asset:REPOSITORY; again for each")
    ],
    valid_until: Annotated[str, typer.Option(help="2026-01-31T18:00:00Z, or from now on such as 12h, 7d, 4w")],
    exclude: Annotated[list[str] | None, typer.Option(help="The same, of what stays out; again for each")] = None,
    valid_from: Annotated[str, typer.Option(help="By default now")] = "",
    max_intrusiveness: Annotated[Intrusiveness, typer.Option(help="The hardest tools it allows")] = Intrusiveness.SAFE,
    window: Annotated[
        list[str] | None,
        typer.Option(help="When tools may run: 'Mon-Fri 22:00-06:00 Europe/Lisbon'; again for each; by default always"),
    ] = None,
    forbid: Annotated[
        list[str] | None, typer.Option(metavar="TOOL", help="A tool that may not run; again for each")
    ] = None,
    file: Annotated[Path | None, typer.Option("--document", metavar="FILE", help="What was signed; it is kept")] = None,
    output: Output = None,
) -> None:
    """Write one down."""
    wanted = form(output)
    for option, text in (("--name", name), ("--signed-by", signed_by)):
        if not text.strip():
            raise InvalidInputError(f"{option} is empty", field=option, value=text, remedy="give one")

    async def write(container: Any) -> dict[str, Any]:
        from purple.services.identity import ADMINISTRATOR

        now = container.clock.now()
        made = await container.authorisations.create(
            organisation(),
            name=name,
            signed_by=signed_by,
            include=include,
            exclude=exclude or (),
            valid_from=moment(valid_from, now, "--valid-from") if valid_from else None,
            valid_until=moment(valid_until, now, "--valid-until"),
            max_intrusiveness=max_intrusiveness,
            forbidden_tools=forbid or (),
            windows=window or (),
            document=await _kept(container, file) if file else "",
            by=ADMINISTRATOR.username,
        )
        return documents.authorisation(made, container.clock.now())

    document(with_container(write), wanted)


async def _kept(container: Any, file: Path) -> str:
    """Put a document into the object store; its SHA-256."""
    if not await asyncio.to_thread(file.is_file):
        raise InvalidInputError(f"{file} is no file", field="--document", value=file, remedy="name what was signed")
    sha256: str = await container.objects.put_file(file)
    return sha256


def moment(text: str, now: datetime, field: str) -> datetime:
    """A moment with its time zone, or an age from now on.

    Raises:
        InvalidInputError: it is neither.
    """
    if age := _AGE.match(text.strip()):
        return now + timedelta(**{_UNITS[age[2]]: int(age[1])})
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidInputError(
            f"{text!r} is no moment with a time zone",
            field=field,
            value=text,
            remedy="write 2026-01-31T18:00:00Z, or from now on such as 7d",
        )
    return found


def revoke(authorisation: One, output: Output = None) -> None:
    """Withdraw one: its campaigns stop."""
    wanted = form(output)

    async def withdraw(container: Any) -> dict[str, Any]:
        from purple.services.identity import ADMINISTRATOR

        found = await container.authorisations.revoke(organisation(), authorisation, ADMINISTRATOR.username)
        return documents.authorisation(found, container.clock.now())

    revoked = with_container(withdraw)
    note(f"revoked {revoked['name']}: its campaigns stop")
    document(revoked, wanted)


def attach(
    authorisation: One,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What was signed; it is kept")],
    output: Output = None,
) -> None:
    """Attach what was signed, once, before a campaign runs under it: its SHA-256 enters the digest."""
    wanted = form(output)

    async def put(container: Any) -> dict[str, Any]:
        from purple.services.identity import ADMINISTRATOR

        known = await container.authorisations.get(organisation(), authorisation)
        signed = await asyncio.to_thread(_read, file)
        by = ADMINISTRATOR.username
        found = await container.authorisations.attach(organisation(), known.id, known.version, signed, by)
        return documents.authorisation(found, container.clock.now())

    document(with_container(put), wanted)


def fetch(
    authorisation: One,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Where it is written; not over a file")],
) -> None:
    """Fetch what was signed."""

    async def get(container: Any) -> bytes:
        found: bytes = await container.authorisations.document(
            await container.authorisations.get(organisation(), authorisation)
        )
        return found

    signed = with_container(get)
    try:
        with to.open("xb") as file:
            file.write(signed)
    except OSError as error:
        raise InvalidInputError(
            f"{to} cannot be written: {error.strerror}", field="--to", value=to, remedy="name a new file"
        ) from None
    note(f"{len(signed)} bytes are in {to}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInputError(
            f"{file} cannot be read: {error.strerror}", field="FILE", value=file, remedy="name what was signed"
        ) from None


def refusals(
    authorisation: Annotated[UUID | None, typer.Argument(metavar="AUTHORISATION", help="By default of all")] = None,
    filter_: Filter = "",
    sort: Sort = "",
    limit: Limit = LIMIT,
    output: Output = None,
) -> None:
    """What it refused, by which rule; newest first."""
    asked = Asked(filter_, sort, limit, form(output))

    async def look(container: Any) -> None:
        where = {}
        if authorisation:
            where["authorisation_id"] = (await container.authorisations.get(organisation(), authorisation)).id
        query = Query(where, filter=filter_, sort=sort)
        await show_list(container.clearance.page, asked, REFUSED, documents.refusal, query)

    with_container(look)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Who allowed what to be tested, when and how hard.", no_args_is_help=True)
    nouns.command("list", epilog=f"--filter and --sort take {FIELDS}.")(list_authorisations)
    nouns.command(epilog=f"--filter and --sort take {REFUSALS}.")(refusals)
    for verb in (show, add, attach, revoke):
        nouns.command()(verb)
    nouns.command("document")(fetch)
    app.add_typer(nouns, name="authorisation")
