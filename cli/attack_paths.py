"""`purple attack-paths`: from the outside to what matters."""

from typing import Annotated, Any
from uuid import UUID

import typer

from cli.listing import LIMIT, Limit, Output, form
from cli.output import Column, Format, document, note, table
from cli.runtime import organisation, with_container
from cli.trend import Of
from purple.domain.attack_paths import Asked

PATHS = (
    Column("weight", whole=True),
    Column("goal"),
    Column("from", whole=True),
    Column("steps"),
    Column("techniques", optional=True),
)
FIXES = (
    Column("what"),
    Column("vulnerabilities", whole=True),
    Column("targets", whole=True),
    Column("ends"),
    Column("left"),
    Column("remediation", optional=True),
)
STEP = (
    "target_id", "target", "host", "zones", "vulnerability_id", "title", "severity", "where", "gain", "effort", "why",
    "alike",
)  # fmt: skip
GOAL = ("target_id", "target", "host", "zones", "worth", "why", "paths")
CHOKE_POINT = ("cause", "vulnerabilities", "targets", "worst", "title", "remediation")
FACTS = ("places", "exposed", "goals", "openings", "unknown_exposure")


def attack_paths(
    filter_: Of = "",
    technique: Annotated[str, typer.Option("--technique", metavar="ID", help="That a step has, such as T1190")] = "",
    through: Annotated[
        UUID | None, typer.Option("--through", metavar="VULNERABILITY", help="That a step uses", show_default=False)
    ] = None,
    limit: Limit = LIMIT,
    output: Output = None,
) -> None:
    """Show chains of present vulnerabilities from the outside to what matters, and what to mend first."""
    wanted = form(output)
    asked = Asked(filter_, technique, through, limit)
    made = _document(with_container(lambda c: c.attack_paths.find(organisation(), asked)))
    if wanted is not Format.TABLE:
        document(made, wanted)
        return
    title = f"{made['number']} paths to {made['goals']} of {made['facts']['goals']} goals"
    table(title, PATHS, [_row(each) for each in made["items"]])
    table("What to mend first", FIXES, [_fix(each) for each in made["choke_points"]])
    if made["number"] > len(made["items"]):
        note(f"and {made['number'] - len(made['items'])} more: of each goal the easiest are shown")
    if unknown := made["facts"]["unknown_exposure"]:
        note(f"no path begins at the {unknown} targets of unknown exposure: `purple target edit TARGET --exposure …`")
    if made["cut_off"]:
        note("not all was looked at: the vulnerabilities of the highest risk, and the shortest ways over several zones")


def _row(path: dict[str, Any]) -> dict[str, Any]:
    steps = path["steps"]
    return {
        "weight": path["weight"],
        "goal": f"{path['goal']['target']} ({', '.join(path['goal']['why'])})",
        "from": path["start"],
        "steps": " → ".join(f"{each['host']}: {each['title']} ({each['gain']})" for each in steps),
        "techniques": list(dict.fromkeys(one["id"] for each in steps for one in each["techniques"])),
    }


def _fix(each: dict[str, Any]) -> dict[str, Any]:
    several = each["vulnerabilities"] > 1
    counts = {name: f"{each[name]['paths']} paths, {each[name]['goals']} goals" for name in ("ends", "left")}
    return each | counts | {"what": each["cause"] if several else f"{each['title']} ({each['worst']})"}


def _document(found: Any) -> dict[str, Any]:
    """`purple.attack-paths/1`."""
    return {
        "schema": "purple.attack-paths/1",
        "items": [_path(each) for each in found.items],
        "number": found.number,
        "goals": found.goals,
        "choke_points": [
            _told(each, CHOKE_POINT)
            | {name: _told(getattr(each, name), ("goals", "paths")) for name in ("ends", "left")}
            for each in found.choke_points
        ],
        "facts": _told(found.facts, FACTS),
        "cut_off": found.cut_off,
    }


def _path(each: Any) -> dict[str, Any]:
    steps = [
        _told(step, STEP) | {"techniques": [_told(one, ("id", "name")) for one in step.techniques]}
        for step in each.steps
    ]
    return _told(each, ("start", "effort", "weight")) | {"goal": _told(each.goal, GOAL), "steps": steps}


def _told(thing: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("attack-paths")(attack_paths)
