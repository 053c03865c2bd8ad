"""The register of targets."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import FIRST, Fields, Form, Paging, viewer
from api.console.pages import go, render
from api.deps import service
from purple.domain.errors import PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Page
from purple.domain.targets import Criticality, DataClass, Exposure, Target, TargetKind
from purple.services.targets import Targets

router = APIRouter(prefix="/targets")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_TARGETS))]
Service = Annotated[Targets, Depends(service("targets"))]


@router.get("")
async def page(request: Request, caller: Reader, targets: Service, paging: Annotated[Paging, Depends()]) -> Response:
    """Newest first, and a form for one more."""
    found = await targets.page(caller.organisation_id, paging.query())
    return await _show(request, caller, found, Fields({}))


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
        )
    except PurpleError as error:
        found = await targets.page(caller.organisation_id, FIRST)
        return await _show(request, caller, found, form, error)
    return go("/targets")


async def _show(
    request: Request, caller: Principal, found: Page[Target], form: Fields, error: PurpleError | None = None
) -> Response:
    risking = request.app.state.container.risking
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
        scores=await risking.scores(caller.organisation_id, [each.id for each in found.items]),
    )
