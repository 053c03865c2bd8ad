"""/saved-searches."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status

from api.deps import allowed, etag, if_match, paging, service
from api.schemas import PageAnswer
from api.searches.schemas import SavedSearchAnswer, SavedSearchBody, SavedSearchEdit
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.saved import SavedSearch
from purple.services.saved_searches import SavedSearches

router = APIRouter(prefix="/saved-searches", tags=["findings"])
FIELDS = "id, name, owner, query, shared, alert, created_at"
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[SavedSearches, Depends(service("saved_searches"))]
Version = Annotated[int, Depends(if_match)]


@router.post("", status_code=status.HTTP_201_CREATED, response_model=SavedSearchAnswer)
async def save_search(body: SavedSearchBody, caller: Writer, saved: Service) -> SavedSearch:
    """Keep a search; an alert tells of what matches from now on."""
    return await saved.create(caller.actor, body.name, body.query, shared=body.shared, alert=body.alert)


@router.get("", response_model=PageAnswer[SavedSearchAnswer])
async def list_saved_searches(
    caller: Reader, saved: Service, query: Annotated[Query, Depends(paging(FIELDS))]
) -> object:
    """List your own and those that are shared, by name."""
    return await saved.page(caller.actor, query)


@router.get("/{search_id}", response_model=SavedSearchAnswer)
async def get_saved_search(search_id: UUID, caller: Reader, saved: Service, response: Response) -> SavedSearch:
    """One; its ETag is what an edit needs."""
    found = await saved.get(caller.actor, search_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/{search_id}", response_model=SavedSearchAnswer)
async def edit_saved_search(
    search_id: UUID, body: SavedSearchEdit, caller: Writer, saved: Service, response: Response, version: Version
) -> SavedSearch:
    """Change what is given of your own, unless it was changed since the GET whose ETag comes as If-Match."""
    found = await saved.edit(caller.actor, search_id, version, **body.model_dump(exclude_unset=True))
    response.headers["ETag"] = etag(found.version)
    return found


@router.delete("/{search_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_saved_search(search_id: UUID, caller: Writer, saved: Service, version: Version) -> None:
    """Forget one of your own."""
    await saved.delete(caller.actor, search_id, version)
