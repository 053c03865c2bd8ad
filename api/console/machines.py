"""Which targets are one machine: what is proposed, and what a person says."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Fields, Form
from api.console.pages import go, render
from api.console.targets import FindingsReader, Reader, Writer, show
from api.deps import service
from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.identity import Principal
from purple.domain.pages import Query
from purple.domain.targets import recognise
from purple.services.machine_keeping import MachineKeeping
from purple.services.targets import Targets

router = APIRouter(prefix="/targets")
Service = Annotated[MachineKeeping, Depends(service("machine_keeping"))]
PROPOSALS = "/targets/machines"


@router.get("/machines")
async def proposals(request: Request, caller: Reader, keeping: Service) -> Response:
    """What may be one machine, the newest evidence first."""
    return await _proposed(request, caller, keeping)


@router.post("/machines")
async def decide(request: Request, caller: Writer, form: Form, keeping: Service) -> Response:
    """Say of a proposal what is so."""
    try:
        await _rule(request, caller, keeping, form.text("target"), form)
    except PurpleError as error:
        return await _proposed(request, caller, keeping, error)
    return go(PROPOSALS)


@router.post("/{target_id}/machine")
async def say(
    target_id: UUID, request: Request, caller: Writer, _: FindingsReader, form: Form, keeping: Service
) -> Response:
    """Say that another target is the same machine, or is not."""
    try:
        await _rule(request, caller, keeping, str(target_id), form)
    except PurpleError as error:
        return await show(request, caller, target_id, form, error)
    return go(f"/targets/{target_id}#machine")


@router.post("/{target_id}/machine/rulings/{ruling_id}/undo")
async def undo(
    target_id: UUID,
    ruling_id: UUID,
    request: Request,
    caller: Writer,
    _: FindingsReader,
    form: Form,
    keeping: Service,
) -> Response:
    """Let hosts, and what else people said, decide again."""
    try:
        await keeping.undo(ruling_id, form.text("why"), caller.actor)
    except PurpleError as error:
        return await show(request, caller, target_id, form, error)
    return go(f"/targets/{target_id}#machine")


async def _proposed(
    request: Request, caller: Principal, keeping: MachineKeeping, error: PurpleError | None = None
) -> Response:
    return render(
        request,
        "machines.html",
        status=error.status if error else 200,
        problem={**error.problem(), "field": ""} if error else None,
        found=await keeping.proposals(caller.organisation_id),
    )


async def _rule(request: Request, caller: Principal, keeping: MachineKeeping, target: str, form: Fields) -> None:
    targets = request.app.state.container.targets
    one, other = [await _named(targets, caller, each) for each in (target, form.text("other"))]
    rule = keeping.join if form.text("same") == "yes" else keeping.split
    await rule(one, other, form.text("why"), caller.actor)


async def _named(targets: Targets, caller: Principal, told: str) -> UUID:
    """The target of this value or id, or of the link to its page.

    Raises:
        InvalidInputError: there is none.
    """
    try:
        return UUID(told.rpartition("/")[2])
    except ValueError:
        kind, value = recognise(told, "other")
    found = (await targets.page(caller.organisation_id, Query({"kind": kind, "value": value}, limit=1))).items
    if not found:
        raise InvalidInputError(
            f"{value} is not registered", field="other", value=told[:50], remedy="register it first"
        )
    return found[0].id
