"""/business-units."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status

from api.deps import allowed, etag, if_match, paging, service
from api.schemas import PageAnswer
from api.units.schemas import StandingAnswer, TreeAnswer, UnitAnswer, UnitBody, UnitEdit
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.units import Unit
from purple.services.units import Units

router = APIRouter(prefix="/business-units", tags=["targets"])
FIELDS = "id, name, path, parent_id, owner, created_at"
Reader = Annotated[Principal, Depends(allowed(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_TARGETS))]
FindingsReader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
Service = Annotated[Units, Depends(service("units"))]
Version = Annotated[int, Depends(if_match)]


@router.post("", status_code=status.HTTP_201_CREATED, response_model=UnitAnswer)
async def create_unit(body: UnitBody, caller: Writer, units: Service) -> Unit:
    """Add a part of the organisation."""
    return await units.create(caller.organisation_id, body.name, parent_id=body.parent_id, owner=body.owner)


@router.get("", response_model=PageAnswer[UnitAnswer])
async def list_units(caller: Reader, units: Service, query: Annotated[Query, Depends(paging(FIELDS))]) -> object:
    """List, in the order of their paths by default."""
    return await units.page(caller.organisation_id, query)


@router.get("/tree")
async def unit_tree(caller: Reader, _: FindingsReader, units: Service) -> TreeAnswer:
    """The whole tree: targets, present vulnerabilities and risk of each unit with all that is below it."""
    found = await units.tree(caller.organisation_id)
    return TreeAnswer(items=[StandingAnswer.model_validate(each) for each in found])


@router.get("/{unit_id}", response_model=UnitAnswer)
async def get_unit(unit_id: UUID, caller: Reader, units: Service, response: Response) -> Unit:
    """One unit; its ETag is what an edit needs."""
    unit = await units.get(caller.organisation_id, unit_id)
    response.headers["ETag"] = etag(unit.version)
    return unit


@router.patch("/{unit_id}", response_model=UnitAnswer)
async def edit_unit(
    unit_id: UUID, body: UnitEdit, caller: Writer, units: Service, response: Response, version: Version
) -> Unit:
    """Change what is given, unless somebody else did since the GET whose ETag comes as If-Match."""
    unit = await units.edit(caller.organisation_id, unit_id, version, **body.model_dump(exclude_unset=True))
    response.headers["ETag"] = etag(unit.version)
    return unit


@router.delete("/{unit_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_unit(unit_id: UUID, caller: Writer, units: Service, version: Version) -> None:
    """Take an empty unit away: one with units, targets or rules of due dates in it stays."""
    await units.delete(caller.organisation_id, unit_id, version)
