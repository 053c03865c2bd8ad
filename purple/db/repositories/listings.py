"""What each list can be filtered and sorted by; the documentation of the API names the same fields."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Float,
    Text,
    Uuid,
    extract,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from purple.db.models import (
    authorisations,
    business_units,
    campaigns,
    events,
    observations,
    refusals,
    reports,
    saved_searches,
    scans,
    schedule_runs,
    schedules,
    sightings,
    targets,
    triage_operations,
    undos,
    vulnerabilities,
    vulnerability_changes,
    vulnerability_comments,
)
from purple.db.repositories.fields import NO_YES, Field
from purple.db.repositories.listing import Listing, fields_of
from purple.db.repositories.units import in_units
from purple.domain.conditions import Kind
from purple.domain.filters import NONE

TARGETS = Listing(
    fields_of(
        targets,
        (
            "id",
            "kind",
            "value",
            "name",
            "criticality",
            "tags",
            "zone",
            "exposure",
            "data_class",
            "controls",
            "environment",
            "category",
            "frameworks",
            "custom",
            "created_at",
            "retired_at",
            "machine_id",
        ),
    )
    | {
        "unit": Field(
            Kind.TEXT,
            type_coerce(targets.c.unit_id, Text),
            nullable=True,
            through=lambda v: in_units(targets.c.unit_id, v),
        )
    },
    targets.c.id,
)
BUSINESS_UNITS = Listing(
    fields_of(business_units, ("id", "name", "path", "parent_id", "owner", "created_at")),
    business_units.c.id,
    sort="path",
)
AUTHORISATIONS = Listing(
    fields_of(
        authorisations,
        (
            "id", "name", "signed_by", "valid_from", "valid_until", "max_intrusiveness", "forbidden_tools", "windows",
            "document", "created_at", "revoked_at",
        ),
    ),
    authorisations.c.id,
)  # fmt: skip
REFUSALS = Listing(
    fields_of(refusals, ("id", "at", "rule", "detail", "target", "tool", "authorisation_id", "campaign_id", "scan_id")),
    refusals.c.id,
    sort="-at",
)
CAMPAIGNS = Listing(
    fields_of(
        campaigns,
        (
            "id",
            "name",
            "profile",
            "state",
            "phase",
            "reason",
            "authorisation_id",
            "created_at",
            "started_at",
            "ended_at",
        ),
    ),
    campaigns.c.id,
)
_LASTED = extract("epoch", scans.c.ended_at - scans.c.started_at)
SCANS = Listing(
    fields_of(
        scans,
        (
            "id", "campaign_id", "target_id", "phase", "tool", "host", "port", "url", "state", "reason", "attempt",
            "observations", "exit_code", "zone", "created_at", "started_at", "ended_at",
        ),
    )
    | {"seconds": Field(Kind.NUMBER, _LASTED.cast(Float), nullable=True)},
    scans.c.id,
)  # fmt: skip
_E = events.c
EVENTS = Listing(
    fields_of(events, ("id", "type", "subject_id", "at", "campaign_id"))
    | {
        "object": Field(Kind.TEXT, func.split_part(_E.type, ".", 1, type_=Text())),
        "actor": Field(Kind.TEXT, func.coalesce(_E.data["by"].astext, "", type_=Text())),
    },
    _E.id,
    sort="-at",
)
_SAMPLED = ("database_ms", "scans_pending", "scans_running", "queues_served", "events", "events_behind")
SAMPLES = Listing(
    fields_of(events, ("id", "at"))
    | {name: Field(Kind.NUMBER, _E.data[name].astext.cast(Float), nullable=True) for name in _SAMPLED},
    _E.id,
    sort="-at",
)
UNDOS = Listing(
    fields_of(
        undos,
        ("id", "campaign_id", "scan_id", "tool", "title", "state", "attempts", "created_at", "done_at", "done_by"),
    ),
    undos.c.id,
    sort="-created_at",
)
SCHEDULES = Listing(
    fields_of(
        schedules,
        (
            "id", "name", "profile", "authorisation_id", "target_ids", "state", "owner", "note", "created_at",
            "paused_at",
        ),
    ),
    schedules.c.id,
)  # fmt: skip
SCHEDULE_RUNS = Listing(
    fields_of(
        schedule_runs, ("id", "schedule_id", "due_at", "cause", "outcome", "reason", "campaign_id", "created_at")
    ),
    schedule_runs.c.id,
    sort="-due_at",
)
REPORTS = Listing(fields_of(reports, ("id", "campaign_id", "format", "size", "created_at")), reports.c.id)
OBSERVATIONS = Listing(
    fields_of(
        observations,
        (
            "id", "campaign_id", "scan_id", "target_id", "tool", "fingerprint", "kind", "rule", "title", "severity",
            "weakness", "host", "port", "url", "parameter", "cve", "cwe", "confidence", "recorded_at",
        ),
    ),
    observations.c.seq,
    descending=False,
)  # fmt: skip


_V = vulnerabilities.c
_SIGHTINGS = sightings.c.vulnerability_id == _V.id
_KEV = """CASE WHEN jsonb_path_exists(vulnerabilities.risk_parts, '$[*][0] ? (@ == "kev")') THEN 'yes' ELSE 'no' END"""


def _sighted(column: ColumnElement[Any], kind: Kind, stored: TypeEngine[Any]) -> Field:
    """By what its sightings say."""
    told = select(column).where(_SIGHTINGS).correlate(vulnerabilities).distinct().order_by(column)

    def through(values: Sequence[Any]) -> ColumnElement[bool]:
        return select(sightings.c.scan_id).where(_SIGHTINGS, column.in_(values)).exists()

    return Field(kind, func.array(told.scalar_subquery(), type_=postgresql.ARRAY(stored)), through=through)


def _seen(aggregate: Any) -> Field:
    moment = select(aggregate(sightings.c.seen_at)).where(_SIGHTINGS).correlate(vulnerabilities).scalar_subquery()
    return Field(Kind.MOMENT, type_coerce(moment, DateTime(timezone=True)), nullable=True)


def _of_target(column: ColumnElement[Any], asked: Callable[[Sequence[Any]], ColumnElement[bool]]) -> Field:
    """By what its target is, or has."""
    told = select(column).where(targets.c.id == _V.target_id).correlate(vulnerabilities).scalar_subquery()

    def through(values: Sequence[Any]) -> ColumnElement[bool]:
        return _V.target_id.in_(select(targets.c.id).where(asked(values)))

    return Field(Kind.TEXT, type_coerce(told, column.type), nullable=True, through=through)


_TAGS = type_coerce(targets.c.tags, postgresql.ARRAY(Text()))


def _tagged(values: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(func.cardinality(_TAGS) == 0 if each.lower() == NONE else _TAGS.contains([each]) for each in values))


_V = vulnerabilities.c
TEXTS = (_V.title, _V.description, _V.host, _V.url, _V.parameter, _V.weakness, _V.cve)
"""What words are looked for in, in the order in which PostgreSQL's index of words has them."""
WORDS = func.purple_words(*TEXTS)
VULNERABILITIES = Listing(
    fields_of(
        vulnerabilities,
        (
            "id", "target_id", "fingerprint", "title", "severity", "state", "weakness", "cve", "cwe", "host", "port",
            "url", "parameter", "risk", "cause", "false_positive", "owner", "accepted_until", "due_at", "reopened_at",
        ),
    )
    | {
        "campaign_id": _sighted(sightings.c.campaign_id, Kind.ID, Uuid()),
        "tool": _sighted(sightings.c.tool, Kind.TEXT, Text()),
        "unit": _of_target(type_coerce(targets.c.unit_id, Text), lambda v: in_units(targets.c.unit_id, v)),
        "tags": _of_target(_TAGS, _tagged),
        "kev": Field(Kind.CHOICE, literal_column(_KEV, Text()), NO_YES),
        "first_seen": _seen(func.min),
        "last_seen": _seen(func.max),
    },
    vulnerabilities.c.id,
    sort="-risk",
    aliases={"seen": "last_seen", "target.bu": "unit", "target.tag": "tags"},
    words=WORDS,
)  # fmt: skip
SAVED_SEARCHES = Listing(
    fields_of(saved_searches, ("id", "name", "owner", "query", "shared", "alert", "created_at"))
    | {
        "shown_to": Field(
            Kind.TEXT,
            saved_searches.c.owner,
            through=lambda v: or_(saved_searches.c.shared, saved_searches.c.owner.in_(v)),
        )
    },
    saved_searches.c.id,
    sort="name",
    descending=False,
)
CHANGES = Listing(
    fields_of(vulnerability_changes, ("vulnerability_id", "at", "cause", "actor", "campaign_id", "operation_id")),
    vulnerability_changes.c.version,
)
OPERATIONS = Listing(
    fields_of(triage_operations, ("id", "created_at", "actor", "why", "undone_at", "undone_by")),
    triage_operations.c.id,
    sort="-created_at",
)
COMMENTS = Listing(
    fields_of(vulnerability_comments, ("vulnerability_id", "created_at", "author")),
    vulnerability_comments.c.id,
    sort="created_at",
)
