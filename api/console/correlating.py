"""Which sightings are one vulnerability: what a person splits off, joins, or gives back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Form, viewer
from api.console.pages import go
from api.console.vulnerabilities import EvidenceReader, show
from api.deps import service
from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.identity import Permission, Principal
from purple.services.correlating import Correlating

router = APIRouter(prefix="/vulnerabilities")
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[Correlating, Depends(service("correlating"))]


@router.post("/{vulnerability_id}/split")
async def split(
    vulnerability_id: UUID, request: Request, caller: Writer, _: EvidenceReader, form: Form, correlating: Service
) -> Response:
    """What one rule of a tool saw becomes a vulnerability of its own."""
    tool, _sep, rule = form.text("witness").partition(" ")
    try:
        made = await correlating.split(vulnerability_id, form.version(), tool, rule, form.text("why"), caller.actor)
    except PurpleError as error:
        return await show(request, caller, vulnerability_id, form, error)
    return go(f"/vulnerabilities/{made.id}")


@router.post("/{vulnerability_id}/join")
async def join(
    vulnerability_id: UUID, request: Request, caller: Writer, _: EvidenceReader, form: Form, correlating: Service
) -> Response:
    """Another one is this flaw."""
    try:
        other = _id(form.text("others"))
        await correlating.join(vulnerability_id, form.version(), [other], form.text("why"), caller.actor)
    except PurpleError as error:
        return await show(request, caller, vulnerability_id, form, error)
    return go(f"/vulnerabilities/{vulnerability_id}#one-flaw")


@router.post("/{vulnerability_id}/rulings/{ruling_id}/undo")
async def undo(
    vulnerability_id: UUID,
    ruling_id: UUID,
    request: Request,
    caller: Writer,
    _: EvidenceReader,
    form: Form,
    correlating: Service,
) -> Response:
    """Let fingerprints decide again."""
    try:
        await correlating.undo(ruling_id, form.text("why"), caller.actor)
    except PurpleError as error:
        return await show(request, caller, vulnerability_id, form, error)
    return go(f"/vulnerabilities/{vulnerability_id}#one-flaw")


def _id(told: str) -> UUID:
    """The id in a link to a vulnerability, or the id itself.

    Raises:
        InvalidInputError: it is none.
    """
    try:
        return UUID(told.strip().rpartition("/")[2])
    except ValueError:
        raise InvalidInputError(
            "that is no vulnerability", field="others", value=told[:50], remedy="paste its id, or the link to its page"
        ) from None
