"""`purple false-positive …`: what is likely none, why, by which model, and the policy that may act on it."""

from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents
from cli.listing import LIMIT, Asked, Filter, Limit, Listed, Output, Sort, form, show_list
from cli.output import Column, Format, document, note, table
from cli.runtime import organisation, with_container
from cli.vulnerability import FIELDS, tabled
from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity

LISTED = Listed(
    "Likely false positives",
    "purple.vulnerabilities/1",
    (
        Column("false_positive", "false", whole=True),
        Column("severity", whole=True),
        Column("title"),
        Column("where"),
        Column("tools", "seen by", optional=True),
        Column("doubt", "because", optional=True),
        Column("id", whole=True, optional=True),
    ),
)
REASONS = (Column("weight", whole=True), Column("name", whole=True), Column("detail"))
FIGURES = (Column("name", whole=True), Column("value", whole=True))
TOLD = ("precision", "recall", "brier", "baseline_brier", "ece", "accuracy", "baseline")


def explained(row: Any) -> dict[str, Any]:
    """`purple.false-positive/1`: how likely a vulnerability is none, and why."""
    reasons = [
        {name: getattr(each, name) for name in (*documents.DOUBT, "observation_ids")} for each in row.doubt.reasons
    ]
    told = {"id": row.id, "score": row.doubt.score, "proposed": row.proposed, "model": row.model}
    return {"schema": "purple.false-positive/1", **told, "reasons": reasons}


def learned(state: Any) -> dict[str, Any]:
    """`purple.false-positive-model/1`: weights in use, and what verdicts taught."""
    told = {"version": 0, "weights": dict(state.weights), "learned": None}
    if (row := state.learned) is not None:
        figures = {name: round(getattr(row.figures, name), 4) for name in TOLD}
        about = {name: getattr(row, name) for name in ("created_at", "false", "in_use", "why")}
        told |= {"version": row.version, "learned": {"verdicts": row.n, **about, "figures": figures}}
    return {"schema": "purple.false-positive-model/1", **told}


def _tabled(row: Any) -> dict[str, Any]:
    worst = max(row.doubts, key=lambda each: each.weight, default=None)
    return tabled(row) | {"doubt": worst.detail if worst else ""}


def list_false_positives(filter_: Filter = "", sort: Sort = "", limit: Limit = LIMIT, output: Output = None) -> None:
    """List what is likely none and nobody decided on; `vulnerability triage --to false_positive` decides."""
    asked = Asked(filter_, sort, limit, form(output))
    shown = _tabled if asked.output is Format.TABLE else documents.vulnerability
    with_container(lambda c: show_list(c.false_positives.proposals, asked, LISTED, shown))


def explain(
    vulnerability: Annotated[UUID, typer.Argument(metavar="VULNERABILITY", help="Its id")], output: Output = None
) -> None:
    """Show how likely a vulnerability is none, and why."""
    wanted = form(output)
    found = with_container(lambda c: c.false_positives.explain(organisation(), vulnerability))
    made = explained(found)
    if wanted is not Format.TABLE:
        document(made, wanted)
        return
    said = "proposed as a false positive" if made["proposed"] else "not proposed"
    rows = [each | {"weight": f"{each['weight']:+.2f}"} for each in made["reasons"]]
    table(f"{made['score']:.0%} likely false: {said}", REASONS, rows)


def _shown(state: Any, wanted: Format) -> None:
    made = learned(state)
    if wanted is not Format.TABLE:
        document(made, wanted)
        return
    taught = made["learned"]
    if taught is None:
        note("nobody has said yet what is a false positive: the shipped weights count")
    else:
        note(taught["why"])
        rows = [{"name": name, "value": f"{value:.3f}"} for name, value in taught["figures"].items()]
        table(f"Version {made['version']}, of {taught['verdicts']} verdicts", FIGURES, rows)
    rows = [{"name": name, "value": f"{value:+.2f}"} for name, value in made["weights"].items()]
    table("Weights in use", FIGURES, rows)


def model(output: Output = None) -> None:
    """Show by what findings are scored, and how well it tells verdicts that it was not taught."""
    wanted = form(output)
    _shown(with_container(lambda c: c.false_positives.state(organisation())), wanted)


def learn(output: Output = None) -> None:
    """Learn from all verdicts now; the relay then scores everything. By itself it does so within some minutes."""
    wanted = form(output)

    async def do(container: Any) -> Any:
        await container.false_positives.learn(organisation())
        return await container.false_positives.state(organisation())

    _shown(with_container(do), wanted)


def policy(
    threshold: Annotated[
        float | None, typer.Option("--from", help="Mark what is so likely false, 0.8 to 1", show_default=False)
    ] = None,
    below: Annotated[Severity, typer.Option(help="Only severities below this one: low, medium or high")] = (
        Severity.HIGH
    ),
    off: Annotated[bool, typer.Option("--off", help="Mark nothing by itself")] = False,
    output: Output = None,
) -> None:
    """Show what is marked as a false positive without a person, or change it; by default nothing is."""
    wanted = form(output)
    if off and threshold is not None:
        raise InvalidInputError("give --from or --off", field="--off", remedy="and not both")

    async def do(container: Any) -> Any:
        from purple.domain.verdicts import Policy
        from purple.services.identity import ADMINISTRATOR

        if off or threshold is not None:
            return (await container.false_positives.set_policy(Policy(threshold, below), ADMINISTRATOR)).policy
        return (await container.false_positives.state(organisation())).standing.policy

    found = with_container(do)
    note(found.words)
    told = {"threshold": found.threshold, "below": found.below}
    document({"schema": "purple.false-positive-policy/1", **told}, wanted)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="What is likely a false positive, and why.", no_args_is_help=True)
    nouns.command("list", epilog=f"--filter and --sort take {FIELDS}.")(list_false_positives)
    for verb in (explain, model, learn, policy):
        nouns.command()(verb)
    app.add_typer(nouns, name="false-positive")
