"""/profiles."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.deps import allowed, service
from api.profiles.schemas import (
    ExplainBody,
    ExplainedStepAnswer,
    ExplanationAnswer,
    ProfileAnswer,
    ProfileDetail,
    ProfilesAnswer,
)
from purple.contracts.profiles import Profile
from purple.domain.errors import InvalidInputError, NotFoundError
from purple.domain.identity import Permission, Principal
from purple.services.explaining import Explaining
from purple.services.profiles import Profiles

router = APIRouter(prefix="/profiles", tags=["profiles"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_CAMPAIGNS))]
Service = Annotated[Profiles, Depends(service("profiles"))]


@router.get("")
async def list_profiles(_: Reader, profiles: Service) -> ProfilesAnswer:
    """All pipelines, by name."""
    found = [profiles.load(name) for name in profiles.names()]
    return ProfilesAnswer(items=[ProfileAnswer.model_validate(each) for each in found])


@router.get("/{name}", response_model=ProfileDetail)
async def get_profile(name: str, _: Reader, profiles: Service) -> Profile:
    """One pipeline: its recon, what follows from it, its limits."""
    try:
        return profiles.load(name)
    except InvalidInputError as error:
        raise NotFoundError(error.detail, field="name", value=name, remedy=error.remedy) from error


@router.post("/explain")
async def explain_profile(
    body: ExplainBody, caller: Reader, explaining: Annotated[Explaining, Depends(service("explaining"))]
) -> ExplanationAnswer:
    """Which steps would run on a target, in which order, why, and what would be skipped; nothing is started."""
    found = await explaining.explain(
        caller.organisation_id,
        body.target,
        body.profile,
        authorisation_id=body.authorisation_id,
        options=body.options,
    )
    return ExplanationAnswer(
        profile=found.profile,
        version=found.version,
        target=found.target,
        kind=found.kind,
        authorisation_id=found.authorisation.id if found.authorisation else None,
        refused=found.refused,
        steps=[ExplainedStepAnswer.model_validate(each) for each in found.steps],
    )
