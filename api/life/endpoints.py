"""Changes of /vulnerabilities: one by its version, many by triage, and what is said of them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status

from api.deps import IdempotencyKey, allowed, etag, if_match, paging, service
from api.findings.schemas import VulnerabilityAnswer
from api.life.schemas import (
    ChangeAnswer,
    CommentAnswer,
    CommentBody,
    LeftAnswer,
    OperationAnswer,
    TakenBackAnswer,
    TriageAnswer,
    TriageBody,
    UndoBody,
    VulnerabilityEdit,
)
from api.schemas import PageAnswer
from purple.domain.errors import InvalidInputError
from purple.domain.identity import Permission, Principal
from purple.domain.life import Chosen, Comment, Wanted
from purple.domain.pages import Query
from purple.domain.vulnerabilities import Vulnerability
from purple.services.life import Life
from purple.services.mass_triage import MassTriage, Outcome

router = APIRouter(prefix="/vulnerabilities", tags=["findings"])
CHANGE_FIELDS = "at, cause, actor, campaign_id, operation_id"
COMMENT_FIELDS = "created_at, author"
OPERATION_FIELDS = "id, created_at, actor, why, undone_at, undone_by"
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[Life, Depends(service("life"))]
Many = Annotated[MassTriage, Depends(service("mass_triage"))]


@router.post("/triage", response_model=TriageAnswer)
async def triage_vulnerabilities(body: TriageBody, caller: Writer, many: Many, key: IdempotencyKey = "") -> Outcome:
    """Change all that are chosen and may be changed so; or, with `preview`, only tell what would change."""
    if (body.ids is None) == (body.filter is None):
        raise InvalidInputError("give ids or a filter", field="ids", remedy="and not both")
    chosen = Chosen(tuple(body.ids or ()), None if body.filter is None else Query(filter=body.filter))
    due = "due_at" in body.model_fields_set
    wanted = Wanted(body.state, body.accepted_until, body.owner, due, body.due_at, body.why)
    if body.preview:
        return await many.preview(chosen, wanted, caller.actor)
    return await many.apply(chosen, wanted, caller.actor, key)


@router.get("/triage")
async def list_triages(
    caller: Reader, many: Many, query: Annotated[Query, Depends(paging(OPERATION_FIELDS))]
) -> PageAnswer[OperationAnswer]:
    """What was triaged at once, newest first by default."""
    page = await many.past(caller.organisation_id, query)
    return PageAnswer(items=[OperationAnswer.of(each) for each in page.items], next_cursor=page.next_cursor)


@router.post("/triage/{operation_id}/undo")
async def undo_triage(operation_id: UUID, caller: Writer, many: Many, body: UndoBody | None = None) -> TakenBackAnswer:
    """Give back to each that nobody changed since what it was, and name those that are left alone. Once."""
    done = await many.undo(operation_id, caller.actor, body.why if body else "")
    left = [LeftAnswer.model_validate(each) for each in done.left]
    return TakenBackAnswer(operation_id=operation_id, restored=len(done.restored), left=left)


@router.patch("/{vulnerability_id}", response_model=VulnerabilityAnswer)
async def edit_vulnerability(
    vulnerability_id: UUID,
    body: VulnerabilityEdit,
    caller: Writer,
    life: Service,
    response: Response,
    version: Annotated[int, Depends(if_match)],
) -> Vulnerability:
    """Change state, owner or due date, unless somebody else did since the GET whose ETag comes as If-Match."""
    due = "due_at" in body.model_fields_set
    wanted = Wanted(body.state, body.accepted_until, body.owner, due, body.due_at, body.why)
    changed = await life.edit(vulnerability_id, version, wanted, caller.actor)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.get("/{vulnerability_id}/history", response_model=PageAnswer[ChangeAnswer])
async def vulnerability_history(
    vulnerability_id: UUID, caller: Reader, life: Service, query: Annotated[Query, Depends(paging(CHANGE_FIELDS))]
) -> object:
    """What changed, when, by whom and why; newest first by default."""
    return await life.history(caller.organisation_id, vulnerability_id, query)


@router.get("/{vulnerability_id}/comments", response_model=PageAnswer[CommentAnswer])
async def list_comments(
    vulnerability_id: UUID, caller: Reader, life: Service, query: Annotated[Query, Depends(paging(COMMENT_FIELDS))]
) -> object:
    """What people said, oldest first by default."""
    return await life.comments(caller.organisation_id, vulnerability_id, query)


@router.post("/{vulnerability_id}/comments", status_code=status.HTTP_201_CREATED, response_model=CommentAnswer)
async def add_comment(vulnerability_id: UUID, body: CommentBody, caller: Writer, life: Service) -> Comment:
    """Say something; it stays as it was said."""
    return await life.comment(vulnerability_id, body.body, caller.actor)
