"""/campaigns/{id}/comparison."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.comparisons.schemas import ComparisonAnswer
from api.deps import FILTER_HELP, MAX_FILTER, allowed, service
from api.targets.endpoints import FIELDS as TARGET_FIELDS
from purple.domain.comparisons import CHANGED, MAX_ITEMS, Became, Comparison
from purple.domain.identity import Permission, Principal
from purple.services.comparing import Comparing

router = APIRouter(tags=["campaigns"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]


@router.get("/campaigns/{campaign_id}/comparison", response_model=ComparisonAnswer)
async def compare_campaigns(
    campaign_id: UUID,
    caller: Reader,
    comparing: Annotated[Comparing, Depends(service("comparing"))],
    before: UUID,
    became: Annotated[list[Became] | None, Query(description="Which to list; by default what changed")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ITEMS)] = 200,
    filter: Annotated[  # noqa: A002 - its name on the wire
        str, Query(max_length=MAX_FILTER, description=f"Of which targets. {FILTER_HELP}{TARGET_FIELDS}")
    ] = "",
) -> Comparison:
    """What became of each vulnerability since an earlier campaign; what was not tested again is not called fixed."""
    if filter:
        caller.require(Permission.READ_TARGETS)
    return await comparing.compare(
        caller.organisation_id, before, campaign_id, kinds=became or CHANGED, limit=limit, filter_=filter
    )
