"""The form that takes in results of tools that ran elsewhere."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Fields, viewer
from api.console.pages import go, render
from api.console.starting import contracts, id_of
from api.console.uploads import Upload
from api.deps import service
from api.imports.schemas import options_of
from purple.domain.errors import PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.imports import MAX_IMPORT
from purple.services.importing import Imports, Wanted

router = APIRouter(prefix="/campaigns/import")
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_CAMPAIGNS))]
Service = Annotated[Imports, Depends(service("imports"))]


@router.get("")
async def new(request: Request, caller: Writer, imports: Service) -> Response:
    """The form."""
    return await _show(request, caller, imports, Fields({}))


@router.post("")
async def start(request: Request, caller: Writer, imports: Service) -> Response:
    """Take the file in and go to its campaign, or show the form again with what is wrong."""
    upload = Upload(request, "file")
    try:
        stored = await imports.receive(upload.chunks(), lambda: upload.fields.text("format"))
        asked = _wanted(upload.fields, caller)
        key = upload.fields.text("key")
        campaign = await imports.start(caller.organisation_id, stored, asked, f"console/{key}" if key else "")
    except PurpleError as error:
        return await _show(request, caller, imports, upload.fields, error)
    return go(f"/campaigns/{campaign.id}")


def _wanted(form: Fields, caller: Principal) -> Wanted:
    """How the file is to be taken in.

    Raises:
        InvalidInputError: names the field that is wrong.
        ForbiddenError: it may register targets, and the caller may not.
    """
    target, create = form.text("target")[:2048], bool(form.text("create_targets"))
    chosen = form.text("authorisation_id")
    if target or create:
        caller.require(Permission.WRITE_TARGETS)
    return Wanted(
        target=target,
        authorisation_id=id_of(chosen, "authorisation_id") if chosen else None,
        name=form.text("name")[:200],
        series=form.text("series")[:200],
        create_targets=create,
        options=options_of(form.text("options")),
        created_by=caller.user_id,
    )


async def _show(
    request: Request, caller: Principal, imports: Imports, form: Fields, error: PurpleError | None = None
) -> Response:
    return render(
        request,
        "import.html",
        status=error.status if error else 200,
        form=form,
        problem=_problem(error) if error else None,
        formats=sorted(imports.formats(), key=lambda each: each.title.lower()),
        authorisations=await contracts(request, caller),
        most=MAX_IMPORT,
        key=form.text("key") or str(uuid4()),
    )


def _problem(error: PurpleError) -> dict[str, Any]:
    """What is wrong, by the form's own fields: the register says `value`, and a format names one of its options."""
    problem = error.problem()
    field = str(problem.get("field") or "")
    return problem | {"field": {"value": "target"}.get(field, field.partition(".")[0])}
