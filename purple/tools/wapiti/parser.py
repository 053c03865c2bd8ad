"""Wapiti's JSON report. Source: `wapitiCore.report.jsonreportgenerator` of Wapiti 3.2."""

from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.readers import read_json

LIMIT = 64 * 1024**2
"""Bytes; a finding is about 2 KB."""
_LEVELS = dict(enumerate((Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)))
_WEAKNESSES = {
    "SQL Injection": "sql-injection",
    "Blind SQL Injection": "sql-injection",
    "Reflected Cross Site Scripting": "cross-site-scripting",
    "Stored Cross Site Scripting": "cross-site-scripting",
    "Path Traversal": "path-traversal",
    "Command execution": "command-execution",
    "Open Redirect": "open-redirect",
    "Server Side Request Forgery": "server-side-request-forgery",
    "Backup file": "file-exposed",
    "Potentially dangerous file": "file-exposed",
    "Content Security Policy Configuration": "header-missing-csp",
    "Clickjacking Protection": "header-missing-frame-options",
    "HTTP Strict Transport Security (HSTS)": "header-missing-hsts",
    "MIME Type Confusion": "header-missing-content-type-options",
    "HttpOnly Flag cookie": "cookie-without-httponly",
    "Secure Flag cookie": "cookie-without-secure",
    "Unencrypted Channels": "plaintext-http",
    "Internal Server Error": "error-unhandled",
}
_OF_THE_SITE = {"csp", "http_headers", "cookieflags", "methods"}
"""Modules that speak of a whole site, whichever page they looked at."""


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Vulnerabilities; anomalies and additional information as such.

    Raises:
        ParseError: no report of Wapiti, or an entry that is not as Wapiti writes it; the others have been yielded.
    """
    report = read_json(stream, LIMIT)
    if not isinstance(report, dict) or not isinstance(report.get("infos"), dict):
        raise ParseError("this is not a report of Wapiti", offset=0)
    classes = report.get("classifications")
    classifications = classes if isinstance(classes, dict) else {}
    base = str(report["infos"].get("target", ""))
    broken = 0
    for section in ("vulnerabilities", "anomalies", "additionals"):
        categories = report.get(section)
        for category, entries in (categories if isinstance(categories, dict) else {}).items():
            for entry in entries if isinstance(entries, list) else ():
                try:
                    yield _flaw(section, category, entry, classifications.get(category) or {}, base)
                except (KeyError, TypeError, ValueError, AttributeError):
                    broken += 1
    if broken:
        raise ParseError(f"{broken} entries are not as Wapiti writes them", offset=broken, unit="entries")


def _flaw(section: str, category: str, entry: dict[str, Any], about: dict[str, Any], base: str) -> Observation:
    module = str(entry["module"])
    parts = urlsplit(base)
    url = f"{parts.scheme}://{parts.netloc}{entry['path']}"
    key = _WEAKNESSES.get(category, "")
    weakness = CATALOGUE[key] if key else None
    site = module in _OF_THE_SITE
    # an error page or a list of methods is a hint, whatever level the tool gives it
    severity = _LEVELS.get(int(entry["level"]), Severity.INFO) if section == "vulnerabilities" else Severity.INFO
    references = about.get("ref")
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"wapiti:{category}", 200),
        title=weakness.title if weakness else clip(category, 200),
        severity=severity,
        flaw_class=FlawClass.CONFIGURATION if site else FlawClass.ENDPOINT,
        weakness=key,
        cwe=(weakness.cwe,) if weakness else (),
        location=Location(
            host=parts.hostname or "",
            port=parts.port or (443 if parts.scheme == "https" else 80),
            transport="tcp",
            url=clip(f"{parts.scheme}://{parts.netloc}/" if site else url, 2048),
            method=clip(str(entry["method"]), 16),
            parameter="" if site else clip(str(entry["parameter"] or ""), 200),
        ),
        description=clip(str(about.get("desc", ""))),
        evidence=clip(f"{entry['info']}\n\n{entry['http_request']}"),
        remediation=weakness.remediation if weakness else clip(str(about.get("sol", ""))),
        references=tuple(clip(str(each), 500) for each in references.values()) if isinstance(references, dict) else (),
        # it asks for names and looks at the status of the answer alone
        confidence=0.6 if key == "file-exposed" else 1.0,
    )
