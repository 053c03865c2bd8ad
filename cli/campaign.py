"""`purple campaign …`: runs of a profile on targets, started, watched and steered."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents, steering
from cli.comparing import compare
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
from cli.listing import LIMIT, Asked, Filter, Limit, Listed, Output, Sort, form, show_list
from cli.output import Column, Format, data, document, note
from cli.result import as_sarif, gather
from cli.result import show as show_result
from cli.runtime import organisation, with_container
from cli.target import find_or_register
from cli.watch import watch_to_end
from purple.domain.errors import InvalidInputError

FIELDS = "id, name, profile, state, phase, reason, authorisation_id, created_at, started_at, ended_at"
LISTED = Listed(
    "Campaigns",
    "purple.campaigns/1",
    (
        Column("id", whole=True),
        Column("state"),
        Column("name"),
        Column("counts", "found", optional=True),
        Column("created_at", optional=True),
        Column("profile", optional=True),
        Column("phase", optional=True),
        Column("reason", optional=True),
    ),
)
One = Annotated[UUID, typer.Argument(metavar="CAMPAIGN", help="Its id")]
Reports = Annotated[Path | None, typer.Option(help="Folder to copy the reports to", show_default=False)]


def list_campaigns(filter_: Filter = "", sort: Sort = "", limit: Limit = LIMIT, output: Output = None) -> None:
    """List, newest first."""
    asked = Asked(filter_, sort, limit, form(output))
    with_container(lambda c: show_list(c.campaigns.page, asked, LISTED, documents.campaign))


def show(campaign: One, output: Output = None) -> None:
    """Show one: how far it is, what it found, what it did not cover. `-o sarif` writes what it found."""
    wanted = form(output, sarif=True)

    async def look(container: Any) -> None:
        found = await container.campaigns.get(organisation(), campaign)
        result = await gather(container, found)
        if wanted is Format.SARIF:
            data(as_sarif(result))
            return
        progress = await container.campaigns.progress(found)
        made = documents.campaign(found) | {
            "temporal_url": container.campaigns.link(found),
            "progress": dict(progress) if progress else None,
            "waits": list(await container.waiting.reasons(found)),
            "runs": len(result.scans),
            "new": sorted(map(str, result.new)),
            "not_covered": [
                {"tool": each.tool, "endpoint": each.endpoint, "state": each.state, "reason": each.reason}
                for each in result.gaps
                if each.state.ended
            ],
            "notes": found.summary.get("notes", {}),
        }
        if wanted is Format.TABLE:
            made["new"] = len(result.new)
            made["not_covered"] = [f"{each.tool} {each.endpoint} ({each.state})" for each in result.gaps]
        document(made, wanted)

    with_container(look)


def start(  # noqa: PLR0913, PLR0917 - the options of a command
    targets: Annotated[list[str], typer.Argument(metavar="TARGET...", help="Ids of the register, or values")],
    profile: Profile = None,
    name: Annotated[str, typer.Option(help="For people; by default profile and target")] = "",
    authorisation: Annotated[
        UUID | None, typer.Option(help="Its id; by default one that covers all targets", show_default=False)
    ] = None,
    authorised_by: AuthorisedBy = "",
    allow: Allow = None,
    option: ToolOption = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the campaign, and do not wait")] = False,
    fail_on: FailOn = None,
    fail_on_new: FailOnNew = None,
    reports: Reports = None,
    output: Output = None,
) -> None:
    """Start one on targets, and watch it to its end."""
    if detach and (fail_on or fail_on_new or reports):
        raise InvalidInputError(
            "what it found is not known before its end", field="--detach", remedy="leave --detach out, or the others"
        )
    gate = gate_of(fail_on, fail_on_new)
    options = parse_options(option or [])
    wanted = form(output, sarif=not detach)

    async def run_it(container: Any) -> int:
        from purple.contracts.campaigns import CampaignInput
        from purple.services.identity import ADMINISTRATOR

        await put_files(container, options)
        chosen = [await find_or_register(container, text) for text in targets]
        contract = (
            authorisation
            or (
                await authorise(
                    container, chosen, authorised_by, allow or [], name or f"purple campaign on {targets[0]}"
                )
            ).id
        )
        asked = CampaignInput(
            organisation_id=organisation(),
            name=name,
            profile=profile_of(profile),
            target_ids=tuple(each.id for each in chosen),
            authorisation_id=contract,
            options=options,
            created_by=ADMINISTRATOR.user_id,
        )
        started = await container.campaigns.start(asked)
        if detach:
            document(documents.campaign(started), wanted)
            note(f"`purple campaign watch {started.id}` shows how it goes")
            return 0
        return await show_result(container, await watch_to_end(container, started), wanted, gate, reports)

    raise typer.Exit(with_container(run_it))


def watch(
    campaign: One,
    fail_on: FailOn = None,
    fail_on_new: FailOnNew = None,
    reports: Reports = None,
    output: Output = None,
) -> None:
    """Watch one to its end, live in a terminal. Ctrl-C leaves it running."""
    gate = gate_of(fail_on, fail_on_new)
    wanted = form(output, sarif=True)

    async def run_it(container: Any) -> int:
        found = await container.campaigns.get(organisation(), campaign)
        ended = found if found.state.ended else await watch_to_end(container, found)
        return await show_result(container, ended, wanted, gate, reports)

    raise typer.Exit(with_container(run_it))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Runs of a profile on targets: start, watch, steer.", no_args_is_help=True)
    nouns.command("list", epilog=f"--filter and --sort take {FIELDS}.")(list_campaigns)
    for verb in (show, start, watch):
        nouns.command()(verb)
    nouns.command()(compare)
    steering.register(nouns)
    app.add_typer(nouns, name="campaign")
