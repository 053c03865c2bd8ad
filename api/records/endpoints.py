"""/search: records of what happened."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Query as QueryParameter
from pydantic import Field

from api.deps import MAX_FILTER, allowed, service
from api.findings.schemas import FacetAnswer
from api.schemas import Answer
from purple.domain.identity import Permission, Principal
from purple.domain.pages import MAX_LIMIT
from purple.domain.search import AUDIT_LOGS, SCAN_RESULTS, SYSTEM_METRICS
from purple.services.records import RecordSearch

router = APIRouter(prefix="/search", tags=["search"])
MAX_FACETS = 10
ScanReader = Annotated[Principal, Depends(allowed(Permission.READ_SCANS))]
EventReader = Annotated[Principal, Depends(allowed(Permission.READ_EVENTS))]
Service = Annotated[dict[str, RecordSearch], Depends(service("records"))]
Words = Annotated[str, QueryParameter(max_length=MAX_FILTER, description="Words and terms; see each search's fields")]
Facets = Annotated[
    list[str],
    QueryParameter(default_factory=list, max_length=MAX_FACETS, description="Count the matches by these; or `all`"),
]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]


class RecordsAnswer(Answer):
    """Matches, by their fields."""

    items: list[dict[str, Any]]
    total: int
    bounded: bool = Field(description="Whether there may be more than were counted, so that counts are at least")
    facets: list[FacetAnswer]
    engine: str = Field(description="Who answered: `elasticsearch` or `postgresql`")
    note: str


@router.get("/scan-results", response_model=RecordsAnswer)
async def search_scan_results(
    caller: ScanReader,
    records: Service,
    facet: Facets,
    q: Words = "",
    limit: Limit = 50,
) -> object:
    """Scans, the newest first.

    Fields: id, campaign_id, target_id, phase, tool, host, port, url, state, reason, attempt, observations, exit_code,
    zone, created_at, started_at, ended_at, seconds. Facets: tool, state, phase, zone.
    """
    return await records[SCAN_RESULTS].search(caller.organisation_id, q, limit, facet)


@router.get("/audit-logs", response_model=RecordsAnswer)
async def search_audit_logs(
    caller: EventReader,
    records: Service,
    facet: Facets,
    q: Words = "",
    limit: Limit = 50,
) -> object:
    """What was done, the newest first.

    Fields: id, type, object, subject_id, actor, at, campaign_id. Facets: object, type, actor.
    """
    return await records[AUDIT_LOGS].search(caller.organisation_id, q, limit, facet)


@router.get("/system-metrics", response_model=RecordsAnswer)
async def search_system_metrics(caller: EventReader, records: Service, q: Words = "", limit: Limit = 50) -> object:
    """Samples of health, the newest first; they are of the whole system, and kept by its first organisation.

    Fields: id, at, database_ms, scans_pending, scans_running, queues_served, events, events_behind.
    """
    return await records[SYSTEM_METRICS].search(caller.organisation_id, q, limit)
