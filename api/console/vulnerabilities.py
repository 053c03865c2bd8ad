"""Vulnerabilities, worst risk first, and one of them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Fields, Paging, viewer
from api.console.pages import Piece, excerpt, pieces, render
from api.deps import MAX_FILTER, service
from purple.domain.causes import MAX_CAUSES
from purple.domain.errors import PurpleError
from purple.domain.filters import quoted
from purple.domain.identity import Permission, Principal
from purple.domain.observations import RecordedObservation
from purple.domain.pages import MAX_LIMIT, Page, Query
from purple.domain.queries import parse_query
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import PRESENT_STATES, ChangeCause, Vulnerability, VulnerabilityState, may_change
from purple.services.findings import FindingsReader
from purple.services.searching import ALL, Marks, Searching

router = APIRouter(prefix="/vulnerabilities")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
EvidenceReader = Annotated[Principal, Depends(viewer(Permission.READ_OBSERVATIONS))]
Service = Annotated[FindingsReader, Depends(service("findings"))]
Search = Annotated[Searching, Depends(service("searching"))]
PRESENT = "present"
"""Every state that counts as a present problem."""
SORTS = {
    "": "worst risk",
    "-severity": "worst severity",
    "-last_seen": "last seen",
    "-first_seen": "newest",
    "due_at": "due first",
    "-false_positive": "likeliest false",
    "title": "title",
}
FACETS = {
    "severity": "Severity",
    "state": "State",
    "kev": "Known to be exploited",
    "tool": "Seen by",
    "weakness": "Weakness",
    "target_id": "Target",
    "unit": "Business unit",
    "tags": "Tag of the target",
}
_FOUND = 50
PERSON = ChangeCause.PERSON


class Wanted:
    """The filter of the list, as its form sends it."""

    def __init__(
        self,
        q: str = "",
        severity: str = "",
        state: str = PRESENT,
        target: UUID | None = None,
        campaign: UUID | None = None,
        *,
        once: bool = False,
    ) -> None:
        self.q = q.strip()
        self.severity = severity if severity in set(Severity) else ""
        self.state = state if state in {"all", *VulnerabilityState} else PRESENT
        self.target = target
        self.campaign = campaign
        self.once = once

    def query(self, more: str = "") -> str:
        """All of it, in the language of every search."""
        states = {PRESENT: ",".join(PRESENT_STATES), "all": ""}
        terms = {
            "severity": self.severity,
            "state": states.get(self.state, self.state),
            "target_id": self.target,
            "campaign_id": self.campaign,
        }
        return " ".join([self.q, more, *(f"{name}:{value}" for name, value in terms.items() if value)]).strip()

    @property
    def where(self) -> dict[str, object]:
        """For the query."""
        states = {PRESENT: PRESENT_STATES, "all": None}
        return {
            "severity": self.severity or None,
            "state": states.get(self.state, self.state),
            "target_id": self.target,
            "campaign_id": self.campaign,
        }


@router.get("")
async def page(
    request: Request,
    caller: Reader,
    findings: Service,
    searching: Search,
    wanted: Annotated[Wanted, Depends()],
    paging: Annotated[Paging, Depends()],
) -> Response:
    """The list, and how many have what; with words to look for, the best matches. Words of the filter only narrow."""
    text = wanted.query(paging.filter)
    words = bool(parse_query(wanted.q).phrases)
    found = await searching.search(caller.organisation_id, text, _FOUND if words else 0, [ALL])
    shown: Page[Vulnerability] = Page(found.items)
    if not words:
        query = Query({}, paging.cursor, filter=text, sort=paging.sort)
        shown = await findings.vulnerabilities(caller.organisation_id, query, once=wanted.once)
    elif wanted.once:
        query = Query({"id": [each.id for each in found.items]}, limit=_FOUND)
        first = {each.id for each in (await findings.vulnerabilities(caller.organisation_id, query, once=True)).items}
        shown = Page(tuple(each for each in found.items if each.id in first))
    return render(
        request,
        "vulnerabilities.html",
        page=shown,
        found=found,
        text=text,
        marked={each.id: _told(each, found.marks.get(each.id, {})) for each in shown.items},
        narrowed=lambda term: _narrowed(paging.filter, term),
        facets=FACETS,
        wanted=wanted,
        paging=paging,
        sorts=SORTS,
        severities=list(reversed(Severity)),
        states=list(VulnerabilityState),
        typed=[each for each in VulnerabilityState if any(may_change(PERSON, was, each) for was in VulnerabilityState)],
    )


def _told(one: Vulnerability, marks: Marks) -> dict[str, list[Piece]]:
    """Its title, and where it describes what was looked for."""
    spans = marks.get("description")
    return {
        "title": pieces(one.title, marks.get("title", ())),
        "description": excerpt(one.description, spans) if spans else [],
    }


def _narrowed(filter: str, term: str) -> str:  # noqa: A002 - the parameter's name
    """The filter with a term more, or without one that it has."""
    return " ".join(filter.replace(term, " ").split()) if term in filter else f"{filter} {term}".strip()


@router.get("/causes")
async def causes(request: Request, caller: Reader, findings: Service, filter: str = "") -> Response:  # noqa: A002 - the parameter's name
    """What one fix each would end."""
    found = await findings.causes(caller.organisation_id, Query(filter=filter[:MAX_FILTER], limit=MAX_CAUSES))
    terms = {each.cause: f"{filter} cause:{quoted(each.cause)}".strip() for each in found.items}
    return render(request, "causes.html", found=found, filter=filter, terms=terms)


@router.get("/{vulnerability_id}")
async def one(vulnerability_id: UUID, request: Request, caller: Reader, _: EvidenceReader) -> Response:
    """One, and what people decide of it."""
    return await show(request, caller, vulnerability_id)


async def show(
    request: Request,
    caller: Principal,
    vulnerability_id: UUID,
    form: Fields | None = None,
    error: PurpleError | None = None,
) -> Response:
    """With evidence of its newest sightings, and all of them in the order in which they came; a form that failed."""
    house = request.app.state.container
    organisation = caller.organisation_id
    found = await house.findings.vulnerability(organisation, vulnerability_id)
    evidence: dict[tuple[str, str], RecordedObservation] = {}
    observed = await house.findings.observed(organisation, found.observation_ids)
    for seen in (observed[each] for each in found.observation_ids):
        evidence.setdefault((seen.tool, seen.seen.evidence), seen)
    sightings = Query({"fingerprint": found.fingerprint}, request.query_params.get("cursor", ""))
    return render(
        request,
        "vulnerability.html",
        status=error.status if error else 200,
        problem=error.problem() if error else None,
        one=found,
        form=form or Fields({}),
        states=[each for each in VulnerabilityState if may_change(PERSON, found.state, each)],
        target=await house.targets.get(organisation, found.target_id),
        twins=await house.machine_keeping.twins(organisation, found.id) if found.twin else (),
        why=await house.risking.vulnerability(organisation, vulnerability_id),
        correlation=await house.correlating.explain(organisation, vulnerability_id),
        doubt=await house.false_positives.explain(organisation, vulnerability_id),
        evidence=list(evidence.values()),
        history=await house.findings.observations(organisation, sightings),
        changes=await house.life.history(organisation, vulnerability_id, Query(limit=MAX_LIMIT)),
        comments=await house.life.comments(organisation, vulnerability_id, Query(limit=MAX_LIMIT)),
    )
