"""`purple compliance …`: how frameworks stand, from scans and the register."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from cli.listing import Output, form
from cli.output import Column, Format, data, document, note, table
from cli.runtime import organisation, with_container
from cli.trend import Of
from purple.domain.compliance import ControlStanding, Evidence, Status
from purple.domain.errors import ExitCode
from purple.domain.trends import read_day

SHOWN = 20
"""Targets that a table names."""
FRAMEWORKS = (
    Column("name", whole=True),
    Column("title"),
    Column("version", optional=True),
    Column("targets", whole=True),
    *(Column(each, each.replace("_", " "), whole=True) for each in Status),
)
CONTROLS = (
    Column("id", whole=True),
    Column("status", whole=True),
    Column("title"),
    Column("targets"),
)
EVIDENCE = (
    Column("status", whole=True),
    Column("value", "target"),
    Column("gaps"),
    Column("evidence"),
)
DAYS = (Column("day", whole=True), *(Column(each, whole=True) for each in ("not_met", "not_tested", "met")))
Name = Annotated[str, typer.Argument(metavar="FRAMEWORK", help="Such as pci-dss; see `purple compliance list`")]


def list_frameworks(output: Output = None) -> None:
    """List all frameworks, and how those stand that a target has: `purple target edit TARGET --framework NAME`."""
    wanted = form(output)

    async def look(container: Any) -> Any:
        return container.compliance.frameworks(), await container.compliance.overview(organisation())

    frameworks, standings = with_container(look)
    known = {each.name: each for each in standings}
    rows = []
    for each in frameworks:
        standing = known.get(each.name)
        counts = standing.counts if standing else {Status.NOT_APPLICABLE: len(each.controls)}
        told = {name: getattr(each, name) for name in ("name", "title", "version", "source", "limits")}
        targets = standing.targets if standing else 0
        rows.append(told | {"targets": targets} | {str(status): counts.get(status, 0) for status in Status})
    if wanted is Format.TABLE:
        table("Frameworks", FRAMEWORKS, rows)
    else:
        data({"schema": "purple.frameworks/1", "items": rows})


def show(
    framework: Name,
    filter_: Of = "",
    fail_on_gaps: Annotated[
        bool, typer.Option("--fail-on-gaps", help="Exit 3 unless each control that applies is met")
    ] = False,
    output: Output = None,
) -> None:
    """Show how each control stands: met, not met, or not tested, which is neither."""
    wanted = form(output)
    standing = with_container(lambda c: c.compliance.standing(organisation(), framework, filter_))
    if wanted is not Format.TABLE:
        document(_framework(standing), wanted)
    else:
        rows = [_row(each) for each in standing.controls]
        table(f"{standing.title} {standing.version}, {standing.targets} targets", CONTROLS, rows)
        note(standing.limits)
        if not standing.targets:
            note(f"no target has it: `purple target edit TARGET --framework {framework}`")
    if fail_on_gaps and (standing.counts[Status.NOT_MET] or standing.counts[Status.NOT_TESTED]):
        raise typer.Exit(ExitCode.GATE_FAILED)


def control(
    framework: Name,
    control_id: Annotated[str, typer.Argument(metavar="CONTROL", help="As the framework numbers it")],
    filter_: Of = "",
    output: Output = None,
) -> None:
    """Show the evidence of one control, target by target: which scan, when, complete or not."""
    wanted = form(output)
    found = with_container(lambda c: c.compliance.control(organisation(), framework, control_id, filter_))
    if wanted is not Format.TABLE:
        document({"schema": "purple.control/1", "framework": framework, **_control(found, found.evidence)}, wanted)
        return
    rows = [
        {
            "status": _words(each.status),
            "value": each.target.value,
            "gaps": "; ".join(each.gaps),
            "evidence": _seen(each),
        }
        for each in found.evidence[:SHOWN]
    ]
    table(f"{found.id} {found.title}: {_words(found.status)}", EVIDENCE, rows)
    if len(found.evidence) > SHOWN:
        note(f"and {len(found.evidence) - SHOWN} more: -o json names all of them")


def history(
    framework: Name,
    since: Annotated[str, typer.Option("--since", metavar="DAY", help="The first day, by default 90 days ago")] = "",
    output: Output = None,
) -> None:
    """Show how many controls were met, not met and not tested, by day."""
    wanted = form(output)
    first = read_day(since, "--since")
    days = with_container(lambda c: c.compliance.history(organisation(), framework, first))
    rows = [{name: getattr(each, name) for name in ("day", "not_met", "not_tested", "met")} for each in days]
    if wanted is Format.TABLE:
        table(f"Controls of {framework}", DAYS, rows)
    else:
        data({"schema": "purple.compliance-history/1", "name": framework, "items": rows})


def _words(status: Status) -> str:
    return status.replace("_", " ")


def _row(each: ControlStanding) -> dict[str, Any]:
    counts = {_words(status): count for status, count in each.counts.items() if count}
    return {"id": each.id, "status": _words(each.status), "title": each.title, "targets": counts}


def _seen(each: Evidence) -> str:
    return "; ".join(
        f"{look.tool} {look.at:%Y-%m-%d} {'found nothing to look at' if look.nothing else look.state.replace('_', ' ')}"
        for look in each.looks
    )


def _framework(standing: Any) -> dict[str, Any]:
    told = {name: getattr(standing, name) for name in ("name", "title", "version", "source", "limits", "at", "targets")}
    gaps = [
        _control(each, [one for one in each.evidence if one.status is not Status.MET]) for each in standing.controls
    ]
    return {"schema": "purple.framework/1", **told, "counts": dict(standing.counts), "controls": gaps}


def _control(each: ControlStanding, evidence: Iterable[Evidence]) -> dict[str, Any]:
    told = {"id": each.id, "title": each.title, "status": each.status, "targets": dict(each.counts)}
    return told | {"evidence": [_evidence(one) for one in evidence]}


def _evidence(each: Evidence) -> dict[str, Any]:
    looks = ("tool", "campaign_id", "scan_id", "at", "state", "reason", "nothing")
    breach = ("present", "accepted", "worst", "title")
    return {
        "target_id": each.target.id,
        "value": each.target.value,
        "status": each.status,
        "gaps": list(each.gaps),
        "looks": [{name: getattr(look, name) for name in looks} for look in each.looks],
        "breach": each.breach and {name: getattr(each.breach, name) for name in breach},
    }


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="How frameworks of compliance stand, from scans and the register.", no_args_is_help=True)
    nouns.command("list")(list_frameworks)
    for verb in (show, control, history):
        nouns.command()(verb)
    app.add_typer(nouns, name="compliance")
