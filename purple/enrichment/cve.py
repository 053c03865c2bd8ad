"""The National Vulnerability Database's feeds of CVE records, as JSON 2.0.

A fact: `cvss` (a vector, v4.0 before v3.1 before v3.0, NVD's own before others), `cwe` (numbers), `exploit` (whether a
reference is tagged as one), `published` (date). Schema: https://csrc.nist.gov/schema/nvd/api/2.0/cve_api_json_2.0.schema.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from purple.domain.cvss import score_of
from purple.domain.enrichment import About, Fact
from purple.domain.errors import ParseError
from purple.enrichment.words import CVE, day
from purple.toolkit.parts import read_parts

_METRICS = ("cvssMetricV40", "cvssMetricV31", "cvssMetricV30")
_CWE = re.compile(r"CWE-(\d{1,6})")
_HEAD = ("timestamp", "totalResults")


def parse(stream: BinaryIO, limit: int) -> Iterator[tuple[str, Fact] | About]:
    """Every record that was not rejected.

    Raises:
        ParseError: malformed, or a record without an id.
    """
    head: dict[str, Any] = {}
    left_out = 0
    for path, item, part in read_parts(stream, ("vulnerabilities.*.cve", *_HEAD), limit):
        if path in _HEAD:
            head[path] = part
            continue
        if part is None or (isinstance(part, dict) and part.get("vulnStatus") == "Rejected"):
            left_out += 1  # None is a record larger than any that there is
            continue
        if not isinstance(part, dict) or not CVE.fullmatch(key := str(part.get("id"))):
            raise ParseError("a record names no CVE", offset=item, unit="records")
        yield (
            key,
            {
                "cvss": _vector(part),
                "cwe": _weaknesses(part),
                "exploit": any("Exploit" in _list(each, "tags") for each in _list(part, "references")),
                "published": day(part.get("published")),
            },
        )
    total = head.get("totalResults")
    yield About(
        str(head.get("timestamp") or "")[:30], _moment(head), total - left_out if isinstance(total, int) else None
    )


def _moment(head: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(head.get("timestamp"))).replace(tzinfo=UTC)
    except ValueError:
        return None


def _list(part: object, name: str) -> list[Any]:
    found = part.get(name) if isinstance(part, dict) else None
    return found if isinstance(found, list) else []


def _vector(part: dict[str, Any]) -> str:
    metrics = part.get("metrics")
    for name in _METRICS:
        told = [
            each for each in _list(metrics, name) if isinstance(each, dict) and isinstance(each.get("cvssData"), dict)
        ]
        for each in sorted(told, key=lambda metric: metric.get("type") != "Primary"):
            vector = str(each["cvssData"].get("vectorString") or "")
            if score_of(vector) is not None:
                return vector
    return ""


def _weaknesses(part: dict[str, Any]) -> list[int]:
    values = [str(said.get("value")) for each in _list(part, "weaknesses") for said in _list(each, "description")]
    return sorted({int(found[1]) for value in values if (found := _CWE.fullmatch(value))})
