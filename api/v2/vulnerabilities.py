"""/api/v2/vulnerabilities: with the graph of sightings, sparse fields, and edits in batches."""

from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.deps import allowed, etag, paging, service
from api.findings.endpoints import VULNERABILITY_FIELDS, Once
from api.schemas import PageAnswer
from api.v2.batches import BatchAnswer, each_by_itself
from api.v2.fields import chosen, picked
from api.v2.schemas import VulnerabilityBatch, VulnerabilityItem, VulnerabilityV2
from purple.domain.identity import Permission, Principal
from purple.domain.life import Wanted
from purple.domain.pages import Query
from purple.domain.vulnerabilities import Vulnerability
from purple.services.findings import FindingsReader
from purple.services.life import Life

router = APIRouter(prefix="/vulnerabilities", tags=["v2"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[FindingsReader, Depends(service("findings"))]
Names = Annotated[frozenset[str], Depends(chosen(VulnerabilityV2, dear=("sightings", "target")))]
WholeNames = Annotated[frozenset[str], Depends(chosen(VulnerabilityV2, dear=()))]


@router.get("", response_model_exclude_unset=True)
async def list_vulnerabilities_v2(
    request: Request,
    caller: Reader,
    findings: Service,
    query: Annotated[Query, Depends(paging(VULNERABILITY_FIELDS))],
    names: Names,
    once: Once = False,
) -> PageAnswer[VulnerabilityV2]:
    """List, worst risk first by default."""
    page = await findings.vulnerabilities(caller.organisation_id, query, once=once)
    items = await _answers(request, caller, findings, page.items, names)
    return PageAnswer[VulnerabilityV2](items=items, next_cursor=page.next_cursor)


@router.get("/{vulnerability_id}", response_model_exclude_unset=True)
async def get_vulnerability_v2(
    request: Request,
    vulnerability_id: UUID,
    caller: Reader,
    findings: Service,
    response: Response,
    names: WholeNames,
) -> VulnerabilityV2:
    """One, by default with its target and its sightings; its ETag is what an edit needs."""
    found = await findings.vulnerability(caller.organisation_id, vulnerability_id)
    response.headers["ETag"] = etag(found.version)
    return (await _answers(request, caller, findings, [found], names))[0]


@router.post("/batch", response_model_exclude_unset=True)
async def edit_vulnerabilities(
    body: VulnerabilityBatch, caller: Writer, life: Annotated[Life, Depends(service("life"))]
) -> BatchAnswer:
    """Change state, owner or due date of many, each from its own version and with its own result."""

    async def edit(item: VulnerabilityItem) -> Vulnerability:
        due = "due_at" in item.model_fields_set
        wanted = Wanted(item.state, item.accepted_until, item.owner, due, item.due_at, item.why)
        return await life.edit(item.id, item.version, wanted, caller.actor)

    return await each_by_itself(body.items, HTTPStatus.OK, edit)


async def _answers(
    request: Request,
    caller: Principal,
    findings: FindingsReader,
    rows: Sequence[Vulnerability],
    names: Collection[str],
) -> list[VulnerabilityV2]:
    """With what else they need, each in one statement for all of them."""
    sightings, targets = {}, {}
    if "sightings" in names:
        caller.require(Permission.READ_OBSERVATIONS)
        sightings = await findings.sightings(caller.organisation_id, [each.id for each in rows])
    if "target" in names:
        caller.require(Permission.READ_TARGETS)
        ids = list({each.target_id for each in rows})
        page = await request.app.state.container.targets.page(caller.organisation_id, Query({"id": ids}, limit=200))
        targets = {each.id: each for each in page.items}
    return [
        picked(VulnerabilityV2, each, names, sightings=sightings.get(each.id, []), target=targets.get(each.target_id))
        for each in rows
    ]
