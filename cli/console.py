"""`purple console`: a link that signs a browser in."""

import sys
from typing import Any

import typer

from cli.output import note
from cli.runtime import with_container


async def link(container: Any) -> str:
    """A new link; it works once, for fifteen minutes."""
    api = container.settings.api
    base = api.url or f"http://{api.host}:{api.port}"
    return f"{base.rstrip('/')}/console/sign-in?token={await container.sessions.invite()}"


def console() -> None:
    """Print a link that signs a browser in to the console: once, within fifteen minutes."""
    sys.stdout.write(f"{with_container(link)}\n")
    note("It works once, within fifteen minutes. For another one run this again.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(console)
