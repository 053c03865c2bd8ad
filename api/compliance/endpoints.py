"""How frameworks of compliance stand, from scans and the register."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.compliance.schemas import (
    ComplianceDayAnswer,
    ComplianceHistoryAnswer,
    ControlAnswer,
    FrameworkAnswer,
    FrameworksAnswer,
    FrameworkStandingAnswer,
)
from api.deps import FILTER_HELP, MAX_FILTER, allowed, service
from api.targets.endpoints import FIELDS as TARGET_FIELDS
from purple.domain.identity import Permission, Principal
from purple.services.compliance import ComplianceReader

router = APIRouter(prefix="/compliance", tags=["compliance"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
TargetReader = Annotated[Principal, Depends(allowed(Permission.READ_TARGETS))]
ScanReader = Annotated[Principal, Depends(allowed(Permission.READ_SCANS))]
Service = Annotated[ComplianceReader, Depends(service("compliance"))]
Filter = Annotated[str, Query(max_length=MAX_FILTER, description=f"Of which targets. {FILTER_HELP}{TARGET_FIELDS}")]
GAPS = 20
MOST = 1_000


@router.get("")
async def list_frameworks(caller: Reader, _: TargetReader, __: ScanReader, compliance: Service) -> FrameworksAnswer:
    """All frameworks, and how those stand that a target has: set `frameworks` of a target."""
    standings = {each.name: each for each in await compliance.overview(caller.organisation_id)}
    return FrameworksAnswer(
        items=[FrameworkAnswer.of(each, standings.get(each.name)) for each in compliance.frameworks()]
    )


@router.get("/{framework}")
async def get_framework(
    framework: str,
    caller: Reader,
    _: TargetReader,
    __: ScanReader,
    compliance: Service,
    filter: Filter = "",  # noqa: A002 - its name on the wire
    gaps: Annotated[int, Query(ge=0, le=MOST, description="Targets that each control names at most")] = GAPS,
) -> FrameworkStandingAnswer:
    """How each control stands and at which targets it is not met or was not tested, the worst first."""
    return FrameworkStandingAnswer.of(await compliance.standing(caller.organisation_id, framework, filter), gaps)


@router.get("/{framework}/history")
async def get_history(
    framework: str,
    caller: Reader,
    compliance: Service,
    since: Annotated[date | None, Query(description="The first day; by default 90 days ago")] = None,
) -> ComplianceHistoryAnswer:
    """How it stood, by day."""
    days = await compliance.history(caller.organisation_id, framework, since)
    return ComplianceHistoryAnswer(name=framework, items=[ComplianceDayAnswer.model_validate(each) for each in days])


@router.get("/{framework}/controls/{control}")
async def get_control(
    framework: str,
    control: str,
    caller: Reader,
    _: TargetReader,
    __: ScanReader,
    compliance: Service,
    filter: Filter = "",  # noqa: A002 - its name on the wire
    limit: Annotated[int, Query(ge=1, le=MOST, description="Targets at most")] = MOST,
) -> ControlAnswer:
    """The evidence of one control, target by target: which scan, when, complete or not."""
    found = await compliance.control(caller.organisation_id, framework, control, filter)
    return ControlAnswer.of(found, limit, met=True)
