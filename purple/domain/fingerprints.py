"""Fingerprints: how sightings of one real flaw are recognised across tools and campaigns.

A fingerprint is made of what is wrong and where, never of how a tool words it. What "where" means depends on the
class of the flaw: a product's known vulnerability and a misconfiguration belong to a service, a weakness of an
application to a path and parameter, a weakness of code to a file and rule.
"""

import hashlib
import re
from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import UUID

from purple.domain.observations import FlawClass, Observation

_IDENTIFIER = re.compile(r"(?<=/)(?:\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?=/|\Z)", re.IGNORECASE)


def fingerprint(target_id: UUID, seen: Observation, fields: Iterable[str] = ()) -> str:
    """SHA-256 in hexadecimal over the parts that make a flaw that flaw.

    Args:
        target_id: the target it belongs to; one flaw of two assets is two.
        seen: the sighting, of kind FLAW.
        fields: names in `seen.attributes` by which its tool tells flaws of one rule at one place apart.
    """
    what = seen.cve[0].upper() if seen.cve else seen.weakness or seen.rule
    # a fact that is not told tells nothing apart: a tool without such fields may see the same flaw
    apart = [seen.attributes[name] for name in fields if seen.attributes.get(name)]
    parts = [str(target_id), what, *_where(seen), *apart]
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()


def _where(seen: Observation) -> tuple[str, ...]:
    place = seen.location
    match seen.flaw_class:
        case FlawClass.COMPONENT | FlawClass.CONFIGURATION | None:
            return (str(port_of(seen)),)
        case FlawClass.ENDPOINT:
            return (str(port_of(seen)), path_template(place.url), place.parameter)
        case FlawClass.CODE | FlawClass.SECRET:
            return (place.path, place.parameter)


def port_of(seen: Observation) -> int:
    """The port of a sighting, also where only its URL tells it; 0 where neither does."""
    if seen.location.port:
        return seen.location.port
    try:
        parts = urlsplit(seen.location.url)
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return 0


def path_template(url: str) -> str:
    """The path of a URL with numeric and UUID segments as `{id}`, so that `/user/1` and `/user/2` are one place."""
    try:
        path = urlsplit(url).path or "/"
    except ValueError:
        return url
    return _IDENTIFIER.sub("{id}", path)
