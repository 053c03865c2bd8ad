"""Business units: the tree with how each stands, and one with a form to change it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.charts import risk_line
from api.console.deps import Fields, Form, viewer
from api.console.pages import go, render
from api.deps import service
from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.risk_history import Subject
from purple.domain.trends import day_of
from purple.services.risking import Risking
from purple.services.units import Units

router = APIRouter(prefix="/targets/units")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_TARGETS))]
FindingsReader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
Service = Annotated[Units, Depends(service("units"))]
Risks = Annotated[Risking, Depends(service("risking"))]


@router.get("")
async def page(request: Request, caller: Reader, _: FindingsReader, units: Service) -> Response:
    """The tree, and a form for one more."""
    return await _show(request, caller, units, Fields({}))


@router.post("")
async def create(request: Request, caller: Writer, _: FindingsReader, form: Form, units: Service) -> Response:
    """Add one."""
    try:
        parent = unit_of(form, "parent_id")
        await units.create(caller.organisation_id, form.text("name"), parent_id=parent, owner=form.text("owner"))
    except PurpleError as error:
        return await _show(request, caller, units, form, error)
    return go("/targets/units")


@router.get("/{unit_id}")
async def one(
    request: Request, unit_id: UUID, caller: Reader, _: FindingsReader, units: Service, risks: Risks
) -> Response:
    """How it stands and why, and a form to change it."""
    return await _show_one(request, caller, unit_id, units, risks)


@router.post("/{unit_id}/edit")
async def edit(
    request: Request,
    unit_id: UUID,
    caller: Writer,
    _: FindingsReader,
    form: Form,
    units: Service,
    risks: Risks,
) -> Response:
    """Change it, from the version that the page showed."""
    try:
        await units.edit(
            caller.organisation_id,
            unit_id,
            form.version(),
            name=form.text("name"),
            parent_id=unit_of(form, "parent_id"),
            owner=form.text("owner"),
        )
    except PurpleError as error:
        return await _show_one(request, caller, unit_id, units, risks, form, error)
    return go(f"/targets/units/{unit_id}")


@router.post("/{unit_id}/delete")
async def delete(
    request: Request,
    unit_id: UUID,
    caller: Writer,
    _: FindingsReader,
    form: Form,
    units: Service,
    risks: Risks,
) -> Response:
    """Take it away where it is empty."""
    try:
        await units.delete(caller.organisation_id, unit_id, form.version())
    except PurpleError as error:
        return await _show_one(request, caller, unit_id, units, risks, None, error)
    return go("/targets/units")


def unit_of(form: Fields, name: str) -> UUID | None:
    """The unit that a form chose, or None.

    Raises:
        InvalidInputError: it is no id.
    """
    try:
        return UUID(form.text(name)) if form.text(name) else None
    except ValueError:
        raise InvalidInputError(
            "this is no business unit", field=name, value=form.text(name), remedy="choose one of those that are listed"
        ) from None


async def _show(
    request: Request, caller: Principal, units: Units, form: Fields, error: PurpleError | None = None
) -> Response:
    return render(
        request,
        "units.html",
        status=error.status if error else 200,
        standings=await units.tree(caller.organisation_id),
        form=form,
        problem=error.problem() if error else None,
    )


async def _show_one(
    request: Request,
    caller: Principal,
    unit_id: UUID,
    units: Units,
    risks: Risking,
    form: Fields | None = None,
    error: PurpleError | None = None,
) -> Response:
    unit = await units.get(caller.organisation_id, unit_id)
    days = await risks.history(caller.organisation_id, Subject.UNIT, unit_id)
    return render(
        request,
        "unit.html",
        status=error.status if error else 200,
        one=unit,
        units=[each for each in await units.all(caller.organisation_id) if unit_id not in each.lineage],
        why=await risks.unit(caller.organisation_id, unit_id),
        risk_line=risk_line(days, day_of(request.app.state.container.clock.now())),
        form=form or Fields({}),
        problem=error.problem() if error else None,
    )
