"""The risk of the organisation, how it was, and the weights that make it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.console.charts import risk_line
from api.console.deps import Fields, Form, viewer
from api.console.pages import go, render
from api.deps import service
from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.risk_history import Subject
from purple.domain.risk_views import Trial
from purple.domain.trends import day_of
from purple.services.risking import Risking

router = APIRouter(prefix="/risk")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
TargetReader = Annotated[Principal, Depends(viewer(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[Risking, Depends(service("risking"))]


@router.get("")
async def page(request: Request, caller: Reader, _: TargetReader, risks: Service) -> Response:
    """What it is, why, how it was, and a form to try other weights."""
    return await _show(request, caller, risks, Fields({}))


@router.post("")
async def weigh(request: Request, caller: Writer, _: TargetReader, form: Form, risks: Service) -> Response:
    """Try other weights on what is there now, or put them in force; or those that are shipped again."""
    try:
        if form.text("do") == "reset":
            await risks.set_weights(None, caller.actor, form.version())
            return go("/risk")
        changes = _changes(form)
        if form.text("do") == "save":
            await risks.set_weights(changes, caller.actor, form.version())
            return go("/risk")
        return await _show(request, caller, risks, form, await risks.try_weights(caller.organisation_id, changes))
    except PurpleError as error:
        return await _show(request, caller, risks, form, error=error)


def _changes(form: Fields) -> dict[str, float]:
    """Weights by name; the whole form is sent, so that none is left out."""
    told = {}
    for name, text in form.pairs():
        if name.startswith("weight."):
            try:
                told[name.removeprefix("weight.")] = float(text)
            except ValueError:
                raise InvalidInputError(
                    f"{text!r} is no number of points", field=name, value=text, remedy="write one such as 12.5"
                ) from None
    return told


async def _show(
    request: Request,
    caller: Principal,
    risks: Risking,
    form: Fields,
    trial: Trial | None = None,
    error: PurpleError | None = None,
) -> Response:
    organisation_id = caller.organisation_id
    days = await risks.history(organisation_id, Subject.ORGANISATION, organisation_id)
    return render(
        request,
        "risk.html",
        status=error.status if error else 200,
        problem=error.problem() if error else None,
        why=await risks.organisation(organisation_id),
        rules=await risks.rules(organisation_id),
        risk_line=risk_line(days, day_of(request.app.state.container.clock.now())),
        trial=trial,
        form=form,
    )
