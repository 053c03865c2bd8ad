"""What MITRE's catalogues of weaknesses and of attack patterns share."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from purple.domain.enrichment import About
from purple.toolkit.elements import Element


def about(told: Mapping[str, str]) -> About:
    """From the attributes of a catalogue's root: `Version` and `Date`."""
    try:
        dated = datetime.fromisoformat(told.get("Date", "")).replace(tzinfo=UTC)
    except ValueError:
        dated = None
    return About(told.get("Version", "")[:50], dated)


def numbers(links: Iterable[Element], name: str) -> list[int]:
    """The numbers that links name, once each, in order."""
    return sorted({int(each.attributes[name]) for each in links if each.attributes.get(name, "").isdecimal()})
