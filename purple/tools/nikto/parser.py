"""Nikto's JSON. Source: `program/plugins/nikto_report_json.plugin` of Nikto 2.5; reports of 2.1.6 are one object."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.domain.targets import authority
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.parts import read_parts
from purple.toolkit.web import place_of
from purple.toolkit.words import meaning_of

LIMIT = 64 * 1024**2
"""Bytes; an item is about 300."""
_ITEMS = ("*.vulnerabilities.*", "vulnerabilities.*")
_ABOUT = ("*.host", "*.ip", "*.port", "host", "ip", "port")
_HEARD = ("*.vulnerabilities", "vulnerabilities")
_TLS_PORTS = {443, 8443}
_OWN_CHECKS = 999_000
"""Ids from here are remarks on headers and the like; those below come from Nikto's list of dangerous files."""
_MEANINGS = tuple(
    (re.compile(pattern, re.IGNORECASE), key)
    for pattern, key in (
        (r"Strict-Transport-Security\b.*\bnot (?:defined|set|present)", "header-missing-hsts"),
        (r"X-Content-Type-Options header is not (?:set|present)", "header-missing-content-type-options"),
        (r"X-Frame-Options header is not (?:set|present)", "header-missing-frame-options"),
        (r"Content-Security-Policy\b.*\b(?:missing|not (?:set|present|defined))", "header-missing-csp"),
        (r"created without the httponly flag", "cookie-without-httponly"),
        (r"created without the secure flag", "cookie-without-secure"),
        (r"Directory indexing found", "directory-listing"),
        (r"Default account found", "login-guessed"),
        (r"HTTP TRACE method is active", "http-method-dangerous"),
        (r"HTTP method (?:\('Allow' Header\): )?'(?:PUT|DELETE|TRACE)'", "http-method-dangerous"),
        (r"backup/cert file found", "file-exposed"),
    )
)  # fmt: skip
_WEAKNESSES = dict(enumerate(key for _, key in _MEANINGS))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """What Nikto reports.

    Raises:
        ParseError: no report of Nikto, one that breaks off, or one without a server; what came before has been
            yielded.
    """
    about: dict[str, str] = {}
    servers = broken = 0
    for path, _, value in read_parts(stream, [*_ITEMS, *_ABOUT], LIMIT, _HEARD):
        if path in _HEARD:
            servers += 1
        elif path in _ABOUT:
            about[path.removeprefix("*.")] = str(value)
        else:
            try:
                yield _flaw(about, value)
            except (KeyError, TypeError, ValueError, AttributeError):
                broken += 1
    if broken:
        raise ParseError(f"{broken} items are not as Nikto writes them", offset=broken, unit="items")
    if not servers:
        raise ParseError("no server answered Nikto", offset=0)


def _flaw(about: dict[str, str], item: dict[str, Any]) -> Observation:
    number, message = str(item["id"]), str(item["msg"]).strip()
    port = int(about["port"])
    site = f"{'https' if port in _TLS_PORTS else 'http'}://{authority(about['host'] or about['ip'], port)}"
    path = "/" + str(item.get("url") or "/").lstrip("/")
    key = next((key for pattern, key in _MEANINGS if pattern.search(message)), "")
    if not key and number.isdigit() and int(number) < _OWN_CHECKS:
        key, path = meaning_of(path)
    weakness = CATALOGUE[key] if key else None
    of_the_site = key.startswith(("header-", "cookie-", "http-method"))
    references = str(item.get("references") or "").split()
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"nikto:{number}", 200),
        title=weakness.title if weakness else clip(message, 200),
        severity=_severity(key, number),
        flaw_class=FlawClass.CONFIGURATION if of_the_site else FlawClass.ENDPOINT,
        weakness=key,
        cwe=(weakness.cwe,) if weakness else (),
        location=place_of(site + ("/" if of_the_site else path), method=str(item.get("method") or "")),
        description=clip(message),
        evidence=clip(f"{item.get('method') or 'GET'} {path}\n{message}"),
        remediation=weakness.remediation if weakness else "",
        references=tuple(clip(each, 500) for each in references[:20]),
        # it looks at codes and words of an answer, and guesses that a file is what its name says
        confidence=0.5 if key == "file-exposed" else 0.8,
    )


def _severity(key: str, number: str) -> Severity:
    if key == "file-exposed":
        return Severity.MEDIUM
    if key:
        return CATALOGUE[key].severity
    return Severity.LOW if number.isdigit() and int(number) < _OWN_CHECKS else Severity.INFO
