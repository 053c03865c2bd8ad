"""CISA's Known Exploited Vulnerabilities catalog, as JSON.

A fact: `name`, `added` and `due` (dates), `ransomware` (whether known to be used in ransomware campaigns).
Schema: https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities_schema.json.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from purple.domain.enrichment import About, Fact
from purple.domain.errors import ParseError
from purple.domain.observations import clip
from purple.enrichment.words import CVE, day
from purple.toolkit.parts import read_parts

_HEAD = ("catalogVersion", "dateReleased", "count")


def parse(stream: BinaryIO, limit: int) -> Iterator[tuple[str, Fact] | About]:
    """Every entry.

    Raises:
        ParseError: malformed, or an entry without a CVE.
    """
    head: dict[str, Any] = {}
    for path, item, part in read_parts(stream, ("vulnerabilities.*", *_HEAD), limit):
        if path in _HEAD:
            head[path] = part
            continue
        if not isinstance(part, dict) or not CVE.fullmatch(key := str(part.get("cveID"))):
            raise ParseError("an entry of the catalogue names no CVE", offset=item, unit="entries")
        yield (
            key,
            {
                "name": clip(str(part.get("vulnerabilityName") or ""), 200),
                "added": day(part.get("dateAdded")),
                "due": day(part.get("dueDate")),
                "ransomware": part.get("knownRansomwareCampaignUse") == "Known",
            },
        )
    count = head.get("count")
    yield About(
        clip(str(head.get("catalogVersion") or ""), 50),
        _moment(head.get("dateReleased")),
        count if isinstance(count, int) else None,
    )


def _moment(text: object) -> datetime | None:
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
