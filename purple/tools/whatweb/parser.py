"""WhatWeb's JSON log. Source: `whatweb/logging/json.rb` of WhatWeb 0.5.5."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, Service, clip
from purple.domain.weaknesses import flaw
from purple.toolkit.parts import read_parts

LIMIT = 32 * 1024**2
"""Bytes; one page is about 1 KB."""
_VERSIONED = re.compile(r"\d+\.\d+")
_DISCLOSING = ("HTTPServer", "X-Powered-By")
_NO_TECHNOLOGY = {"Country", "IP", "HTTPServer", "Title", "Cookies", "HttpOnly", "UncommonHeaders", "RedirectLocation"}
_SHOWN = 40


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """The service of each page that answered with what it is made of, and what that says it should not.

    Raises:
        ParseError: no log of WhatWeb, one that breaks off, or one without an answer; what came before has been
            yielded.
    """
    answered = broken = 0
    for _, _, page in read_parts(stream, ["*"], LIMIT):
        try:
            yield from _page(page["target"], page["plugins"])
            answered += 1
        except (KeyError, TypeError, AttributeError, ValueError):
            broken += 1
    if broken:
        raise ParseError(f"{broken} entries are not as WhatWeb writes them", offset=broken, unit="entries")
    if not answered:
        raise ParseError("the server did not answer WhatWeb", offset=0)


def _page(target: str, plugins: dict[str, Any]) -> Iterator[Observation]:
    parts = urlsplit(target)
    place = Location(
        host=clip(parts.hostname or "", 300),
        port=parts.port or (443 if parts.scheme == "https" else 80),
        transport="tcp",
        url=clip(target, 2048),
    )
    made_of = {
        clip(name, 100): _texts(found, "version") for name, found in plugins.items() if name not in _NO_TECHNOLOGY
    }
    shown = [f"{name} {versions[0]}".strip() if versions else name for name, versions in sorted(made_of.items())]
    server = next(iter(_texts(plugins.get("HTTPServer"), "string")), "")
    product, _, version = server.partition(" ")[0].partition("/")
    yield Observation(
        kind=ObservationKind.SERVICE,
        rule="whatweb:technologies",
        title=f"{'https' if parts.scheme == 'https' else 'http'} on {place.port}/tcp",
        location=place,
        service=Service(name="http", product=product, version=version, tls=parts.scheme == "https", banner=server),
        evidence=clip(", ".join(shown[:_SHOWN])),
        attributes={"title": title} if (title := next(iter(_texts(plugins.get("Title"), "string")), "")) else {},
    )
    told = [f"{name}: {text}" for name in _DISCLOSING for text in _texts(plugins.get(name), "string")]
    if told := [each for each in told if _VERSIONED.search(each)]:
        yield _flaw("version-disclosed", place, ", ".join(told))
    if "Index-Of" in plugins:
        yield _flaw("directory-listing", place, "the page is an index that the server made")
    if open_to_scripts := sorted(
        {*_texts(plugins.get("Cookies"), "string")} - {*_texts(plugins.get("HttpOnly"), "string")}
    ):
        yield _flaw("cookie-without-httponly", place, "cookies: " + ", ".join(open_to_scripts[:_SHOWN]))


def _texts(found: dict[str, Any] | None, field: str) -> list[str]:
    return [clip(str(each), 500) for each in (found or {}).get(field) or ()]


def _flaw(key: str, place: Location, evidence: str) -> Observation:
    kind = FlawClass.ENDPOINT if key == "directory-listing" else FlawClass.CONFIGURATION
    return flaw("whatweb", key, place, evidence, kind)
