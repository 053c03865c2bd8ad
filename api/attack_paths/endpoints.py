"""Attack paths: from the outside to what matters."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.attack_paths.schemas import AttackPathsAnswer
from api.deps import FILTER_HELP, MAX_FILTER, allowed, service
from api.targets.endpoints import FIELDS as TARGET_FIELDS
from purple.domain.attack_paths import Asked, AttackPaths
from purple.domain.identity import Permission, Principal
from purple.domain.pages import DEFAULT_LIMIT, MAX_LIMIT
from purple.services.attack_paths import AttackPathsReader

router = APIRouter(prefix="/attack-paths", tags=["attack paths"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
TargetReader = Annotated[Principal, Depends(allowed(Permission.READ_TARGETS))]
Service = Annotated[AttackPathsReader, Depends(service("attack_paths"))]
MAX_TECHNIQUE = 20


@router.get("", response_model=AttackPathsAnswer)
async def list_attack_paths(
    caller: Reader,
    _: TargetReader,
    attack_paths: Service,
    filter: Annotated[  # noqa: A002 - its name on the wire
        str, Query(max_length=MAX_FILTER, description=f"To which targets. {FILTER_HELP}{TARGET_FIELDS}")
    ] = "",
    technique: Annotated[
        str, Query(max_length=MAX_TECHNIQUE, description="That a step has, such as T1190; T1552 is all below it too")
    ] = "",
    through: Annotated[UUID | None, Query(description="A vulnerability that a step uses")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
) -> AttackPaths:
    """Chains of present vulnerabilities from the outside to what matters, the heaviest first, and what to mend first.

    Computed when asked. With `technique` and `through` a single step has both.
    """
    return await attack_paths.find(caller.organisation_id, Asked(filter, technique, through, limit))
