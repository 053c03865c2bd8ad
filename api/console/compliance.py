"""How frameworks of compliance stand, and the gaps of each control with their evidence."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Query as QueryParameter

from api.console.deps import viewer
from api.console.pages import render
from api.deps import MAX_FILTER, service
from purple.domain.compliance import Status
from purple.domain.identity import Permission, Principal
from purple.services.compliance import ComplianceReader

router = APIRouter(prefix="/compliance")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
TargetReader = Annotated[Principal, Depends(viewer(Permission.READ_TARGETS))]
ScanReader = Annotated[Principal, Depends(viewer(Permission.READ_SCANS))]
Service = Annotated[ComplianceReader, Depends(service("compliance"))]
SHOWN = 50
"""Targets of a control that the page names; it counts all."""


@router.get("")
async def page(request: Request, caller: Reader, _: TargetReader, __: ScanReader, compliance: Service) -> Response:
    """Each framework, those that a target has first."""
    standings = await compliance.overview(caller.organisation_id)
    used = {each.name for each in standings}
    others = [each for each in compliance.frameworks() if each.name not in used]
    return render(request, "compliance.html", standings=standings, others=others, statuses=list(Status))


@router.get("/{framework}")
async def one(
    request: Request,
    framework: str,
    caller: Reader,
    _: TargetReader,
    __: ScanReader,
    compliance: Service,
    filter: Annotated[str, QueryParameter(max_length=MAX_FILTER)] = "",  # noqa: A002 - its name on the wire
) -> Response:
    """Each control with its targets, the worst first."""
    standing = await compliance.standing(caller.organisation_id, framework, filter.strip())
    return render(
        request,
        "framework.html",
        one=standing,
        days=await compliance.history(caller.organisation_id, framework),
        filter=filter.strip(),
        shown=SHOWN,
        statuses=list(Status),
    )
