"""Observations in and out of their table."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import orjson

from purple.domain.observations import (
    FlawClass,
    Location,
    Observation,
    ObservationKind,
    RecordedObservation,
    Service,
)

ORIGIN = ("organisation_id", "campaign_id", "scan_id", "target_id", "tool", "recorded_at")
"""Columns that the rows of one scan share."""
OWN = (
    "id",
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
)
COLUMNS = (*ORIGIN, *OWN)


_UNSAFE = ("\\", "\t", "\n", "\r")
"""What COPY's text format wants escaped."""
_BETWEEN = "\0"
"""No text in PostgreSQL holds it, so that values are escaped together."""
_TAB = "\t"


def origin(row: RecordedObservation) -> tuple[object, ...]:
    """The values of ORIGIN."""
    return (row.organisation_id, row.campaign_id, row.scan_id, row.target_id, row.tool, row.recorded_at)


def line(row: RecordedObservation) -> str:
    """What COPY takes as text, in the order of OWN.

    Written here rather than by the driver, value by value: most of the twenty are alike from row to row.
    """
    seen = row.seen
    place = seen.location
    told = (place.transport, place.method, place.path, place.line, seen.cvss_vector, seen.cvss_score, seen.service)
    values = (
        row.id.hex,
        row.fingerprint,
        seen.kind,
        seen.rule,
        seen.title,
        seen.severity,
        seen.flaw_class or "",
        seen.weakness,
        place.host,
        str(place.port),
        place.url,
        place.parameter,
        _array(seen.cve),
        _array(seen.cwe),
        seen.description,
        seen.evidence,
        seen.remediation,
        _array(seen.references),
        str(seen.confidence),
        _detail(seen.attributes, *told) if seen.attributes else _plain_detail(*told),
    )
    text = _BETWEEN.join(values)
    if any(map(text.__contains__, _UNSAFE)):
        text = text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
    return f"{text.replace(_BETWEEN, _TAB)}\n"


@lru_cache(maxsize=1_024)
def _array(items: tuple[object, ...]) -> str:
    """As PostgreSQL writes an array."""
    quoted = (str(item).replace("\\", r"\\").replace('"', r"\"") for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"


def _detail(  # noqa: PLR0913, PLR0917 - the parts of the JSON
    attributes: Mapping[str, str],
    transport: str,
    method: str,
    path: str,
    line: int,
    cvss_vector: str,
    cvss_score: float,
    service: Service | None,
) -> str:
    return orjson.dumps(
        {
            "transport": transport,
            "method": method,
            "path": path,
            "line": line,
            "cvss_vector": cvss_vector,
            "cvss_score": cvss_score,
            "attributes": attributes,
            "service": service,
        }
    ).decode()


_plain_detail = lru_cache(maxsize=4_096)(partial(_detail, {}))
"""Thousands of ports run the same few services, and have no attributes."""


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
