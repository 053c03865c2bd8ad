"""/authorisations."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status

from api.authorisations.schemas import AuthorisationAnswer, AuthorisationBody, RefusalAnswer
from api.deps import allowed, etag, if_match, paging, service
from api.schemas import PageAnswer
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.scope import Authorisation
from purple.services.authorisations import Authorisations
from purple.services.clearance import Clearance

router = APIRouter(prefix="/authorisations", tags=["authorisations"])
FIELDS = (
    "id, name, signed_by, valid_from, valid_until, max_intrusiveness, forbidden_tools, windows, document, created_at, "
    "revoked_at"
)
Reader = Annotated[Principal, Depends(allowed(Permission.READ_AUTHORISATIONS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_AUTHORISATIONS))]
REFUSALS = "id, at, rule, detail, target, tool, authorisation_id, campaign_id, scan_id"
Refusals = Annotated[Clearance, Depends(service("clearance"))]
Service = Annotated[Authorisations, Depends(service("authorisations"))]
ANY_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
DOCUMENT = {"requestBody": {"required": True, "content": ANY_BYTES}}
"""What a route that reads the body itself says of it."""


@router.post("", status_code=status.HTTP_201_CREATED, response_model=AuthorisationAnswer)
async def create_authorisation(body: AuthorisationBody, caller: Writer, authorisations: Service) -> Authorisation:
    """Write a contract down."""
    return await authorisations.create(caller.organisation_id, **dict(body), by=caller.actor.username)


@router.get("", response_model=PageAnswer[AuthorisationAnswer])
async def list_authorisations(
    caller: Reader, authorisations: Service, query: Annotated[Query, Depends(paging(FIELDS))]
) -> object:
    """List, newest first by default."""
    return await authorisations.page(caller.organisation_id, query)


@router.get("/{authorisation_id}", response_model=AuthorisationAnswer)
async def get_authorisation(
    authorisation_id: UUID, caller: Reader, authorisations: Service, response: Response
) -> Authorisation:
    """One contract; its ETag is what attaching a document needs."""
    found = await authorisations.get(caller.organisation_id, authorisation_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put("/{authorisation_id}/document", response_model=AuthorisationAnswer, openapi_extra=DOCUMENT)
async def attach_authorisation_document(
    authorisation_id: UUID,
    request: Request,
    caller: Writer,
    authorisations: Service,
    response: Response,
    version: Annotated[int, Depends(if_match)],
) -> Authorisation:
    """Attach what was signed, once, before a campaign runs under it: its SHA-256 enters the digest."""
    body = await request.body()
    changed = await authorisations.attach(
        caller.organisation_id, authorisation_id, version, body, caller.actor.username
    )
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.get("/{authorisation_id}/document", response_class=Response, responses={200: {"content": ANY_BYTES}})
async def get_authorisation_document(authorisation_id: UUID, caller: Reader, authorisations: Service) -> Response:
    """What was signed, to be saved: its bytes are a stranger's, and no browser opens them as ours."""
    found = await authorisations.get(caller.organisation_id, authorisation_id)
    return Response(
        await authorisations.document(found),
        media_type="application/octet-stream",
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Content-Disposition": f'attachment; filename="authorisation-{found.id}"',
        },
    )


@router.post("/{authorisation_id}/revoke", response_model=AuthorisationAnswer)
async def revoke_authorisation(authorisation_id: UUID, caller: Writer, authorisations: Service) -> Authorisation:
    """Withdraw it: its campaigns stop, and start nothing more."""
    return await authorisations.revoke(caller.organisation_id, authorisation_id, caller.actor.username)


@router.get("/{authorisation_id}/refusals", response_model=PageAnswer[RefusalAnswer])
async def list_authorisation_refusals(
    authorisation_id: UUID,
    caller: Reader,
    authorisations: Service,
    clearance: Refusals,
    query: Annotated[Query, Depends(paging(REFUSALS))],
) -> object:
    """What it refused, newest first by default."""
    await authorisations.get(caller.organisation_id, authorisation_id)
    return await clearance.page(caller.organisation_id, replace(query, where={"authorisation_id": authorisation_id}))


refusals = APIRouter(prefix="/refusals", tags=["authorisations"])


@refusals.get("", response_model=PageAnswer[RefusalAnswer])
async def list_refusals(
    caller: Reader, clearance: Refusals, query: Annotated[Query, Depends(paging(REFUSALS))]
) -> object:
    """What any contract refused, and what none covers (`authorisation_id:none`), newest first by default."""
    return await clearance.page(caller.organisation_id, query)
