"""Authorisations: who allowed what."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import FIRST, Fields, Form, Paging, viewer
from api.console.pages import go, render
from api.deps import service
from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Page
from purple.domain.scope import Authorisation
from purple.domain.tools import Intrusiveness
from purple.services.authorisations import Authorisations
from purple.services.clearance import Clearance

router = APIRouter(prefix="/authorisations")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_AUTHORISATIONS))]
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_AUTHORISATIONS))]
Service = Annotated[Authorisations, Depends(service("authorisations"))]


@router.get("")
async def page(
    request: Request, caller: Reader, authorisations: Service, paging: Annotated[Paging, Depends()]
) -> Response:
    """Newest first, and a form for one more."""
    return _show(request, await authorisations.page(caller.organisation_id, paging.query()), Fields({}))


@router.get("/refusals")
async def refusals(
    request: Request,
    caller: Reader,
    clearance: Annotated[Clearance, Depends(service("clearance"))],
    paging: Annotated[Paging, Depends()],
) -> Response:
    """What they refused, newest first."""
    return render(request, "refusals.html", page=await clearance.page(caller.organisation_id, paging.query()))


@router.post("")
async def create(request: Request, caller: Writer, form: Form, authorisations: Service) -> Response:
    """Write one down."""
    try:
        for name, title in (("name", "the name"), ("signed_by", "who signed it")):
            if not form.text(name):
                raise InvalidInputError(f"{title} is missing", field=name, remedy="fill it in")
        await authorisations.create(
            caller.organisation_id,
            by=caller.actor.username,
            name=form.text("name"),
            signed_by=form.text("signed_by"),
            include=form.lines("include"),
            exclude=form.lines("exclude"),
            valid_until=_moment(form, "valid_until"),
            max_intrusiveness=form.one_of(Intrusiveness, "max_intrusiveness", Intrusiveness.SAFE),
            windows=form.lines("windows"),
            forbidden_tools=form.many("forbidden_tools"),
            document=form.text("document"),
        )
    except PurpleError as error:
        found = await authorisations.page(caller.organisation_id, FIRST)
        return _show(request, found, form, error)
    return go("/authorisations")


@router.post("/{authorisation_id}/revoke")
async def revoke(authorisation_id: UUID, caller: Writer, authorisations: Service) -> Response:
    """Withdraw it."""
    await authorisations.revoke(caller.organisation_id, authorisation_id, caller.actor.username)
    return go("/authorisations")


def _moment(form: Fields, name: str) -> datetime:
    """A time as the browser's own field writes it, in UTC."""
    try:
        return datetime.fromisoformat(form.text(name)).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInputError(
            "the end of the window is not a date and time",
            field=name,
            value=form.text(name),
            remedy="write it as 2026-01-31T18:00, in UTC",
        ) from None


def _show(request: Request, found: Page[Authorisation], form: Fields, error: PurpleError | None = None) -> Response:
    now = datetime.now(UTC)
    return render(
        request,
        "authorisations.html",
        status=error.status if error else 200,
        page=found,
        form=form,
        problem=error.problem() if error else None,
        intrusiveness=list(Intrusiveness),
        tools=request.app.state.container.tools.names(),
        proposed=f"{now + timedelta(days=30):%Y-%m-%dT%H:%M}",
        now=now,
    )
