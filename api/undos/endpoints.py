"""/undos."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, status

from api.deps import allowed, paging, service
from api.schemas import PageAnswer
from api.undos.schemas import DoneBody, UndoAnswer
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.undos import Undo
from purple.services.undos import Undos

router = APIRouter(prefix="/undos", tags=["undos"])
FIELDS = "id, campaign_id, scan_id, tool, title, state, attempts, created_at, done_at, done_by"
Reader = Annotated[Principal, Depends(allowed(Permission.READ_CAMPAIGNS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_CAMPAIGNS))]
Service = Annotated[Undos, Depends(service("undos"))]


@router.get("", response_model=PageAnswer[UndoAnswer])
async def list_undos(caller: Reader, undos: Service, query: Annotated[Query, Depends(paging(FIELDS))]) -> object:
    """List what tools changed and how far its undo is, newest first by default."""
    return await undos.page(caller.organisation_id, query)


@router.get("/{undo_id}", response_model=UndoAnswer)
async def get_undo(undo_id: UUID, caller: Reader, undos: Service) -> Undo:
    """One undo."""
    return await undos.get(caller.organisation_id, undo_id)


@router.post("/{undo_id}/retry", status_code=status.HTTP_202_ACCEPTED, response_model=UndoAnswer)
async def retry_undo(undo_id: UUID, caller: Writer, undos: Service) -> Undo:
    """Try an undo again that had failed, as often as at first."""
    return await undos.retry(caller.organisation_id, undo_id, caller.actor)


@router.post("/{undo_id}/done", response_model=UndoAnswer)
async def mark_undo_done(undo_id: UUID, body: DoneBody, caller: Writer, undos: Service) -> Undo:
    """Say that an undo was done by hand; who and why is kept."""
    return await undos.mark_done(caller.organisation_id, undo_id, caller.actor, body.why)
