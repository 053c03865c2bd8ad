"""`purple demo`: one whole campaign against the lab of this machine."""

from datetime import timedelta
from typing import Any

import typer

from cli.console import link
from cli.follow import follow
from cli.output import Format, note
from cli.result import show
from cli.runtime import settings as read_settings
from cli.runtime import with_container
from purple.domain.campaigns import CampaignState
from purple.domain.errors import ExitCode, PurpleError
from purple.domain.tools import Intrusiveness

NAME = "Demo: the lab"


def demo() -> None:
    """Start the stack and the lab, run a campaign, and leave the stack up."""
    from purple.stack.lab import lab_targets
    from purple.stack.stack import down, told, up

    settings = read_settings().stack
    note("The lab is VULNERABLE ON PURPOSE. Everything listens on loopback only.")
    try:
        state = up(settings, lab=True, watcher=told(note))
        wait_for_tools(settings)
        code = with_container(lambda container: campaign(container, lab_targets(settings.home)))
    except KeyboardInterrupt:
        note("stopping everything; a campaign under way goes on when `purple up` starts the stack again")
        down(settings.home)
        raise
    note("")
    note(f"Console: {with_container(link)}")
    note("  (this link signs in once, within fifteen minutes; `.venv/bin/purple console` prints another)")
    note(f"API docs: {state.offered['PURPLE_API__URL']}/api/docs (token in {settings.home / 'admin.token'})")
    note("The stack stays up for these links; `make down` stops everything.")
    raise typer.Exit(code)


def wait_for_tools(settings: Any) -> None:
    """The demo wants every tool; they come while the servers start."""
    from purple.stack.stack import told, up

    up(settings, lab=True, wait_all=True, watcher=told(note))


async def campaign(container: Any, urls: list[str]) -> int:
    """Run it and show it; a campaign that went through is a demo that worked, whatever it found."""
    from purple.contracts.campaigns import CampaignInput
    from purple.services.identity import ADMINISTRATOR, FIRST_ORGANISATION

    targets = [(await container.targets.ensure(FIRST_ORGANISATION, url)).id for url in urls]
    contract = await container.authorisations.create(
        FIRST_ORGANISATION,
        name="The lab of the demo",
        signed_by="you, by starting the demo",
        include=["127.0.0.1"],
        valid_until=container.clock.now() + timedelta(days=1),
        max_intrusiveness=Intrusiveness.INTRUSIVE,
    )
    started = await container.campaigns.start(
        CampaignInput(
            organisation_id=FIRST_ORGANISATION,
            name=NAME,
            profile="standard",
            target_ids=tuple(targets),
            authorisation_id=contract.id,
            created_by=ADMINISTRATOR.user_id,
        )
    )
    ended = await follow(container, started)
    folder = container.settings.stack.home / "reports" / str(ended.id)
    await show(container, ended, Format.TABLE, None, folder)
    note(f"Temporal UI: {container.campaigns.link(ended)}")
    if ended.state not in {CampaignState.COMPLETED, CampaignState.COMPLETED_WITH_GAPS}:
        raise PurpleError(f"the campaign ended {ended.state}: {ended.reason}", remedy="see `purple logs steps`")
    return ExitCode.PASS


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)
