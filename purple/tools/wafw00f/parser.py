"""wafw00f's JSON. Source: `buildResultRecord` in `wafw00f/main.py` of wafw00f 2.4."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import Observation, ObservationKind, Service, clip
from purple.toolkit.parts import read_parts
from purple.toolkit.web import place_of

LIMIT = 4 * 1024**2
"""Bytes; a record is about 200."""
_BY_BEHAVIOUR = 0.5
"""Confidence where nothing but a different answer to an attack gives a firewall away."""


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """The service, once for each firewall that stands before it; once, with `none`, where none was seen.

    Raises:
        ParseError: no result of wafw00f, one that breaks off, or one without an answer; what came before has been
            yielded.
    """
    answered = broken = 0
    for _, _, record in read_parts(stream, ["*"], LIMIT):
        try:
            yield _service(record)
            answered += 1
        except (KeyError, TypeError, ValueError, AttributeError):
            broken += 1
    if broken:
        raise ParseError(f"{broken} records are not as wafw00f writes them", offset=broken, unit="records")
    if not answered:
        raise ParseError("the server did not answer wafw00f", offset=0)


def _service(record: dict[str, Any]) -> Observation:
    found = bool(record["detected"])
    name, maker = clip(str(record["firewall"]), 200), clip(str(record["manufacturer"]), 200)
    generic = found and name == "Generic"
    place = place_of(str(record["url"]))
    shown = f"{name} ({maker})" if found and not generic else name
    return Observation(
        kind=ObservationKind.SERVICE,
        rule="wafw00f:firewall",
        title=f"a web application firewall on {place.port}/tcp" if found else f"http on {place.port}/tcp",
        location=place,
        service=Service(name="http", tls=place.url.startswith("https:")),
        evidence=clip(f"firewall: {shown}\ntriggered by: {record.get('trigger_url') or 'nothing'}"),
        attributes={"firewall": name.lower() if generic or not found else shown},
        confidence=_BY_BEHAVIOUR if generic else 1.0,
    )
