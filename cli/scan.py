"""`purple scan`: one target from the command line, followed live."""

import asyncio
import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.follow import follow
from cli.output import Format, data, note, table
from cli.runtime import with_container
from purple.domain.campaigns import Campaign, exit_code_of
from purple.domain.errors import InvalidInputError, OutOfScopeError
from purple.domain.pages import MAX_LIMIT, Query
from purple.domain.scope import Authorisation
from purple.domain.severity import Severity
from purple.domain.targets import Target, TargetKind
from purple.domain.tools import Intrusiveness, ScanState
from purple.domain.vulnerabilities import Vulnerability

VALID_FOR = timedelta(days=1)
RESULT_SCHEMA = "purple.scan/1"
ASSETS = {TargetKind.REPOSITORY, TargetKind.IMAGE}


def scan(  # noqa: PLR0913, PLR0917 - the options of a command
    target: Annotated[str, typer.Argument(help="A URL, a host, host:port, or a network")],
    profile: Annotated[str, typer.Option(help="What to run")] = "standard",
    authorised_by: Annotated[
        str, typer.Option(help="Who allows this test; writes an authorisation for a day where none covers it")
    ] = "",
    allow: Annotated[
        list[str] | None, typer.Option(help="With --authorised-by: loopback or private addresses that are meant")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="TOOL.NAME=VALUE, value as JSON; @FILE puts a file in the object store"),
    ] = None,
    fail_on: Annotated[str, typer.Option(help="Exit 3 when something at least this bad is open")] = "",
    reports: Annotated[Path | None, typer.Option(help="Folder to copy the reports to")] = None,
    output: Annotated[Format, typer.Option("-o", "--output")] = Format.TABLE,
) -> None:
    """Scan one target and follow it to its end."""
    gate = Severity.parse(fail_on, "--fail-on") if fail_on else None
    options = parse_options(option or [])

    async def run_it(container: Any) -> int:
        from purple.contracts.campaigns import CampaignInput
        from purple.services.identity import FIRST_ORGANISATION

        await _put_files(container, options)
        registered = await container.targets.ensure(FIRST_ORGANISATION, target)
        contract = await _authorise(container, registered, authorised_by, allow or [])
        wanted = CampaignInput(
            organisation_id=FIRST_ORGANISATION,
            name="",
            profile=profile,
            target_ids=(registered.id,),
            authorisation_id=contract.id,
            options=options,
        )
        campaign = await follow(container, await container.campaigns.start(wanted))
        return await show(container, campaign, output, gate, reports)

    raise typer.Exit(with_container(run_it))


def parse_options(texts: list[str]) -> dict[str, dict[str, Any]]:
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


async def _put_files(container: Any, options: dict[str, dict[str, Any]]) -> None:
    """Put each `@FILE` in the object store; its SHA-256 is the option's value."""
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


async def _authorise(container: Any, target: Target, authorised_by: str, allow: list[str]) -> Authorisation:
    """The authorisation that covers the target, or one in the name of who allows it."""
    from purple.services.identity import FIRST_ORGANISATION

    try:
        found: Authorisation = await container.single.covering(FIRST_ORGANISATION, target)
    except OutOfScopeError as refused:
        if not authorised_by:
            refused.remedy = "say who allows it with --authorised-by NAME, or create an authorisation in the API"
            raise
    else:
        return found
    written: Authorisation = await container.authorisations.create(
        FIRST_ORGANISATION,
        name=f"purple scan {target.value}",
        signed_by=authorised_by,
        include=[_scope_of(target), *allow],
        valid_until=container.clock.now() + VALID_FOR,
        max_intrusiveness=Intrusiveness.INTRUSIVE,
    )
    return written


def _scope_of(target: Target) -> str:
    return f"asset:{target.value}" if target.kind in ASSETS else target.address.host


async def show(container: Any, campaign: Campaign, output: Format, gate: Severity | None, folder: Path | None) -> int:
    """What a campaign found and did not cover; the exit code."""
    organisation = campaign.organisation_id
    found: list[Vulnerability] = []
    cursor = ""
    while True:
        page = await container.findings.vulnerabilities(
            organisation, Query({"campaign_id": campaign.id}, cursor, MAX_LIMIT)
        )
        found += [each for each in page.items if each.state.counts]
        cursor = page.next_cursor
        if not cursor:
            break
    scans = (await container.campaigns.scans(organisation, Query({"campaign_id": campaign.id}, limit=MAX_LIMIT))).items
    paths = await copy_reports(container, campaign, folder) if folder else await locate_reports(container, campaign)
    gaps = [each for each in scans if each.state is not ScanState.COMPLETE]
    worst = max((each.severity for each in found), key=lambda each: each.rank, default=None)
    code = exit_code_of(campaign.state, worst, gate)
    if output is Format.JSON:
        data(
            {
                "schema": RESULT_SCHEMA,
                "campaign_id": campaign.id,
                "state": campaign.state,
                "reason": campaign.reason,
                "exit_code": int(code),
                "counts": campaign.summary.get("counts", {}),
                "vulnerabilities": [_row(each) for each in found],
                "not_covered": [
                    {"tool": e.tool, "endpoint": e.endpoint, "state": e.state, "reason": e.reason} for e in gaps
                ],
                "reports": paths,
            }
        )
        return code
    rows = [
        (e.severity, e.risk, e.title, e.url or f"{e.host}:{e.port}", e.parameter, ", ".join(e.tools)) for e in found
    ]
    table("Vulnerabilities", ("severity", "risk", "what", "where", "parameter", "seen by"), rows)
    counts = campaign.summary.get("counts", {})
    note("")
    some = [f"{counts[severity]} {severity}" for severity in reversed(Severity) if counts.get(severity)]
    note(f"found: {', '.join(some) or 'nothing'}")
    for each in gaps:
        note(f"not covered: {each.tool} {each.endpoint}: {each.state}: {each.reason}")
    if not gaps:
        note(f"covered: all {len(scans)} tool runs are complete")
    for phase, said in campaign.summary.get("notes", {}).items():
        note(f"{phase}: {said}")
    for name, path in paths.items():
        note(f"report {name}: {path}")
    note(f"campaign {campaign.state}{f': {campaign.reason}' if campaign.reason else ''} (exit code {int(code)})")
    return code


def _row(each: Vulnerability) -> dict[str, Any]:
    names = ("id", "title", "severity", "risk", "state", "weakness", "cve", "host", "port", "url", "parameter", "tools")
    return {name: getattr(each, name) for name in names if name in {f.name for f in dataclasses.fields(each)}}


async def locate_reports(container: Any, campaign: Campaign) -> dict[str, str]:
    """Where the object store keeps them."""
    page = await container.reporting.page(campaign.organisation_id, Query({"campaign_id": campaign.id}))
    return {str(each.format): container.reporting.location(each) for each in page.items}


async def copy_reports(container: Any, campaign: Campaign, folder: Path) -> dict[str, str]:
    """Copies with names that other programs recognise."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    page = await container.reporting.page(campaign.organisation_id, Query({"campaign_id": campaign.id}))
    paths = {}
    for each in sorted(page.items, key=lambda report: report.format):
        path = folder / f"report.{each.format}"
        await asyncio.to_thread(path.write_bytes, await container.reporting.content(each))
        paths[str(each.format)] = str(path)
    return paths


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(scan)
