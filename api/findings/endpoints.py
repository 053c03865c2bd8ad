"""/vulnerabilities and /observations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.deps import Paging, allowed, service
from api.findings.schemas import ObservationAnswer, VulnerabilityAnswer
from api.schemas import PageAnswer
from purple.domain.identity import Permission, Principal
from purple.domain.observations import ObservationKind
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import Vulnerability, VulnerabilityState
from purple.services.findings import FindingsReader

router = APIRouter(tags=["findings"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
ObservationReader = Annotated[Principal, Depends(allowed(Permission.READ_OBSERVATIONS))]
Service = Annotated[FindingsReader, Depends(service("findings"))]


@router.get("/vulnerabilities", response_model=PageAnswer[VulnerabilityAnswer])
async def vulnerabilities(
    caller: Reader,
    findings: Service,
    paging: Annotated[Paging, Depends()],
    target_id: UUID | None = None,
    campaign_id: UUID | None = None,
    state: VulnerabilityState | None = None,
    severity: Severity | None = None,
) -> object:
    """List, worst risk first."""
    query = paging.query(target_id=target_id, campaign_id=campaign_id, state=state, severity=severity)
    return await findings.vulnerabilities(caller.organisation_id, query)


@router.get("/vulnerabilities/search", response_model=PageAnswer[VulnerabilityAnswer])
async def search(
    caller: Reader,
    findings: Service,
    q: Annotated[str, Query(min_length=1, max_length=200)],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> object:
    """The best matches of some words."""
    return await findings.search(caller.organisation_id, q, limit)


@router.get("/vulnerabilities/{vulnerability_id}", response_model=VulnerabilityAnswer)
async def vulnerability(vulnerability_id: UUID, caller: Reader, findings: Service) -> Vulnerability:
    """One."""
    return await findings.vulnerability(caller.organisation_id, vulnerability_id)


@router.get("/observations")
async def observations(
    caller: ObservationReader,
    findings: Service,
    paging: Annotated[Paging, Depends()],
    campaign_id: UUID | None = None,
    scan_id: UUID | None = None,
    kind: ObservationKind | None = None,
    fingerprint: str | None = None,
) -> PageAnswer[ObservationAnswer]:
    """List, in the order in which they were recorded."""
    query = paging.query(campaign_id=campaign_id, scan_id=scan_id, kind=kind, fingerprint=fingerprint)
    page = await findings.observations(caller.organisation_id, query)
    return PageAnswer(items=[ObservationAnswer.of(each) for each in page.items], next_cursor=page.next_cursor)


@router.get("/observations/{observation_id}")
async def observation(observation_id: UUID, caller: ObservationReader, findings: Service) -> ObservationAnswer:
    """One."""
    return ObservationAnswer.of(await findings.observation(caller.organisation_id, observation_id))
