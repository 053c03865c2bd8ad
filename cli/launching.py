"""What `scan` and `campaign start` have in common: options of tools, gates, who allows it."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import runtime
from cli.complete import profiles, severities
from cli.result import Gate
from purple.domain.errors import InvalidInputError, OutOfScopeError
from purple.domain.scope import Authorisation
from purple.domain.severity import Severity
from purple.domain.targets import Target, TargetKind
from purple.domain.tools import Intrusiveness

VALID_FOR = timedelta(days=1)
ASSETS = {TargetKind.REPOSITORY, TargetKind.IMAGE}

Profile = Annotated[
    str | None,
    typer.Option(help="What to run; by default PURPLE_CLI__PROFILE", autocompletion=profiles, show_default=False),
]
AuthorisedBy = Annotated[
    str, typer.Option(help="Who allows this test; writes an authorisation for a day where none covers it")
]
Allow = Annotated[
    list[str] | None, typer.Option(help="With --authorised-by: loopback or private addresses that are meant")
]
ToolOption = Annotated[
    list[str] | None,
    typer.Option("--option", help="TOOL.NAME=VALUE, value as JSON; @FILE puts a file in the object store"),
]
FailOn = Annotated[
    str | None,
    typer.Option(
        help="Exit 3 when something at least this bad is open; by default PURPLE_CLI__FAIL_ON",
        autocompletion=severities,
        show_default=False,
    ),
]
FailOnNew = Annotated[
    bool | None,
    typer.Option(
        "--fail-on-new/--no-fail-on-new",
        help="Exit 3 when a vulnerability was found that no earlier campaign saw",
        show_default=False,
    ),
]


def gate_of(fail_on: str | None, fail_on_new: bool | None) -> Gate:
    """The gate that was asked for, else the settings'.

    Raises:
        InvalidInputError: no such severity.
    """
    default = runtime.settings().cli
    severity = default.fail_on if fail_on is None else fail_on
    return Gate(
        Severity.parse(severity, "--fail-on") if severity else None,
        default.fail_on_new if fail_on_new is None else fail_on_new,
    )


def profile_of(profile: str | None) -> str:
    """The profile that was asked for, else the settings'."""
    return runtime.settings().cli.profile if profile is None else profile


def parse_options(texts: Iterable[str]) -> dict[str, dict[str, Any]]:
    """`TOOL.NAME=VALUE` as nested options; a value that is no JSON is text.

    Raises:
        InvalidInputError: one is not written so.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        tool, dot, field = name.partition(".")
        if not (equals and dot and tool and field):
            raise InvalidInputError(
                f"{text!r} is not an option", field="--option", value=text, remedy='write it as nmap.ports="80,443"'
            )
        try:
            found.setdefault(tool, {})[field] = json.loads(value)
        except ValueError:
            found.setdefault(tool, {})[field] = value
    return found


async def put_files(container: Any, options: dict[str, dict[str, Any]]) -> None:
    """Put each `@FILE` in the object store; its SHA-256 is the option's value.

    Raises:
        InvalidInputError: there is no such file.
    """
    for tool, values in options.items():
        for name, value in values.items():
            if not (isinstance(value, str) and value.startswith("@")):
                continue
            path = Path(value[1:])
            if not await asyncio.to_thread(path.is_file):
                raise InvalidInputError(
                    f"{path} is no file", field=f"options.{tool}.{name}", value=path, remedy="name a file to import"
                )
            values[name] = await container.objects.put_file(path)


async def authorise(
    container: Any, targets: Sequence[Target], authorised_by: str, allow: Sequence[str], name: str
) -> Authorisation:
    """The authorisation that covers the targets, or one in the name of who allows it.

    Raises:
        OutOfScopeError: none covers them, and nobody allows it.
    """
    from purple.services.identity import ADMINISTRATOR

    organisation = runtime.organisation()
    try:
        found: Authorisation = await container.single.covering(organisation, *targets)
    except OutOfScopeError as refused:
        if not authorised_by:
            from purple.services.clearance import Asked

            await container.clearance.refuse(refused, Asked(organisation_id=organisation))
            refused.remedy = "say who allows it with --authorised-by NAME, or see `purple authorisation add --help`"
            raise
    else:
        return found
    written: Authorisation = await container.authorisations.create(
        organisation,
        name=name,
        signed_by=authorised_by,
        include=[*map(scope_of, targets), *allow],
        valid_until=container.clock.now() + VALID_FOR,
        max_intrusiveness=Intrusiveness.INTRUSIVE,
        by=ADMINISTRATOR.username,
    )
    return written


def scope_of(target: Target) -> str:
    """The rule that covers a target."""
    return f"asset:{target.value}" if target.kind in ASSETS else target.address.host
