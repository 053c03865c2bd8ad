"""Which targets are one machine: why they are, what is proposed, and what a person says."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, status
from fastapi import Query as QueryParameter

from api.deps import allowed, service
from api.machines.schemas import (
    MachineAnswer,
    MachineRulingAnswer,
    MachineRulingBody,
    MachineUndoBody,
    ProposalAnswer,
    ProposalsAnswer,
    TwinAnswer,
    TwinsAnswer,
)
from purple.domain.identity import Permission, Principal
from purple.domain.machines import MAX_PROPOSALS, MachineRuling
from purple.services.machine_keeping import MachineKeeping

router = APIRouter(tags=["targets"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_TARGETS))]
FindingsReader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
Service = Annotated[MachineKeeping, Depends(service("machine_keeping"))]


@router.get("/targets/{target_id}/machine")
async def target_machine(target_id: UUID, caller: Reader, keeping: Service) -> MachineAnswer:
    """Which other targets are the same machine under other names, and why."""
    return MachineAnswer.of(await keeping.of(caller.organisation_id, target_id))


@router.post("/targets/{target_id}/machine/join", status_code=status.HTTP_201_CREATED)
async def join_machine(target_id: UUID, body: MachineRulingBody, caller: Writer, keeping: Service) -> MachineAnswer:
    """Say that two targets are one machine; it stands until it is undone."""
    return MachineAnswer.of(await keeping.join(target_id, body.other, body.why, caller.actor))


@router.post("/targets/{target_id}/machine/split", status_code=status.HTTP_201_CREATED)
async def split_machine(target_id: UUID, body: MachineRulingBody, caller: Writer, keeping: Service) -> MachineAnswer:
    """Say that two targets are not one machine, whatever hosts and addresses say; it stands until it is undone."""
    return MachineAnswer.of(await keeping.split(target_id, body.other, body.why, caller.actor))


@router.get("/machines/proposals")
async def machine_proposals(
    caller: Reader, keeping: Service, limit: Annotated[int, QueryParameter(ge=1, le=MAX_PROPOSALS)] = 50
) -> ProposalsAnswer:
    """Targets that may be one machine: a name resolved to the address of another. Join or split decides."""
    found = await keeping.proposals(caller.organisation_id, limit)
    return ProposalsAnswer(items=[ProposalAnswer.of(each) for each in found])


@router.post("/machines/rulings/{ruling_id}/undo", response_model=MachineRulingAnswer)
async def undo_machine_ruling(
    ruling_id: UUID, body: MachineUndoBody, caller: Writer, keeping: Service
) -> MachineRuling:
    """Let hosts, and what else people said, decide again."""
    return await keeping.undo(ruling_id, body.why, caller.actor)


@router.get("/vulnerabilities/{vulnerability_id}/twins")
async def vulnerability_twins(
    vulnerability_id: UUID, caller: FindingsReader, _: Reader, keeping: Service
) -> TwinsAnswer:
    """Under which other targets of its machine it stands as well."""
    found = await keeping.twins(caller.organisation_id, vulnerability_id)
    return TwinsAnswer(items=[TwinAnswer.model_validate(each) for each in found])
