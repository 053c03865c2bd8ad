"""/targets."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi import Query as QueryParameter

from api.deps import FILE, allowed, chunks, etag, if_match, paging, service
from api.schemas import PageAnswer
from api.targets.schemas import GateAnswer, ImportAnswer, TargetAnswer, TargetBody, TargetEdit
from purple.domain.identity import Permission, Principal
from purple.domain.life import MAX_WHY
from purple.domain.pages import Query
from purple.domain.target_fields import custom_pairs
from purple.domain.targets import Target
from purple.services.gatekeeping import Gatekeeping, Standing
from purple.services.retiring import Retiring
from purple.services.target_import import TargetImport
from purple.services.targets import Targets

router = APIRouter(prefix="/targets", tags=["targets"])
FIELDS = (
    "id, kind, value, name, criticality, tags, zone, exposure, data_class, controls, unit, "
    "environment, category, frameworks, custom, created_at, retired_at, machine_id"
)
Reader = Annotated[Principal, Depends(allowed(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_TARGETS))]
Service = Annotated[Targets, Depends(service("targets"))]


@router.post("", status_code=status.HTTP_201_CREATED, response_model=TargetAnswer)
async def create_target(body: TargetBody, caller: Writer, targets: Service) -> Target:
    """Register an asset."""
    return await targets.create(
        caller.organisation_id,
        body.value,
        kind=body.kind,
        name=body.name,
        criticality=body.criticality,
        tags=body.tags,
        zone=body.zone,
        exposure=body.exposure,
        data_class=body.data_class,
        controls=body.controls,
        unit_id=body.unit_id,
        environment=body.environment,
        category=body.category,
        frameworks=body.frameworks,
        custom=custom_pairs(body.custom),
    )


@router.post("/import", openapi_extra=FILE)
async def import_targets(
    request: Request,
    caller: Writer,
    targets: Annotated[TargetImport, Depends(service("target_import"))],
    preview: Annotated[bool, QueryParameter(description="Only tell what would change, and what is refused")] = False,
) -> ImportAnswer:
    """Register and change targets as the body says, a CSV or JSON file: all of them, or none where a row is refused.

    CSV names its columns in the first line: value, and any of kind, name, criticality, exposure, data_class, tags,
    unit, zone, controls, environment, category, frameworks, custom. JSON is a list of objects of the same. What a file
    does not tell stays as it is.
    """
    data = b"".join([chunk async for chunk in chunks(request)])
    act = targets.look if preview else targets.take
    return ImportAnswer.of(await act(caller.organisation_id, data), preview=preview)


@router.get("", response_model=PageAnswer[TargetAnswer])
async def list_targets(caller: Reader, targets: Service, query: Annotated[Query, Depends(paging(FIELDS))]) -> object:
    """List, newest first by default; retired ones only where the filter names `retired_at`."""
    return await targets.page(caller.organisation_id, query)


@router.get("/{target_id}", response_model=TargetAnswer)
async def get_target(target_id: UUID, caller: Reader, targets: Service, response: Response) -> Target:
    """One target; its ETag is what an edit needs."""
    target = await targets.get(caller.organisation_id, target_id)
    response.headers["ETag"] = etag(target.version)
    return target


@router.get("/{target_id}/gate", response_model=GateAnswer)
async def target_gate(
    target_id: UUID, caller: Reader, gates: Annotated[Gatekeeping, Depends(service("gatekeeping"))]
) -> Standing:
    """Which tools of any campaign run against it now, which wait, and whether it stopped answering."""
    return await gates.standing(caller.organisation_id, target_id)


@router.patch("/{target_id}", response_model=TargetAnswer)
async def edit_target(
    target_id: UUID,
    body: TargetEdit,
    caller: Writer,
    targets: Service,
    response: Response,
    version: Annotated[int, Depends(if_match)],
) -> Target:
    """Change what is given, unless somebody else did since the GET whose ETag comes as If-Match."""
    changes = body.model_dump(exclude_unset=True)
    if "custom" in changes:
        changes["custom"] = custom_pairs(body.custom)
    target = await targets.edit(caller.organisation_id, target_id, version, **changes)
    response.headers["ETag"] = etag(target.version)
    return target


@router.delete("/{target_id}", response_model=TargetAnswer)
async def retire_target(
    target_id: UUID,
    caller: Writer,
    retiring: Annotated[Retiring, Depends(service("retiring"))],
    response: Response,
    version: Annotated[int, Depends(if_match)],
    why: Annotated[str, QueryParameter(min_length=1, max_length=MAX_WHY, description="Why it is tested no more")],
) -> Target:
    """Test it no more. It is kept, with its history; its present vulnerabilities go out of scope."""
    caller.require(Permission.WRITE_VULNERABILITIES)
    target = await retiring.retire(target_id, version, why, caller.actor)
    response.headers["ETag"] = etag(target.version)
    return target


@router.post("/{target_id}/restore", response_model=TargetAnswer)
async def restore_target(
    target_id: UUID,
    caller: Writer,
    retiring: Annotated[Retiring, Depends(service("retiring"))],
    response: Response,
    version: Annotated[int, Depends(if_match)],
) -> Target:
    """Test it again; its vulnerabilities are what they were, but for what somebody changed since."""
    caller.require(Permission.WRITE_VULNERABILITIES)
    target = await retiring.restore(target_id, version, caller.actor)
    response.headers["ETag"] = etag(target.version)
    return target
