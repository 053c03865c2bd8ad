"""Which sightings are one vulnerability: why they are, and what a person says against it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status

from api.correlation.schemas import (
    CorrelationAnswer,
    InCommonAnswer,
    JoinBody,
    RulingAnswer,
    RulingUndoBody,
    SplitBody,
    WitnessAnswer,
)
from api.deps import allowed, etag, if_match, service
from api.findings.schemas import VulnerabilityAnswer
from purple.domain.identity import Permission, Principal
from purple.domain.rulings import Ruling
from purple.domain.vulnerabilities import Vulnerability
from purple.services.correlating import Correlating

router = APIRouter(prefix="/vulnerabilities", tags=["findings"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[Correlating, Depends(service("correlating"))]
Version = Annotated[int, Depends(if_match)]


@router.get("/{vulnerability_id}/correlation")
async def vulnerability_correlation(vulnerability_id: UUID, caller: Reader, correlating: Service) -> CorrelationAnswer:
    """Why all that was seen of it is one flaw."""
    found = await correlating.explain(caller.organisation_id, vulnerability_id)
    return CorrelationAnswer(
        target_id=found.target_id,
        parts=[InCommonAnswer(name=name, value=value) for name, value in found.parts],
        witnesses=[WitnessAnswer.model_validate(each) for each in found.witnesses],
        rulings=[RulingAnswer.model_validate(each) for each in found.rulings],
        duplicate_of=found.duplicate_of,
    )


@router.post("/{vulnerability_id}/split", status_code=status.HTTP_201_CREATED, response_model=VulnerabilityAnswer)
async def split_vulnerability(
    vulnerability_id: UUID, body: SplitBody, caller: Writer, correlating: Service, version: Version, response: Response
) -> Vulnerability:
    """Make what one rule of a tool saw a vulnerability of its own, for good; the new one is the answer."""
    made = await correlating.split(vulnerability_id, version, body.tool, body.rule, body.why, caller.actor)
    response.headers["ETag"] = etag(made.version)
    response.headers["Location"] = f"/api/v1/vulnerabilities/{made.id}"
    return made


@router.post("/{vulnerability_id}/join", response_model=VulnerabilityAnswer)
async def join_vulnerabilities(
    vulnerability_id: UUID, body: JoinBody, caller: Writer, correlating: Service, version: Version, response: Response
) -> Vulnerability:
    """Join others with it, for good: it gets their sightings, and they become duplicates."""
    kept = await correlating.join(vulnerability_id, version, body.others, body.why, caller.actor)
    response.headers["ETag"] = etag(kept.version)
    return kept


@router.post("/rulings/{ruling_id}/undo", response_model=RulingAnswer)
async def undo_ruling(ruling_id: UUID, body: RulingUndoBody, caller: Writer, correlating: Service) -> Ruling:
    """Let fingerprints decide again; what was joined gets back its sightings and its state."""
    return await correlating.undo(ruling_id, body.why, caller.actor)
