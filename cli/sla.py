"""`purple sla …`: by when vulnerabilities are to be fixed."""

from typing import Annotated, Any

import typer

from cli.listing import Output, form
from cli.output import Column, Format, document, note, table
from cli.runtime import organisation, with_container
from purple.domain.deadlines import Rule
from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity
from purple.domain.targets import Exposure

COLUMNS = (Column("severity"), Column("exposure"), Column("days"))


def _shown(rules: tuple[Rule, ...], output: Format) -> None:
    rows = [{"severity": each.severity, "exposure": each.exposure, "days": each.days} for each in rules]
    if output is Format.TABLE:
        table("Days to fix", COLUMNS, [row | {"exposure": row["exposure"] or "any"} for row in rows])
    else:
        document({"schema": "purple.sla/1", "rules": rows}, output)


def show(output: Output = None) -> None:
    """Show the rules in force; the one that names a target's exposure decides."""
    wanted = form(output)
    _shown(with_container(lambda c: c.deadlines.rules(organisation())), wanted)


def parse_rule(text: str) -> Rule:
    """A rule as `high=30` or `high@internet=14`.

    Raises:
        InvalidInputError: it is not written so.
    """
    scope, _, days = text.partition("=")
    severity, at, exposure = scope.partition("@")
    if not days.isdecimal() or (at and exposure not in set(Exposure)):
        raise InvalidInputError(
            f"{text!r} is no rule", field="RULE", value=text, remedy=f"write high=30, or high@{Exposure.INTERNET}=14"
        )
    return Rule(Severity.parse(severity), int(days), Exposure(exposure) if at else None)


def put(
    rules: Annotated[list[str] | None, typer.Argument(metavar="RULE...", help="high=30, high@internet=14")] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="Bring back the rules that are shipped")] = False,
    output: Output = None,
) -> None:
    """Put these rules in force in place of all others; present vulnerabilities are dated anew."""
    wanted = form(output)
    if bool(rules) == shipped:
        raise InvalidInputError("give rules or --shipped", field="RULE", remedy="and not both")
    parsed = [parse_rule(each) for each in rules or ()]

    async def change(container: Any) -> Any:
        from purple.services.identity import ADMINISTRATOR

        return await container.deadlines.set_rules(parsed, ADMINISTRATOR)

    found = with_container(change)
    note("the rules are in force")
    _shown(found, wanted)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="By when what was found is to be fixed.", no_args_is_help=True)
    nouns.command()(show)
    nouns.command("set")(put)
    app.add_typer(nouns, name="sla")
