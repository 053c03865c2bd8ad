"""/false-positives: what is proposed, the model and its figures, and the policy that may act."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from api.deps import allowed, etag, if_known, paging, service
from api.false_positives.schemas import ExplainedAnswer, ModelAnswer, PolicyAnswer, PolicyBody
from api.findings.endpoints import VULNERABILITY_FIELDS
from api.findings.schemas import VulnerabilityAnswer
from api.schemas import PageAnswer
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.verdicts import Policy, Standing
from purple.services.false_positives import FalsePositives

router = APIRouter(tags=["findings"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[FalsePositives, Depends(service("false_positives"))]


@router.get("/vulnerabilities/{vulnerability_id}/false-positive")
async def vulnerability_false_positive(vulnerability_id: UUID, caller: Reader, doubts: Service) -> ExplainedAnswer:
    """How likely it is none, with the reasons and the observations that they rest on. It changes nothing."""
    return ExplainedAnswer.of(await doubts.explain(caller.organisation_id, vulnerability_id))


@router.get("/false-positives", response_model=PageAnswer[VulnerabilityAnswer])
async def list_false_positives(
    caller: Reader, doubts: Service, query: Annotated[Query, Depends(paging(VULNERABILITY_FIELDS))]
) -> object:
    """What is likely none and nobody decided on, the likeliest first. `/vulnerabilities/triage` decides."""
    return await doubts.proposals(caller.organisation_id, query)


@router.get("/false-positives/model")
async def get_false_positive_model(caller: Reader, doubts: Service) -> ModelAnswer:
    """By what findings are scored, and how well it tells verdicts."""
    return ModelAnswer.of(await doubts.state(caller.organisation_id))


@router.post("/false-positives/model")
async def learn_false_positives(caller: Writer, doubts: Service) -> ModelAnswer:
    """Learn from all verdicts now, rather than when the relay does; it then scores everything."""
    await doubts.learn(caller.organisation_id)
    return ModelAnswer.of(await doubts.state(caller.organisation_id))


@router.get("/false-positives/policy")
async def get_false_positive_policy(caller: Reader, doubts: Service, response: Response) -> PolicyAnswer:
    """What is marked without a person; nothing by default."""
    return _policy((await doubts.state(caller.organisation_id)).standing, response)


@router.put("/false-positives/policy")
async def put_false_positive_policy(
    body: PolicyBody,
    caller: Writer,
    doubts: Service,
    response: Response,
    version: Annotated[int | None, Depends(if_known)],
) -> PolicyAnswer:
    """Have what is so likely none marked as a false positive; each such triage says so and can be undone."""
    policy = Policy(body.threshold, body.below)
    return _policy(await doubts.set_policy(policy, caller.actor, version), response)


def _policy(standing: Standing, response: Response) -> PolicyAnswer:
    response.headers["ETag"] = etag(standing.version)
    return PolicyAnswer.of(standing.policy)
