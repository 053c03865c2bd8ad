"""`purple risk …`: why risk is what it is, its weights, and what others would change."""

from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents
from cli.listing import Output, form
from cli.output import Column, Format, data, document, note, table
from cli.runtime import organisation, with_container
from cli.target import One, find_target
from cli.trend import Since
from cli.unit import find_unit
from purple.domain.errors import InvalidInputError
from purple.domain.risk_history import Subject
from purple.domain.trends import read_day

PARTS = (Column("points", whole=True), Column("name", whole=True), Column("detail"))
WORST = (Column("score", whole=True), Column("name"), Column("id", whole=True, optional=True))
WEIGHTS = (Column("name", whole=True), Column("points", whole=True))
SHIFTS = (
    Column("before", whole=True),
    Column("after", whole=True),
    Column("title"),
    Column("id", whole=True, optional=True),
)
BANDS = (Column("scores", whole=True), Column("before", whole=True), Column("after", whole=True))
POINTS = (Column("name"), Column("value"), Column("why"))
Weight = Annotated[list[str], typer.Argument(metavar="NAME=POINTS...", help="kev=20, exposure_internet=12")]


def _combined(title: str, found: Any, wanted: Format) -> None:
    made = documents.combined_risk(found)
    if wanted is not Format.TABLE:
        document(made, wanted)
        return
    table(f"{title}: risk {made['score']} of 100, {made['count']} present vulnerabilities", PARTS, made["parts"])
    table("Worst", WORST, made["worst"])


def show(
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help="Of this business unit: its path or id")] = "",
    output: Output = None,
) -> None:
    """Show the risk of the organisation or of a unit of it, what it comes from, and the worst targets."""
    wanted = form(output)

    async def look(container: Any) -> Any:
        if not unit:
            return "The organisation", await container.risking.organisation(organisation())
        known = await find_unit(container, unit)
        return known.path, await container.risking.unit(organisation(), known.id)

    name, found = with_container(look)
    _combined(name, found, wanted)


def history(
    target: Annotated[str, typer.Option("--target", metavar="TARGET", help="Of this one: its id or value")] = "",
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help="Of this business unit: its path or id")] = "",
    since: Since = "",
    output: Output = None,
) -> None:
    """Show how the risk of the organisation, of a unit or of a target was: each score from its day on."""
    wanted, first = form(output), read_day(since, "--since")
    if target and unit:
        raise InvalidInputError("a target and a unit", field="--unit", value=unit, remedy="name one of the two")

    async def look(container: Any) -> Any:
        subject, subject_id = Subject.ORGANISATION, organisation()
        if target:
            subject, subject_id = Subject.TARGET, (await find_target(container, target)).id
        elif unit:
            subject, subject_id = Subject.UNIT, (await find_unit(container, unit)).id
        days = await container.risking.history(organisation(), subject, subject_id, first)
        return subject, subject_id, days

    subject, subject_id, days = with_container(look)
    rows = [{"day": each.day, "score": each.score} for each in days]
    if wanted is Format.TABLE:
        table("Risk", (Column("day", whole=True), Column("score", "risk", whole=True)), rows)
    else:
        data({"schema": "purple.risk-history/1", "subject": subject, "id": subject_id, "items": rows})


def target(target: One, output: Output = None) -> None:
    """Show a target's risk, what it comes from, and its worst vulnerabilities."""
    wanted = form(output)

    async def look(container: Any) -> Any:
        known = await find_target(container, target)
        return known.name, await container.risking.target(organisation(), known.id)

    name, found = with_container(look)
    _combined(name, found, wanted)


def vulnerability(
    vulnerability: Annotated[UUID, typer.Argument(metavar="VULNERABILITY", help="Its id")], output: Output = None
) -> None:
    """Show why one has its risk: the waterfall, CVSS, SSVC, and what is known of its CVEs."""
    wanted = form(output)
    why = with_container(lambda c: c.risking.vulnerability(organisation(), vulnerability))
    made = documents.vulnerability_risk(why)
    if wanted is not Format.TABLE:
        document(made, wanted)
        return
    table(f"Risk {made['score']} of 100", PARTS, made["parts"])
    table(f"SSVC: {made['ssvc']['decision']} ({made['ssvc']['model']})", POINTS, made["ssvc"]["points"])
    if why.cvss:
        note(f"CVSS {why.cvss.version} {why.cvss.score}, base {why.cvss.base}: {why.cvss.vector}")
    for name, fact in made["weaknesses"].items():
        note(f"{name} {fact['name']}")


def _weights(rules: Any, wanted: Format) -> None:
    made = documents.weights(rules)
    if wanted is Format.TABLE:
        rows = [{"name": name, "points": f"{points:g}"} for name, points in made["weights"].items()]
        table("Weights" + ("" if made["own"] else ", as they are shipped"), WEIGHTS, rows)
    else:
        document(made, wanted)


def weights(output: Output = None) -> None:
    """Show the weights in force."""
    wanted = form(output)
    _weights(with_container(lambda c: c.risking.rules(organisation())), wanted)


def parsed(given: list[str]) -> dict[str, float]:
    """Weights as `name=points`.

    Raises:
        InvalidInputError: one is not written so.
    """
    told: dict[str, float] = {}
    for each in given:
        name, _, points = each.partition("=")
        try:
            told[name.strip()] = float(points)
        except ValueError:
            raise InvalidInputError(
                f"{each!r} is no weight", field="WEIGHT", value=each, remedy="write kev=20"
            ) from None
    return told


def try_(weights: Weight, output: Output = None) -> None:
    """Show what other weights would change of what is there now; nothing is saved."""
    wanted = form(output)
    changes = parsed(weights)
    made = documents.trial(with_container(lambda c: c.risking.try_weights(organisation(), changes)))
    if wanted is not Format.TABLE:
        document(made, wanted)
        return
    said = f"{made['raised']} raised, {made['lowered']} lowered"
    table(f"Of {made['looked_at']} of {made['of']} vulnerabilities {said}", BANDS, made["bands"])
    rows = [each | {side: each[side]["score"] for side in ("before", "after")} for each in made["shifts"]]
    table("What moves most", SHIFTS, rows)


def put(
    weights: Annotated[list[str] | None, typer.Argument(metavar="NAME=POINTS...", help="Those not named stay")] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="Bring back those that are shipped")] = False,
    output: Output = None,
) -> None:
    """Put other weights in force; the relay then weighs everything again."""
    wanted = form(output)
    if bool(weights) == shipped:
        raise InvalidInputError("give weights or --shipped", field="WEIGHT", remedy="and not both")
    changes = None if shipped else parsed(weights or [])

    async def change(container: Any) -> Any:
        from purple.services.identity import ADMINISTRATOR

        return await container.risking.set_weights(changes, ADMINISTRATOR)

    rules = with_container(change)
    note("the weights are in force; the relay weighs everything again")
    _weights(rules, wanted)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="What to mend first, and why.", no_args_is_help=True)
    for verb in (show, target, vulnerability, history, weights):
        nouns.command()(verb)
    nouns.command("try")(try_)
    nouns.command("set")(put)
    app.add_typer(nouns, name="risk")
