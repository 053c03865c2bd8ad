"""`purple …`: the commands, and what every one of them does with errors."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import TyperException

from cli import (
    attack_paths,
    authorisation,
    build,
    campaign,
    compliance,
    config,
    console,
    data,
    demo,
    false_positive,
    importing,
    profile,
    report,
    risk,
    scan,
    schedule_steering,
    search,
    sla,
    stack,
    target,
    tool,
    trend,
    unit,
    vulnerability,
)
from cli import run as run_
from cli.output import note
from cli.runtime import set_opener, settings, with_container
from purple.domain.errors import ExitCode, PurpleError

if TYPE_CHECKING:
    from purple.bootstrap import Container

INTERRUPTED = 130
BROKEN_PIPE = 141

app = typer.Typer(
    name="purple",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich's own help takes longer to import than everything else together
    help="Security campaigns as durable workflows. Exit codes: 0 pass, 1 error, 2 usage, 3 gate failed, "
    "4 not allowed, 5 incomplete.",
)


@app.command()
def bootstrap(
    token_file: Annotated[Path | None, typer.Option(help="Write the token there instead of printing it")] = None,
) -> None:
    """Bring the database up to date and make a token for the first administrator."""

    async def make(container: "Container") -> str:
        await asyncio.to_thread(container.migrate)
        return "" if token_file and token_file.exists() else await container.identity.first_token()

    token = with_container(make)
    if not token:
        return
    if token_file is None:
        sys.stdout.write(f"{token}\n")
        return
    handle = os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(f"{token}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit code."""
    try:
        result = app(args=arguments, standalone_mode=False, prog_name="purple")
    except (typer.Exit, SystemExit) as error:  # completion scripts end with the latter
        code = error.exit_code if isinstance(error, typer.Exit) else error.code
        return code if isinstance(code, int) else ExitCode.PASS
    except BrokenPipeError:  # whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        note("stopped")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, people get a line and never a stack trace
        said, code = _told(error)
        note(f"error: {said}")
        return code
    return int(result or 0)


def _told(error: Exception) -> tuple[str, int]:
    """An error as one line, and its exit code."""
    if isinstance(error, PurpleError):
        return error.line(), error.exit_code
    if isinstance(error, TyperException):
        return f"{getattr(error, 'message', error)} — see --help", ExitCode.USAGE
    return f"{type(error).__name__}: {error} — this is a mistake of ours, please report it", ExitCode.ERROR


def run() -> None:
    """The console script. Ends at once: a process that used Temporal's client can abort while Python ends."""
    code = main()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = code or BROKEN_PIPE
    sys.stderr.flush()
    os._exit(code)


def _container() -> "Container":
    from purple.bootstrap import Container

    return Container(settings())


set_opener(_container)
for room in (
    scan,
    importing,
    campaign,
    schedule_steering,
    run_,
    vulnerability,
    search,
    sla,
    risk,
    attack_paths,
    false_positive,
    trend,
    compliance,
    data,
    target,
    authorisation,
    profile,
    report,
    tool,
    unit,
    stack,
    demo,
    console,
    config,
    build,
):
    room.register(app)
