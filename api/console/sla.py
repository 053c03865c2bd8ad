"""By when vulnerabilities are to be fixed: the whole policy as one form."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Form, viewer
from api.console.pages import go, render
from api.deps import service
from purple.domain.deadlines import MAX_DAYS, Rule, edition_of
from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.severity import Severity
from purple.domain.targets import Exposure
from purple.services.deadlines import Deadlines
from purple.services.units import Units

router = APIRouter(prefix="/sla")
SPARE = 2
"""Empty lines, for rules to be added."""
Reader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
TargetReader = Annotated[Principal, Depends(viewer(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[Deadlines, Depends(service("deadlines"))]
Tree = Annotated[Units, Depends(service("units"))]


@dataclass(frozen=True, slots=True)
class Line:
    """One rule as it stands in the form."""

    severity: str = ""
    exposure: str = ""
    unit_id: str = ""
    days: str = ""

    @classmethod
    def of(cls, rule: Rule) -> "Line":
        """As people choose it: empty is any."""
        return cls(rule.severity, rule.exposure or "", str(rule.unit_id or ""), str(rule.days))

    def rule(self, number: int) -> Rule:
        """What it says.

        Args:
            number: of the line, from 1.

        Raises:
            InvalidInputError: its days are no number, or something was chosen that is not on offer.
        """
        if not self.days.isdecimal():
            raise _wrong(number, "days", self.days, f"write a number of 1 to {MAX_DAYS}, or none to leave it out")
        try:
            exposure = Exposure(self.exposure) if self.exposure else None
            unit = UUID(self.unit_id) if self.unit_id else None
            return Rule(Severity(self.severity), int(self.days), exposure, unit)
        except ValueError:
            chosen = f"{self.severity} {self.exposure} {self.unit_id}"
            raise _wrong(number, "choice", chosen, "choose from what the page offers") from None


def _wrong(number: int, what: str, value: str, remedy: str) -> InvalidInputError:
    return InvalidInputError(f"the {what} of rule {number} cannot be read", field="rules", value=value, remedy=remedy)


@router.get("")
async def page(request: Request, caller: Reader, _: TargetReader, deadlines: Service, units: Tree) -> Response:
    """The rules in force, in a form for those who may change them."""
    rules = await deadlines.rules(caller.organisation_id)
    lines = [Line.of(each) for each in rules]
    return await _show(request, caller, units, lines, edition_of(rules))


@router.post("")
async def save(
    request: Request, caller: Writer, _: TargetReader, form: Form, deadlines: Service, units: Tree
) -> Response:
    """Put all lines that have days in force, or bring back what is shipped; unless somebody changed it meanwhile."""
    columns = [form.every(name) for name in ("severity", "exposure", "unit_id", "days")]
    lines = [Line(*each) for each in zip(*columns, strict=False)]
    edition = form.text("edition")
    try:
        await deadlines.set_rules([] if form.text("do") == "reset" else _rules(lines), caller.actor, edition)
    except PurpleError as error:
        return await _show(request, caller, units, lines, edition, error)
    return go("/sla")


def _rules(lines: list[Line]) -> list[Rule]:
    """Of those that have days; none at all would bring back what is shipped, and nobody asked for that."""
    rules = [each.rule(number) for number, each in enumerate(lines, 1) if each.days.strip()]
    if not rules:
        raise InvalidInputError("no rule has days", field="rules", remedy="write some, or choose `As shipped`")
    return rules


async def _show(
    request: Request, caller: Principal, units: Units, lines: list[Line], edition: str, error: PurpleError | None = None
) -> Response:
    spare = [] if error else [Line()] * SPARE
    return render(
        request,
        "sla.html",
        status=error.status if error else 200,
        problem=error.problem() if error else None,
        lines=[*lines, *spare],
        edition=edition,
        severities=[(each, each) for each in reversed(Severity)],
        exposures=[(each, each) for each in Exposure],
        places=[(str(each.id), each.path) for each in await units.all(caller.organisation_id)],
        most=MAX_DAYS,
    )
