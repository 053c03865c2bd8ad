"""Why risk is what it is, the weights, and what others would change."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from api.deps import allowed, etag, if_known, service
from api.risk.schemas import (
    CombinedRiskAnswer,
    RiskDays,
    TrialAnswer,
    VulnerabilityRiskAnswer,
    WeightsAnswer,
    WeightsBody,
    WeightsPut,
)
from purple.domain.identity import Permission, Principal
from purple.domain.risk_history import Subject
from purple.domain.weighing import Rules
from purple.services.risking import Risking

router = APIRouter(tags=["findings"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
TargetReader = Annotated[Principal, Depends(allowed(Permission.READ_TARGETS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[Risking, Depends(service("risking"))]
Since = Annotated[date | None, Query(description="The first day; by default 90 days ago")]


@router.get("/risk")
async def organisation_risk(caller: Reader, _: TargetReader, risking: Service) -> CombinedRiskAnswer:
    """One score for the organisation, from those of its targets, and the worst of them."""
    return CombinedRiskAnswer.of(await risking.organisation(caller.organisation_id))


@router.get("/risk/history")
async def organisation_risk_history(caller: Reader, _: TargetReader, risking: Service, since: Since = None) -> RiskDays:
    """How the risk of the organisation was."""
    mine = (caller.organisation_id, Subject.ORGANISATION, caller.organisation_id)
    return RiskDays.of(await risking.history(*mine, since))


@router.get("/targets/{target_id}/risk/history")
async def target_risk_history(
    target_id: UUID, caller: Reader, _: TargetReader, risking: Service, since: Since = None
) -> RiskDays:
    """How the risk of a target was."""
    return RiskDays.of(await risking.history(caller.organisation_id, Subject.TARGET, target_id, since))


@router.get("/business-units/{unit_id}/risk/history")
async def unit_risk_history(
    unit_id: UUID, caller: Reader, _: TargetReader, risking: Service, since: Since = None
) -> RiskDays:
    """How the risk of a business unit was, with all that is below it."""
    return RiskDays.of(await risking.history(caller.organisation_id, Subject.UNIT, unit_id, since))


@router.get("/risk/weights")
async def get_weights(caller: Reader, risking: Service, response: Response) -> WeightsAnswer:
    """The points in force."""
    return _weights(await risking.rules(caller.organisation_id), response)


@router.put("/risk/weights")
async def put_weights(
    body: WeightsPut,
    caller: Writer,
    risking: Service,
    response: Response,
    version: Annotated[int | None, Depends(if_known)],
) -> WeightsAnswer:
    """Put points in force; every vulnerability is then weighed again, and each that moved is told as an event."""
    return _weights(await risking.set_weights(body.weights, caller.actor, version), response)


def _weights(rules: Rules, response: Response) -> WeightsAnswer:
    response.headers["ETag"] = etag(rules.version)
    return WeightsAnswer.of(rules)


@router.post("/risk/try")
async def try_weights(body: WeightsBody, caller: Reader, risking: Service) -> TrialAnswer:
    """What these points would make of what is there now; nothing is written."""
    return TrialAnswer.of_trial(await risking.try_weights(caller.organisation_id, body.weights))


@router.get("/vulnerabilities/{vulnerability_id}/risk")
async def vulnerability_risk(vulnerability_id: UUID, caller: Reader, risking: Service) -> VulnerabilityRiskAnswer:
    """Its waterfall, its CVSS computed, the decision of SSVC, and what is known of its CVEs and weaknesses."""
    return VulnerabilityRiskAnswer.of(await risking.vulnerability(caller.organisation_id, vulnerability_id))


@router.get("/targets/{target_id}/risk")
async def target_risk(target_id: UUID, caller: Reader, _: TargetReader, risking: Service) -> CombinedRiskAnswer:
    """One score for a target, from its present vulnerabilities, and the worst of them."""
    return CombinedRiskAnswer.of(await risking.target(caller.organisation_id, target_id))


@router.get("/targets/{target_id}/machine/risk")
async def machine_risk(target_id: UUID, caller: Reader, _: TargetReader, risking: Service) -> CombinedRiskAnswer:
    """One score for the machine that a target is of, each flaw once whichever of its targets have it."""
    return CombinedRiskAnswer.of(await risking.machine(caller.organisation_id, target_id))


@router.get("/business-units/{unit_id}/risk")
async def unit_risk(unit_id: UUID, caller: Reader, _: TargetReader, risking: Service) -> CombinedRiskAnswer:
    """One score for a business unit, from the targets of it and of all below it, and the worst of them."""
    return CombinedRiskAnswer.of(await risking.unit(caller.organisation_id, unit_id))
