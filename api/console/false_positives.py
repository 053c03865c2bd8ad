"""What is likely false, what verdicts taught, and the policy that may act."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Form, Paging, viewer
from api.console.pages import go, render
from api.console.vulnerabilities import Reader
from api.deps import service
from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.false_positives import PROPOSED
from purple.domain.identity import Permission, Principal
from purple.domain.severity import Severity
from purple.domain.verdicts import Policy
from purple.services.false_positives import FalsePositives

router = APIRouter(prefix="/vulnerabilities/false-positives")
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[FalsePositives, Depends(service("false_positives"))]
BELOW = (Severity.HIGH, Severity.MEDIUM, Severity.LOW)


@router.get("")
async def page(request: Request, caller: Reader, doubts: Service, paging: Annotated[Paging, Depends()]) -> Response:
    """The proposals, the likeliest first."""
    return await _shown(request, caller, doubts, paging)


@router.post("/policy")
async def policy(
    request: Request, caller: Writer, doubts: Service, paging: Annotated[Paging, Depends()], form: Form
) -> Response:
    """Put it in force, or switch it off."""
    try:
        wanted = Policy(_share(form.text("threshold")), form.one_of(Severity, "below", str(Severity.HIGH)))
        await doubts.set_policy(wanted, caller.actor, form.version())
    except PurpleError as error:
        return await _shown(request, caller, doubts, paging, error)
    return go("/vulnerabilities/false-positives#policy")


async def _shown(
    request: Request, caller: Principal, doubts: FalsePositives, paging: Paging, error: PurpleError | None = None
) -> Response:
    return render(
        request,
        "false_positives.html",
        status=error.status if error else 200,
        problem=error.problem() if error else None,
        page=await doubts.proposals(caller.organisation_id, paging.query()),
        state=await doubts.state(caller.organisation_id),
        paging=paging,
        proposed=PROPOSED,
        severities=BELOW,
    )


def _share(percent: str) -> float | None:
    """Per cent as a share; None where none is given.

    Raises:
        InvalidInputError: it is no number.
    """
    try:
        return float(percent) / 100 if percent else None
    except ValueError:
        raise InvalidInputError(
            f"{percent[:20]!r} is no number", field="threshold", value=percent, remedy="give per cent, such as 95"
        ) from None
