"""Vulnerabilities and observations on the wire."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas import Answer, PageAnswer
from purple.domain.observations import ObservationKind, RecordedObservation
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import VulnerabilityState
from purple.services.searching import Found


class PartAnswer(Answer):
    """One step of a waterfall."""

    name: str
    points: int
    detail: str


class DoubtAnswer(Answer):
    """One reason for or against."""

    name: str
    weight: float = Field(description="What it adds to the logarithm of the odds")
    detail: str


class VulnerabilityAnswer(Answer):
    """One real flaw, with what its sightings say."""

    id: UUID
    target_id: UUID
    title: str
    severity: Severity
    state: VulnerabilityState
    weakness: str
    cve: list[str]
    cwe: list[int]
    host: str
    port: int
    url: str
    parameter: str
    description: str
    remediation: str
    references: list[str]
    risk: int
    risk_reasons: list[str] = Field(description="The parts in words")
    risk_parts: list[PartAnswer] = Field(description="What the risk is the sum of")
    cvss_vector: str = Field(description="As the best told of its sightings has it, of any version")
    cause: str = Field(description="What one fix would end together with it")
    false_positive: float | None = Field(description="How likely it is none, 0 to 1; null where nothing says so")
    doubts: list[DoubtAnswer] = Field(description="Why it may be none")
    first_seen: datetime | None
    last_seen: datetime | None
    tools: list[str]
    observation_ids: list[UUID]
    fingerprint: str
    owner: str = Field(description="Who looks after it, by user name; empty for nobody")
    accepted_until: datetime | None
    reopened_at: datetime | None
    due_at: datetime | None = Field(description="When it should be fixed")
    due_by_hand: bool = Field(description="Whether a person chose that, rather than the policy")
    version: int = Field(description="What an edit is made from; the ETag says the same")
    twin: UUID | None = Field(description="Shared by those that are the same flaw under other targets of its machine")


class CauseAnswer(Answer):
    """A root cause, over the present vulnerabilities that it has."""

    cause: str = Field(description="A package, the TLS or SSH of a service, a CVE, a weakness, or a tool's own rule")
    vulnerabilities: int
    targets: int
    severity: Severity = Field(description="The worst")
    risk: int = Field(description="The highest, 0 to 100")
    total: int = Field(description="The sum of all their risks")
    worst: UUID = Field(description="The vulnerability with the highest risk")
    title: str = Field(description="Of that one")
    remediation: str = Field(description="Of that one")


class CausesAnswer(Answer):
    """Those that weigh most."""

    items: list[CauseAnswer]
    number: int = Field(description="How many there are in all")


class ObservationAnswer(Answer):
    """One sighting, as the tool said it."""

    id: UUID
    campaign_id: UUID
    scan_id: UUID
    target_id: UUID
    tool: str
    fingerprint: str
    recorded_at: datetime
    kind: ObservationKind
    rule: str
    title: str
    severity: Severity
    weakness: str
    host: str
    port: int
    url: str
    parameter: str
    evidence: str
    service: str
    product: str
    version: str

    @classmethod
    def of(cls, row: RecordedObservation) -> "ObservationAnswer":
        """Flatten one."""
        seen, place, service = row.seen, row.seen.location, row.seen.service
        return cls(
            id=row.id,
            campaign_id=row.campaign_id,
            scan_id=row.scan_id,
            target_id=row.target_id,
            tool=row.tool,
            fingerprint=row.fingerprint,
            recorded_at=row.recorded_at,
            kind=seen.kind,
            rule=seen.rule,
            title=seen.title,
            severity=seen.severity,
            weakness=seen.weakness,
            host=place.host,
            port=place.port,
            url=place.url,
            parameter=place.parameter,
            evidence=seen.evidence,
            service=service.name if service else "",
            product=service.product if service else "",
            version=service.version if service else "",
        )


class BucketAnswer(Answer):
    """One value, and how many matches have it."""

    value: str = Field(description="Empty where they have none")
    label: str = Field(description="For people: a target's name, the path of a business unit")
    count: int = Field(description="Of a business unit with all that is below it")
    term: str = Field(description="Added to the query it finds these alone")


class FacetAnswer(Answer):
    """How many matches have which value of a field."""

    name: str
    buckets: list[BucketAnswer] = Field(description="The most frequent")


class MarkAnswer(BaseModel):
    """A place that matches, in a text of one of the items."""

    id: UUID
    field: str
    start: int = Field(description="In characters (code points)")
    end: int


class SearchAnswer(PageAnswer[VulnerabilityAnswer]):
    """Matches; while the search server is away PostgreSQL finds them."""

    note: str = Field(default="", description="Empty, or why the order is by risk and not by how well they match")
    engine: str = Field(description="Who answered: `elasticsearch` or `postgresql`")
    total: int
    bounded: bool = Field(description="Whether there are more than were counted, so that counts are at least")
    facets: list[FacetAnswer]
    marks: list[MarkAnswer] = Field(description="Where the words stand; texts are as tools wrote them, never markup")

    @classmethod
    def of(cls, found: Found) -> "SearchAnswer":
        """Flatten the marks."""
        return cls(
            items=[VulnerabilityAnswer.model_validate(each) for each in found.items],
            next_cursor="",
            note=found.note,
            engine=found.engine,
            total=found.total,
            bounded=found.bounded,
            facets=[FacetAnswer.model_validate(each) for each in found.facets],
            marks=[
                MarkAnswer(id=key, field=name, start=start, end=end)
                for key, texts in found.marks.items()
                for name, spans in texts.items()
                for start, end in spans
            ],
        )
