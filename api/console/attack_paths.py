"""Attack paths: from the outside to what matters, and what to mend first."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Query as QueryParameter

from api.attack_paths.endpoints import MAX_TECHNIQUE
from api.console.deps import viewer
from api.console.pages import render
from api.deps import MAX_FILTER, service
from purple.domain.attack_paths import Asked
from purple.domain.filters import quoted
from purple.domain.identity import Permission, Principal
from purple.domain.openings import TECHNIQUES
from purple.services.attack_paths import AttackPathsReader
from purple.services.findings import FindingsReader

router = APIRouter(prefix="/attack-paths")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
TargetReader = Annotated[Principal, Depends(viewer(Permission.READ_TARGETS))]
Service = Annotated[AttackPathsReader, Depends(service("attack_paths"))]
Findings = Annotated[FindingsReader, Depends(service("findings"))]


@router.get("")
async def page(
    request: Request,
    caller: Reader,
    _: TargetReader,
    attack_paths: Service,
    findings: Findings,
    filter: Annotated[str, QueryParameter(max_length=MAX_FILTER)] = "",  # noqa: A002 - its name on the wire
    technique: Annotated[str, QueryParameter(max_length=MAX_TECHNIQUE)] = "",
    through: UUID | None = None,
) -> Response:
    """The heaviest, each as a row from the left to the right."""
    organisation, wanted = caller.organisation_id, filter.strip()
    found = await attack_paths.find(organisation, Asked(wanted, technique, through))
    terms = {each.cause: f"cause:{quoted(each.cause)}" for each in found.choke_points}
    return render(
        request,
        "attack_paths.html",
        found=found,
        filter=wanted,
        technique=technique.strip().upper(),
        techniques=TECHNIQUES,
        through=await findings.vulnerability(organisation, through) if through else None,
        terms=terms,
    )
