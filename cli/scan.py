"""`purple scan`: one target from the command line, followed live."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.follow import follow
from cli.launching import (
    Allow,
    AuthorisedBy,
    FailOn,
    FailOnNew,
    Profile,
    ToolOption,
    authorise,
    gate_of,
    parse_options,
    profile_of,
    put_files,
)
from cli.listing import Output, form
from cli.result import show
from cli.runtime import organisation, with_container


def scan(  # noqa: PLR0913, PLR0917 - the options of a command
    target: Annotated[str, typer.Argument(help="A URL, a host, host:port, or a network")],
    profile: Profile = None,
    authorised_by: AuthorisedBy = "",
    allow: Allow = None,
    option: ToolOption = None,
    fail_on: FailOn = None,
    fail_on_new: FailOnNew = None,
    reports: Annotated[Path | None, typer.Option(help="Folder to copy the reports to", show_default=False)] = None,
    output: Output = None,
) -> None:
    """Scan one target and follow it to its end. Its tool runs are under `purple run`."""
    gate = gate_of(fail_on, fail_on_new)
    options = parse_options(option or [])
    wanted = form(output, sarif=True)

    async def run_it(container: Any) -> int:
        from purple.contracts.campaigns import CampaignInput
        from purple.services.identity import ADMINISTRATOR

        await put_files(container, options)
        registered = await container.targets.ensure(organisation(), target)
        contract = await authorise(
            container, [registered], authorised_by, allow or [], f"purple scan {registered.value}"
        )
        asked = CampaignInput(
            organisation_id=organisation(),
            name="",
            profile=profile_of(profile),
            target_ids=(registered.id,),
            authorisation_id=contract.id,
            options=options,
            created_by=ADMINISTRATOR.user_id,
        )
        campaign = await follow(container, await container.campaigns.start(asked))
        return await show(container, campaign, wanted, gate, reports)

    raise typer.Exit(with_container(run_it))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(scan)
