"""`purple trend …`: how many vulnerabilities there were, came and went; how scans went."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli import documents
from cli.listing import Output, form
from cli.output import Column, Format, document, note, table
from cli.runtime import organisation, with_container
from purple.domain.analytics import By
from purple.domain.trends import WORST_FIRST, read_day

POINTS = 12
"""Days that a table shows of a longer period."""
SUMS = ("found", "reopened", "returned", "fixed", "dismissed")
TOTALS = (
    Column("severity", whole=True),
    *(Column(name, whole=True) for name in ("open", "past_due", "found", "reopened", "fixed", "dismissed")),
    Column("days_to_fix", whole=True),
    Column("in_time", whole=True),
    Column("mean_age", "mean age", whole=True, optional=True),
)
AGES = (Column("name", "open for", whole=True), *(Column(each, whole=True) for each in WORST_FIRST))
LEVELS = (
    Column("day", whole=True),
    *(Column(each, whole=True) for each in WORST_FIRST),
    Column("past_due", whole=True),
    *(Column(name, f"{name} since", whole=True, optional=True) for name in SUMS),
)
TOOLS = (
    Column("tool", whole=True),
    Column("scans", whole=True),
    Column("coverage", "complete", whole=True),
    Column("ended"),
    Column("seconds_p50", "p50 s", whole=True),
    Column("seconds_p95", "p95 s", whole=True),
    Column("again", whole=True, optional=True),
    Column("observations", whole=True, optional=True),
)
PARTS = (
    *(Column(name, whole=True) for name in ("targets", "covered", "risk")),
    Column("open"),
    Column("past_due", whole=True),
    Column("mean_age", "mean age", whole=True, optional=True),
    *(Column(name, whole=True, optional=True) for name in ("found", "reopened", "fixed", "dismissed")),
    Column("days_to_fix", whole=True, optional=True),
)
Since = Annotated[str, typer.Option("--since", metavar="DAY", help="The first day, such as 2026-01-31")]
Until = Annotated[str, typer.Option("--until", metavar="DAY", help="The last day, by default today in UTC")]
Of = Annotated[
    str, typer.Option("--filter", metavar="TERMS", help="Of which targets, such as 'criticality:>=high tags:dmz'")
]


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _total(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: _number(row[name]) for name in ("mean_age", "days_to_fix")}
    return {**row, **shown, "in_time": _share(row["in_time"]), "severity": row["severity"] or "all"}


def _levels(days: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Some of the days, the last among them; what came and went is summed since the one before."""
    step = max(1, -(-len(days) // POINTS))
    ends = range((len(days) - 1) % step, len(days), step)
    shown = []
    for end in ends:
        since = days[max(0, end - step + 1) : end + 1]
        sums = {name: sum(each[name] for each in since) for name in SUMS}
        shown.append({**days[end], **days[end]["open"], **sums})
    return shown


def show(since: Since = "", until: Until = "", filter_: Of = "", output: Output = None) -> None:
    """Show how many were open, found, fixed and reopened, how long fixing took, and how old the open ones are."""
    wanted = form(output)
    first, last = read_day(since, "--since"), read_day(until, "--until")
    made = documents.trend(with_container(lambda c: c.trends.trend(organisation(), first, last, filter_)))
    if wanted is not Format.TABLE:
        document(made, wanted)
        return
    table(
        f"From {made['since']} to {made['until']}",
        TOTALS,
        [_total(each) for each in (*made["severities"], made["total"])],
    )
    table("Open by age", AGES, [{"name": each["name"], **each["open"]} for each in made["ages"]])
    table("Open at the end of a day", LEVELS, _levels(made["days"]))


def scans(since: Since = "", until: Until = "", filter_: Of = "", output: Output = None) -> None:
    """Show how the scans of each tool ended, how long they took, and how many targets they covered."""
    wanted = form(output)
    first, last = read_day(since, "--since"), read_day(until, "--until")
    made = documents.scan_metrics(with_container(lambda c: c.trends.scans(organisation(), first, last, filter_)))
    if wanted is not Format.TABLE:
        document(made, wanted)
        return
    rows = [
        each
        | {
            "coverage": _share(each["coverage"]),
            "ended": {str(name).replace("_", " "): number for name, number in each["states"].items() if number},
            "seconds_p50": _number(each["seconds_p50"]),
            "seconds_p95": _number(each["seconds_p95"]),
        }
        for each in made["tools"]
    ]
    covered = f"{made['targets_covered']} of {made['targets']} targets were looked at to the end"
    table(f"From {made['since']} to {made['until']}: {covered}", TOOLS, rows)


def targets(
    by: Annotated[By, typer.Option(help="What targets are put together by")] = By.UNIT,
    since: Since = "",
    until: Until = "",
    filter_: Of = "",
    output: Output = None,
) -> None:
    """Show how parts of the register stand beside each other: coverage, open, past due, age, fixed, risk."""
    wanted = form(output)
    first, last = read_day(since, "--since"), read_day(until, "--until")
    found = with_container(lambda c: c.analytics.targets(organisation(), by, first, last, filter_))
    made = documents.target_analytics(found)
    if wanted is not Format.TABLE:
        document(made, wanted)
        return
    rows = [
        each
        | {"name": each["name"] or "none", "covered": _share(each["covered"] / each["targets"])}
        | {name: _number(each[name]) for name in ("mean_age", "days_to_fix")}
        for each in made["parts"]
    ]
    table(f"From {made['since']} to {made['until']}", (Column("name", by.replace("_", " ")), *PARTS), rows)


def rebuild() -> None:
    """Write all trends anew from the vulnerabilities and their history; due dates count as they are now."""
    with_container(lambda c: c.trending.rebuild(organisation()))
    note("the trends are written anew")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(
        help="How many vulnerabilities there were, came and went; how scans went.", no_args_is_help=True
    )
    for verb in (show, scans, targets, rebuild):
        nouns.command()(verb)
    app.add_typer(nouns, name="trend")
