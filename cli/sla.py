"""`purple sla …`: by when vulnerabilities are to be fixed."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from cli.listing import Output, form
from cli.output import Column, Format, document, note, table
from cli.runtime import organisation, with_container
from cli.unit import find_unit
from purple.domain.deadlines import Rule
from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity
from purple.domain.targets import Exposure

COLUMNS = (Column("unit", optional=True), Column("severity"), Column("exposure"), Column("days"))


async def _rows(container: Any, rules: Iterable[Rule]) -> list[dict[str, Any]]:
    paths = {each.id: each.path for each in await container.units.all(organisation())}
    return [
        {
            "severity": each.severity,
            "exposure": each.exposure,
            "days": each.days,
            "unit_id": each.unit_id,
            "unit": paths.get(each.unit_id, ""),
        }
        for each in rules
    ]


def _shown(rows: list[dict[str, Any]], output: Format) -> None:
    if output is Format.TABLE:
        any_ = [row | {name: row[name] or "any" for name in ("exposure", "unit")} for row in rows]
        table("Days to fix", COLUMNS, any_)
    else:
        document({"schema": "purple.sla/1", "rules": rows}, output)


def show(output: Output = None) -> None:
    """Show the rules in force; one that names a target's business unit decides first, then one for its exposure."""
    wanted = form(output)

    async def look(container: Any) -> Any:
        return await _rows(container, await container.deadlines.rules(organisation()))

    _shown(with_container(look), wanted)


def parse_rule(text: str) -> tuple[str, Rule]:
    """A unit's path or nothing, and a rule: `high=30`, `high@internet=14` or `Retail/Payments:high=7`.

    Raises:
        InvalidInputError: it is not written so.
    """
    scope, _, days = text.rpartition("=")
    unit, _, what = scope.rpartition(":")
    severity, at, exposure = what.partition("@")
    if not days.isdecimal() or (at and exposure not in set(Exposure)):
        raise InvalidInputError(
            f"{text!r} is no rule",
            field="RULE",
            value=text,
            remedy=f"write high=30, high@{Exposure.INTERNET}=14, or Retail/Payments:high=7",
        )
    return unit, Rule(Severity.parse(severity), int(days), Exposure(exposure) if at else None)


def put(
    rules: Annotated[
        list[str] | None,
        typer.Argument(metavar="RULE...", help="high=30, high@internet=14, Retail/Payments:high=7"),
    ] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="Bring back the rules that are shipped")] = False,
    output: Output = None,
) -> None:
    """Put these rules in force in place of all others; present vulnerabilities are dated anew."""
    wanted = form(output)
    if bool(rules) == shipped:
        raise InvalidInputError("give rules or --shipped", field="RULE", remedy="and not both")
    parsed = [parse_rule(each) for each in rules or ()]

    async def change(container: Any) -> Any:
        from dataclasses import replace

        from purple.services.identity import ADMINISTRATOR

        known = {unit: (await find_unit(container, unit)).id if unit else None for unit, _ in parsed}
        given = [replace(rule, unit_id=known[unit]) for unit, rule in parsed]
        return await _rows(container, await container.deadlines.set_rules(given, ADMINISTRATOR))

    found = with_container(change)
    note("the rules are in force")
    _shown(found, wanted)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="By when what was found is to be fixed.", no_args_is_help=True)
    nouns.command()(show)
    nouns.command("set")(put)
    app.add_typer(nouns, name="sla")
