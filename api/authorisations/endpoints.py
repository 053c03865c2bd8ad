"""/authorisations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, status

from api.authorisations.schemas import AuthorisationAnswer, AuthorisationBody
from api.deps import allowed, paging, service
from api.schemas import PageAnswer
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.scope import Authorisation
from purple.services.authorisations import Authorisations

router = APIRouter(prefix="/authorisations", tags=["authorisations"])
FIELDS = "id, name, signed_by, valid_from, valid_until, max_intrusiveness, created_at, revoked_at"
Reader = Annotated[Principal, Depends(allowed(Permission.READ_AUTHORISATIONS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_AUTHORISATIONS))]
Service = Annotated[Authorisations, Depends(service("authorisations"))]


@router.post("", status_code=status.HTTP_201_CREATED, response_model=AuthorisationAnswer)
async def create_authorisation(body: AuthorisationBody, caller: Writer, authorisations: Service) -> Authorisation:
    """Write a contract down."""
    return await authorisations.create(caller.organisation_id, **dict(body))


@router.get("", response_model=PageAnswer[AuthorisationAnswer])
async def list_authorisations(
    caller: Reader, authorisations: Service, query: Annotated[Query, Depends(paging(FIELDS))]
) -> object:
    """List, newest first by default."""
    return await authorisations.page(caller.organisation_id, query)


@router.get("/{authorisation_id}", response_model=AuthorisationAnswer)
async def get_authorisation(authorisation_id: UUID, caller: Reader, authorisations: Service) -> Authorisation:
    """One contract."""
    return await authorisations.get(caller.organisation_id, authorisation_id)


@router.post("/{authorisation_id}/revoke", response_model=AuthorisationAnswer)
async def revoke_authorisation(authorisation_id: UUID, caller: Writer, authorisations: Service) -> Authorisation:
    """Withdraw it: its campaigns start nothing more."""
    return await authorisations.revoke(caller.organisation_id, authorisation_id)
