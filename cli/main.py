"""`purple …`: the commands, and what every one of them does with errors."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import TyperException

from cli import console, demo, scan, stack, tool
from cli.output import note
from cli.runtime import set_opener, with_container
from purple.domain.errors import ExitCode, PurpleError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from purple.bootstrap import Container

app = typer.Typer(
    name="purple",
    no_args_is_help=True,
    add_completion=False,
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


def _settings_problem(error: "ValidationError") -> str:
    first = error.errors()[0]
    name = "PURPLE_" + "__".join(str(part).upper() for part in first["loc"])
    return f"the setting {name} is wrong: {first['msg']}"


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit code."""
    try:
        result = app(args=arguments, standalone_mode=False)
    except PurpleError as error:
        note(f"error: {error.line()}")
        return error.exit_code
    except ValueError as error:
        from pydantic import ValidationError

        if not isinstance(error, ValidationError):
            raise
        note(f"error: {_settings_problem(error)}")
        return ExitCode.USAGE
    except typer.Exit as error:
        return error.exit_code
    except TyperException as error:
        note(f"error: {getattr(error, 'message', error)} — see --help")
        return ExitCode.USAGE
    except (KeyboardInterrupt, typer.Abort):
        note("stopped")
        return 130
    return int(result or 0)


def run() -> None:
    """The console script. Ends at once: a process that used Temporal's client can abort while Python ends."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def open_container() -> "Container":
    """The container, of which nothing is imported before a command asks for it."""
    from purple.bootstrap import Container
    from purple.settings import load_settings

    return Container(load_settings())


set_opener(open_container)
stack.register(app)
tool.register(app)
scan.register(app)
demo.register(app)
console.register(app)
