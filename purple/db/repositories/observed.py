"""Observations in and out of their table."""

import dataclasses
import json
from typing import Any

from purple.domain.observations import (
    FlawClass,
    Location,
    Observation,
    ObservationKind,
    RecordedObservation,
    Service,
)

COLUMNS = (
    "id",
    "organisation_id",
    "campaign_id",
    "scan_id",
    "target_id",
    "tool",
    "fingerprint",
    "kind",
    "rule",
    "title",
    "severity",
    "flaw_class",
    "weakness",
    "host",
    "port",
    "url",
    "parameter",
    "cve",
    "cwe",
    "description",
    "evidence",
    "remediation",
    "refs",
    "confidence",
    "detail",
    "recorded_at",
)


def values(row: RecordedObservation) -> tuple[Any, ...]:
    """What COPY takes, in the order of COLUMNS."""
    seen = row.seen
    place = seen.location
    detail = {
        "transport": place.transport,
        "method": place.method,
        "path": place.path,
        "line": place.line,
        "cvss_vector": seen.cvss_vector,
        "cvss_score": seen.cvss_score,
        "attributes": seen.attributes,
        "service": None if seen.service is None else dataclasses.asdict(seen.service),
    }
    return (
        row.id,
        row.organisation_id,
        row.campaign_id,
        row.scan_id,
        row.target_id,
        row.tool,
        row.fingerprint,
        str(seen.kind),
        seen.rule,
        seen.title,
        str(seen.severity),
        str(seen.flaw_class or ""),
        seen.weakness,
        place.host,
        place.port,
        place.url,
        place.parameter,
        list(seen.cve),
        list(seen.cwe),
        seen.description,
        seen.evidence,
        seen.remediation,
        list(seen.references),
        seen.confidence,
        json.dumps(detail),
        row.recorded_at,
    )


def read(row: Any) -> RecordedObservation:
    """A row with all COLUMNS."""
    detail = row.detail
    service = detail["service"]
    return RecordedObservation(
        id=row.id,
        organisation_id=row.organisation_id,
        campaign_id=row.campaign_id,
        scan_id=row.scan_id,
        target_id=row.target_id,
        tool=row.tool,
        fingerprint=row.fingerprint,
        recorded_at=row.recorded_at,
        seen=Observation(
            kind=ObservationKind(row.kind),
            rule=row.rule,
            title=row.title,
            severity=row.severity,
            flaw_class=FlawClass(row.flaw_class) if row.flaw_class else None,
            weakness=row.weakness,
            location=Location(
                host=row.host,
                port=row.port,
                transport=detail["transport"],
                url=row.url,
                method=detail["method"],
                parameter=row.parameter,
                path=detail["path"],
                line=detail["line"],
            ),
            cve=row.cve,
            cwe=row.cwe,
            cvss_vector=detail["cvss_vector"],
            cvss_score=detail["cvss_score"],
            description=row.description,
            evidence=row.evidence,
            remediation=row.remediation,
            references=row.refs,
            confidence=row.confidence,
            service=Service(**service | {"cpe": tuple(service["cpe"])}) if service else None,
            attributes=detail["attributes"],
        ),
    )
