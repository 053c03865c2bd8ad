"""Fingerprints: how sightings of one real flaw are recognised across tools and campaigns.

A fingerprint is made of what is wrong and where, never of how a tool words it. What "where" means depends on the
class of the flaw: a product's known vulnerability and a misconfiguration belong to a service, a weakness of an
application to a path and parameter, a weakness of code to a file and rule.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit
from uuid import UUID

from purple.domain.observations import FlawClass, Observation
from purple.domain.targets import TargetKind
from purple.domain.weaknesses import CATALOGUE

_OF_SERVICE = frozenset(key for key, weakness in CATALOGUE.items() if weakness.of_service)
_OF_PATH = frozenset({"error-unhandled"})
"""Of a page, whichever of its parameters makes it fail: some tools change all of them at once."""
_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;]*", re.IGNORECASE)
_ESCAPE = re.compile(r"%([0-9a-f]{2})", re.IGNORECASE)
_SLASHES = re.compile(r"/{2,}")
_IDENTIFIER = re.compile(r"(?<=/)(?:\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?=/|\Z)", re.IGNORECASE)


def fingerprint(
    target_id: UUID, seen: Observation, fields: Iterable[str] = (), kind: TargetKind = TargetKind.HOST
) -> str:
    """SHA-256 in hexadecimal over the parts that make a flaw that flaw.

    Args:
        target_id: the target it belongs to; one flaw of two assets is two.
        seen: the sighting, of kind FLAW.
        fields: names in `seen.attributes` by which its tool tells flaws of one rule at one place apart.
        kind: of the target; a flaw of two hosts of one network is two.
    """
    return _digest(_text(target_id), *(value for _, value in identity(seen, fields, kind)))


def identity(
    seen: Observation, fields: Iterable[str] = (), kind: TargetKind = TargetKind.HOST
) -> tuple[tuple[str, str], ...]:
    """The parts of a fingerprint with their names, but for the target: why two sightings are of one flaw."""
    host = (("host", seen.location.host),) if kind.is_many else ()
    what = ("cve", min(seen.cve).upper()) if seen.cve else ("weakness", seen.weakness or seen.rule)
    # a fact that is not told tells nothing apart: a tool without such fields may see the same flaw
    told = seen.attributes
    apart = [(name, told[name]) for name in fields if told.get(name)]
    return (what, *host, *_where(seen), *apart)


def twin(machine_id: UUID, seen: Observation, fields: Iterable[str] = ()) -> UUID:
    """What sightings of one flaw of a machine share, under whichever of its targets they were made."""
    digest = _digest(str(machine_id), *(value for _, value in identity(seen, fields)))
    return UUID(digest[:32], version=5)  # a name-based id with a hash that still holds


def split_off(known: str, tool: str, rule: str) -> str:
    """The fingerprint of what one rule of a tool saw, where a person says that it is another flaw."""
    return _digest("split", known, tool, rule)


@lru_cache(maxsize=256)
def _text(target_id: UUID) -> str:
    """As it is written; all that one scan saw is mostly of one target."""
    return str(target_id)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()


def _where(seen: Observation) -> tuple[tuple[str, str], ...]:
    place = seen.location
    if seen.weakness in _OF_SERVICE and not seen.cve:
        return (_port(seen),)
    if seen.weakness in _OF_PATH:
        return (_port(seen), ("path", path_template(place.url)))
    match seen.flaw_class:
        case FlawClass.CODE | FlawClass.SECRET:
            return (("file", place.path), ("parameter", place.parameter))
        case FlawClass.COMPONENT | FlawClass.CONFIGURATION | None:
            return (_port(seen),)
        case FlawClass.ENDPOINT:
            return (_port(seen), ("path", path_template(place.url)), ("parameter", place.parameter))


def _port(seen: Observation) -> tuple[str, str]:
    return ("port", str(port_of(seen)))


def port_of(seen: Observation) -> int:
    """The port of a sighting, also where only its URL tells it; 0 where neither does."""
    if seen.location.port or not seen.location.url:
        return seen.location.port
    try:
        parts = urlsplit(seen.location.url)
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return 0


def path_template(url: str) -> str:
    """The path of a URL as every tool would write it, with what only tells pages of one kind apart left out.

    Numeric and UUID segments become `{id}`, so that `/user/1` and `/user/2` are one place; session ids, doubled
    slashes and one at the end go; percent-encoding is normalised (RFC 3986, section 6.2.2).
    """
    try:
        path = urlsplit(url).path
    except ValueError:
        return url
    path = _SLASHES.sub("/", _SESSION.sub("", path))
    path = _ESCAPE.sub(_unescaped, path)
    return _IDENTIFIER.sub("{id}", path.rstrip("/") or "/")


def _unescaped(escape: re.Match[str]) -> str:
    letter = chr(int(escape[1], 16))
    return letter if letter.isascii() and (letter.isalnum() or letter in "-._~") else escape[0].upper()
