"""/api/v2/targets: with risk and compliance, sparse fields, and batches."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.deps import allowed, etag, paging, service
from api.schemas import PageAnswer
from api.targets.endpoints import FIELDS, create_target
from api.targets.schemas import TargetBody
from api.v2.batches import BatchAnswer, each_by_itself
from api.v2.fields import chosen, picked
from api.v2.schemas import TargetBatch, TargetEdits, TargetItem, TargetV2
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.target_fields import custom_pairs
from purple.domain.targets import Target
from purple.services.targets import Targets

router = APIRouter(prefix="/targets", tags=["v2"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_TARGETS))]
Service = Annotated[Targets, Depends(service("targets"))]
Names = Annotated[frozenset[str], Depends(chosen(TargetV2, dear=("risk", "compliance")))]
WholeNames = Annotated[frozenset[str], Depends(chosen(TargetV2, dear=()))]


@router.get("", response_model_exclude_unset=True)
async def list_targets_v2(
    request: Request,
    caller: Reader,
    targets: Service,
    query: Annotated[Query, Depends(paging(FIELDS))],
    names: Names,
) -> PageAnswer[TargetV2]:
    """List, newest first by default."""
    page = await targets.page(caller.organisation_id, query)
    items = await _answers(request, caller, page.items, names)
    return PageAnswer[TargetV2](items=items, next_cursor=page.next_cursor)


@router.get("/{target_id}", response_model_exclude_unset=True)
async def get_target_v2(
    request: Request, target_id: UUID, caller: Reader, targets: Service, response: Response, names: WholeNames
) -> TargetV2:
    """One, by default with its risk and compliance; its ETag is what an edit needs."""
    target = await targets.get(caller.organisation_id, target_id)
    response.headers["ETag"] = etag(target.version)
    return (await _answers(request, caller, [target], names))[0]


@router.post("/batch", response_model_exclude_unset=True)
async def create_targets(body: TargetBatch, caller: Writer, targets: Service) -> BatchAnswer:
    """Register many, each with its own result; `POST /api/v1/targets/import` takes all or none."""

    async def create(item: TargetBody) -> Target:
        return await create_target(item, caller, targets)

    return await each_by_itself(body.items, HTTPStatus.CREATED, create)


@router.patch("/batch", response_model_exclude_unset=True)
async def edit_targets(body: TargetEdits, caller: Writer, targets: Service) -> BatchAnswer:
    """Change many, each from its own version and with its own result."""

    async def edit(item: TargetItem) -> Target:
        changes = item.model_dump(exclude_unset=True, exclude={"id", "version"})
        if "custom" in changes:
            changes["custom"] = custom_pairs(item.custom)
        return await targets.edit(caller.organisation_id, item.id, item.version, **changes)

    return await each_by_itself(body.items, HTTPStatus.OK, edit)


async def _answers(
    request: Request, caller: Principal, rows: Sequence[Target], names: frozenset[str]
) -> list[TargetV2]:
    """With risk and compliance where they are asked for."""
    house, organisation_id = request.app.state.container, caller.organisation_id
    risks, standings = {}, {}
    if names & {"risk", "compliance"}:
        caller.require(Permission.READ_VULNERABILITIES)
    if "risk" in names:
        risks = await house.risking.scores(organisation_id, [each.id for each in rows])
    if "compliance" in names:
        caller.require(Permission.READ_SCANS)
        standings = await house.compliance.of_targets(organisation_id, rows)
    return [picked(TargetV2, each, names, risk=risks.get(each.id), compliance=standings.get(each.id)) for each in rows]
