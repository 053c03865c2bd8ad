"""Searches that people keep: a list with forms to change one's own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Fields, Form, Paging, viewer
from api.console.pages import go, render
from api.deps import service
from purple.domain.errors import PurpleError
from purple.domain.identity import Permission, Principal
from purple.services.saved_searches import SavedSearches

router = APIRouter(prefix="/vulnerabilities/searches")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[SavedSearches, Depends(service("saved_searches"))]
Where = Annotated[Paging, Depends()]


@router.get("")
async def page(request: Request, caller: Reader, saved: Service, paging: Where, query: str = "") -> Response:
    """One's own and those that are shared; the form for one more may come with its query."""
    return await _show(request, caller, saved, paging, Fields({"query": [query]}))


@router.post("")
async def create(request: Request, caller: Writer, form: Form, saved: Service, paging: Where) -> Response:
    """Keep one."""
    try:
        told = {name: bool(form.text(name)) for name in ("shared", "alert")}
        await saved.create(caller.actor, form.text("name"), form.text("query"), **told)
    except PurpleError as error:
        return await _show(request, caller, saved, paging, form, error)
    return go("/vulnerabilities/searches")


@router.post("/{search_id}/edit")
async def edit(
    search_id: UUID, request: Request, caller: Writer, form: Form, saved: Service, paging: Where
) -> Response:
    """Change one, from the version that the page showed."""
    try:
        changes = {name: form.text(name) for name in ("name", "query")}
        switched = {name: bool(form.text(name)) for name in ("shared", "alert")}
        await saved.edit(caller.actor, search_id, form.version(), **changes, **switched)
    except PurpleError as error:
        return await _show(request, caller, saved, paging, Fields({}), error)
    return go("/vulnerabilities/searches")


@router.post("/{search_id}/delete")
async def delete(
    search_id: UUID, request: Request, caller: Writer, form: Form, saved: Service, paging: Where
) -> Response:
    """Forget one."""
    try:
        await saved.delete(caller.actor, search_id, form.version())
    except PurpleError as error:
        return await _show(request, caller, saved, paging, Fields({}), error)
    return go("/vulnerabilities/searches")


async def _show(
    request: Request,
    caller: Principal,
    saved: SavedSearches,
    paging: Paging,
    form: Fields,
    error: PurpleError | None = None,
) -> Response:
    return render(
        request,
        "searches.html",
        status=error.status if error else 200,
        page=await saved.page(caller.actor, paging.query()),
        paging=paging,
        form=form,
        problem=error.problem() if error else None,
    )
