"""/targets."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, status

from api.deps import Paging, allowed, service
from api.schemas import PageAnswer
from api.targets.schemas import TargetAnswer, TargetBody
from purple.domain.identity import Permission, Principal
from purple.domain.targets import Target, TargetKind
from purple.services.targets import Targets

router = APIRouter(prefix="/targets", tags=["targets"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_TARGETS))]
Service = Annotated[Targets, Depends(service("targets"))]


@router.post("", status_code=status.HTTP_201_CREATED, response_model=TargetAnswer)
async def create(body: TargetBody, caller: Writer, targets: Service) -> Target:
    """Register an asset."""
    return await targets.create(
        caller.organisation_id,
        body.value,
        kind=body.kind,
        name=body.name,
        criticality=body.criticality,
        tags=body.tags,
    )


@router.get("", response_model=PageAnswer[TargetAnswer])
async def page(
    caller: Reader, targets: Service, paging: Annotated[Paging, Depends()], kind: TargetKind | None = None
) -> object:
    """List, newest first."""
    return await targets.page(caller.organisation_id, paging.query(kind=kind))


@router.get("/{target_id}", response_model=TargetAnswer)
async def get(target_id: UUID, caller: Reader, targets: Service) -> Target:
    """One target."""
    return await targets.get(caller.organisation_id, target_id)
