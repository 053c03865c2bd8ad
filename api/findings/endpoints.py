"""/vulnerabilities and /observations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from fastapi import Query as QueryParameter

from api.deps import FILTER_HELP, MAX_FILTER, allowed, etag, paging, service
from api.findings.schemas import CausesAnswer, ObservationAnswer, SearchAnswer, VulnerabilityAnswer
from api.schemas import PageAnswer
from purple.domain.causes import MAX_CAUSES, Causes
from purple.domain.identity import Permission, Principal
from purple.domain.pages import MAX_LIMIT, Query
from purple.domain.vulnerabilities import Vulnerability
from purple.services.findings import FindingsReader
from purple.services.searching import Searching

router = APIRouter(tags=["findings"])
VULNERABILITY_FIELDS = (
    "id, target_id, fingerprint, title, severity, state, weakness, cve, cwe, host, port, url, parameter, risk, "
    "cause, false_positive, owner, accepted_until, due_at, reopened_at, campaign_id, tool, unit, tags, kev, "
    "first_seen, last_seen"
)
QUERY_HELP = (
    (
        'Words, all of which must be there, and terms of a filter: `login "sql injection" -staging severity:>=high`. '
        "`word*` may go on; quotes hold words together. "
    )
    + FILTER_HELP.partition("; ")[2]
    + VULNERABILITY_FIELDS
)
FACET_HELP = "Count the matches by severity, state, kev, tool, weakness, target_id, unit or tags; `all` is every one"
MAX_FACETS = 10
OBSERVATION_FIELDS = (
    "id, campaign_id, scan_id, target_id, tool, fingerprint, kind, rule, title, severity, weakness, host, port, url, "
    "parameter, cve, cwe, confidence, recorded_at"
)
ONCE_HELP = (
    "Of those that are one flaw under several targets of a machine only the present one with the highest risk, "
    "if the filter lets it through"
)
Once = Annotated[bool, QueryParameter(description=ONCE_HELP)]
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
ObservationReader = Annotated[Principal, Depends(allowed(Permission.READ_OBSERVATIONS))]
Service = Annotated[FindingsReader, Depends(service("findings"))]
Search = Annotated[Searching, Depends(service("searching"))]


@router.get("/vulnerabilities", response_model=PageAnswer[VulnerabilityAnswer])
async def list_vulnerabilities(
    caller: Reader,
    findings: Service,
    query: Annotated[Query, Depends(paging(VULNERABILITY_FIELDS))],
    once: Once = False,
) -> object:
    """List, worst risk first by default."""
    return await findings.vulnerabilities(caller.organisation_id, query, once=once)


@router.get("/vulnerabilities/search")
async def search_vulnerabilities(
    caller: Reader,
    searching: Search,
    q: Annotated[str, QueryParameter(max_length=MAX_FILTER, description=QUERY_HELP)] = "",
    facet: Annotated[list[str], QueryParameter(max_length=MAX_FACETS, description=FACET_HELP)] = [],  # noqa: B006 - never changed
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)] = 50,
) -> SearchAnswer:
    """The best matches of words and terms; without words those with the highest risk."""
    return SearchAnswer.of(await searching.search(caller.organisation_id, q, limit, facet))


@router.get("/vulnerabilities/causes", response_model=CausesAnswer)
async def list_causes(
    caller: Reader,
    findings: Service,
    filter: Annotated[str, QueryParameter(max_length=MAX_FILTER, description="As the list takes it")] = "",  # noqa: A002 - the parameter's name
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_CAUSES)] = 50,
) -> Causes:
    """What one fix each would end, of present vulnerabilities; what takes most risk away comes first."""
    return await findings.causes(caller.organisation_id, Query(filter=filter, limit=limit))


@router.get("/vulnerabilities/{vulnerability_id}", response_model=VulnerabilityAnswer)
async def get_vulnerability(
    vulnerability_id: UUID, caller: Reader, findings: Service, response: Response
) -> Vulnerability:
    """One; its ETag is what an edit needs."""
    found = await findings.vulnerability(caller.organisation_id, vulnerability_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.get("/observations")
async def list_observations(
    caller: ObservationReader,
    findings: Service,
    query: Annotated[Query, Depends(paging(OBSERVATION_FIELDS))],
) -> PageAnswer[ObservationAnswer]:
    """List, by default in the order in which they were recorded."""
    page = await findings.observations(caller.organisation_id, query)
    return PageAnswer(items=[ObservationAnswer.of(each) for each in page.items], next_cursor=page.next_cursor)


@router.get("/observations/{observation_id}")
async def get_observation(observation_id: UUID, caller: ObservationReader, findings: Service) -> ObservationAnswer:
    """One."""
    return ObservationAnswer.of(await findings.observation(caller.organisation_id, observation_id))
