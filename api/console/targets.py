"""The register of targets."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.charts import risk_line
from api.console.deps import FIRST, Fields, Form, Paging, viewer
from api.console.pages import go, render
from api.console.units import unit_of
from api.deps import service
from purple.domain.attack_graph import worth_of
from purple.domain.errors import PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Page
from purple.domain.risk_history import Subject
from purple.domain.target_fields import custom_mapping
from purple.domain.targets import Control, Criticality, DataClass, Environment, Exposure, Target, TargetKind
from purple.domain.trends import day_of
from purple.services.targets import Targets

router = APIRouter(prefix="/targets")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_TARGETS))]
Service = Annotated[Targets, Depends(service("targets"))]
TriageWriter = Annotated[Principal, Depends(viewer(Permission.WRITE_VULNERABILITIES))]
FindingsReader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]


@router.get("")
async def page(request: Request, caller: Reader, targets: Service, paging: Annotated[Paging, Depends()]) -> Response:
    """Newest first, and a form for one more."""
    found = await targets.page(caller.organisation_id, paging.query())
    return await _show(request, caller, found, Fields({}), paging.filter)


@router.post("")
async def create(request: Request, caller: Writer, form: Form, targets: Service) -> Response:
    """Register one."""
    try:
        await targets.create(
            caller.organisation_id,
            form.text("value"),
            kind=form.one_of(TargetKind, "kind") if form.text("kind") else None,
            name=form.text("name"),
            criticality=form.one_of(Criticality, "criticality", Criticality.MEDIUM),
            tags=form.text("tags").split(","),
            zone=form.text("zone"),
            exposure=form.one_of(Exposure, "exposure", Exposure.UNKNOWN),
            data_class=form.one_of(DataClass, "data_class", DataClass.UNKNOWN),
            unit_id=unit_of(form, "unit_id"),
            environment=form.one_of(Environment, "environment", Environment.UNKNOWN),
            category=form.text("category"),
        )
    except PurpleError as error:
        found = await targets.page(caller.organisation_id, FIRST)
        return await _show(request, caller, found, form, error=error)
    return go("/targets")


@router.get("/{target_id}")
async def one(request: Request, target_id: UUID, caller: Reader, _: FindingsReader) -> Response:
    """What it is, why it has its risk, and a form to change it."""
    return await show(request, caller, target_id, Fields({}))


@router.post("/{target_id}/edit")
async def edit(
    request: Request, target_id: UUID, caller: Writer, _: FindingsReader, form: Form, targets: Service
) -> Response:
    """Change it, from the version that the page showed."""
    try:
        await targets.edit(
            caller.organisation_id,
            target_id,
            form.version(),
            name=form.text("name"),
            criticality=form.one_of(Criticality, "criticality"),
            exposure=form.one_of(Exposure, "exposure"),
            data_class=form.one_of(DataClass, "data_class"),
            controls=[each for each in Control if each in form.many("controls")],
            tags=form.text("tags").split(","),
            zone=form.text("zone"),
            unit_id=unit_of(form, "unit_id"),
            environment=form.one_of(Environment, "environment"),
            category=form.text("category"),
            frameworks=form.many("frameworks"),
            custom=form.lines("custom"),
        )
    except PurpleError as error:
        return await show(request, caller, target_id, form, error)
    return go(f"/targets/{target_id}")


@router.post("/{target_id}/retire")
async def retire(request: Request, target_id: UUID, caller: Writer, _: TriageWriter, form: Form) -> Response:
    """Test it no more."""
    retiring = request.app.state.container.retiring
    try:
        await retiring.retire(target_id, form.version(), form.text("why"), caller.actor)
    except PurpleError as error:
        return await show(request, caller, target_id, Fields({}), error)
    return go(f"/targets/{target_id}")


@router.post("/{target_id}/restore")
async def restore(request: Request, target_id: UUID, caller: Writer, _: TriageWriter, form: Form) -> Response:
    """Test it again."""
    try:
        await request.app.state.container.retiring.restore(target_id, form.version(), caller.actor)
    except PurpleError as error:
        return await show(request, caller, target_id, Fields({}), error)
    return go(f"/targets/{target_id}")


async def show(
    request: Request, caller: Principal, target_id: UUID, form: Fields, error: PurpleError | None = None
) -> Response:
    """One, with a form that failed."""
    house = request.app.state.container
    organisation = caller.organisation_id
    machine = await house.machine_keeping.of(organisation, target_id)
    target = machine.target
    days = await house.risking.history(organisation, Subject.TARGET, target.id)
    return render(
        request,
        "target.html",
        status=error.status if error else 200,
        one=target,
        why=await house.risking.target(organisation, target.id),
        machine=machine,
        together=await house.risking.machine(organisation, target.id) if machine.count else None,
        risk_line=risk_line(days, day_of(house.clock.now())),
        form=form,
        problem=error.problem() if error else None,
        criticalities=list(Criticality),
        exposures=list(Exposure),
        data_classes=list(DataClass),
        controls=list(Control),
        environments=list(Environment),
        frameworks={each.name: each.title for each in house.compliance.frameworks()},
        custom=custom_mapping(target.custom),
        units=await house.units.all(organisation),
        goal=worth_of(target.criticality, target.data_class),
    )


async def _show(
    request: Request,
    caller: Principal,
    found: Page[Target],
    form: Fields,
    shown: str = "",
    *,
    error: PurpleError | None = None,
) -> Response:
    house = request.app.state.container
    return render(
        request,
        "targets.html",
        status=error.status if error else 200,
        page=found,
        form=form,
        problem=error.problem() if error else None,
        kinds=list(TargetKind),
        criticalities=list(Criticality),
        exposures=list(Exposure),
        data_classes=list(DataClass),
        environments=list(Environment),
        units=await house.units.all(caller.organisation_id),
        filter=shown,
        scores=await house.risking.scores(caller.organisation_id, [each.id for each in found.items]),
    )
