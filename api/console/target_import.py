"""Targets from a file: a look at what would change, then the change."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import viewer
from api.console.pages import render
from api.console.uploads import Upload
from api.deps import service
from purple.domain.errors import PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.target_files import COLUMNS, MAX_BYTES
from purple.domain.target_imports import Becomes, Plan
from purple.services.target_import import TargetImport

router = APIRouter(prefix="/targets/import")
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_TARGETS))]
Service = Annotated[TargetImport, Depends(service("target_import"))]
SHOWN = 200
"""Rows of each sort that the page lists; it counts all."""


@router.get("")
async def new(request: Request, caller: Writer) -> Response:  # noqa: ARG001 - who may ask
    """The form."""
    return _show(request)


@router.post("")
async def act(request: Request, caller: Writer, targets: Service) -> Response:
    """Show what the file would change, with a form that carries it; that form changes it."""
    upload = Upload(request, "file")
    data = b""
    try:
        data = b"".join([chunk async for chunk in upload.chunks()])
        if upload.fields.text("do") == "import":
            return _show(request, await targets.take(caller.organisation_id, data), done=True)
        plan = await targets.look(caller.organisation_id, data)
        return _show(request, plan, text=data.decode("utf-8-sig"))
    except PurpleError as error:
        return _show(request, error=error)


def _show(
    request: Request, plan: Plan | None = None, *, text: str = "", done: bool = False, error: PurpleError | None = None
) -> Response:
    changing = [] if plan is None else plan.of(Becomes.CREATED) + plan.of(Becomes.CHANGED)
    return render(
        request,
        "target_import.html",
        status=error.status if error else 200,
        problem={**error.problem(), "field": "file"} if error else None,
        plan=plan,
        counts={} if plan is None else {str(each): len(plan.of(each)) for each in Becomes},
        lines=changing[:SHOWN],
        left=max(0, len(changing) - SHOWN),
        shown=SHOWN,
        text=text,
        done=done,
        columns=COLUMNS,
        most=MAX_BYTES,
    )
