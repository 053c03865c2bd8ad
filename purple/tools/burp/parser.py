"""The issues that Burp Suite exports as XML, also with base64 bodies.

Sources: the DTD inside each export, and for the types https://portswigger.net/kb/issues . Severities are
High, Medium, Low and Information; Burp has none above high. An issue that a person marked as a false positive is none.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import urlsplit

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.elements import Element, read_elements
from purple.toolkit.texts import cves, cwes, links, plain

LIMIT = 2 * 1024**3
MAX_BODY = 2_000
"""Characters of a request or response that are kept as evidence."""
_SEVERITIES = {
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "information": Severity.INFO,
}
_FALSE_POSITIVE = "false positive"
_EXTENSION = "134217728"
_CONFIDENCES = {"certain": 1.0, "firm": 0.8, "tentative": 0.5}
_WEAKNESSES = {
    "OS command injection": "command-execution",
    "SQL injection": "sql-injection",
    "File path traversal": "path-traversal",
    "Cross-site scripting (": "cross-site-scripting",
    "Open redirection (": "open-redirect",
    "Directory listing": "directory-listing",
    "Cookie without HttpOnly flag set": "cookie-without-httponly",
    "TLS cookie without secure flag set": "cookie-without-secure",
    "SSL cookie without secure flag set": "cookie-without-secure",
    "Frameable response": "header-missing-frame-options",
    "Strict transport security not enforced": "header-missing-hsts",
    "Unencrypted communications": "plaintext-http",
}
"""By how Burp's own issues are called; extensions choose names of their own."""
_PARAMETER = re.compile(
    r"\[(.{1,300}?)\s+(?:\w+ ){0,3}(?:parameter|cookie|header|attribute|JSON|body)[^\]]{0,80}\]\s*$"
)
_PORTS = {"http": 80, "https": 443}


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """One flaw an issue.

    Raises:
        ParseError: no export of Burp, one that breaks off, or issues that are not as Burp writes them; what could be
            read has been yielded.
    """
    odd = 0
    for issue in read_elements(stream, "issues", ["issue"], LIMIT):
        try:
            seen = _flaw(issue)
        except (KeyError, ValueError):
            odd += 1
            continue
        odd += issue.cut
        if seen is not None:
            yield seen
    if odd:
        raise ParseError(f"{odd} issues are cut or not as Burp writes them", offset=odd, unit="issues")


def _flaw(issue: Element) -> Observation | None:
    severity = issue.get("severity").lower()
    if severity == _FALSE_POSITIVE:
        return None
    kind, name = issue.get("type"), plain(issue.get("name"))
    detail = plain(issue.get("issueDetail"))
    classes = issue.get("vulnerabilityClassifications")
    description = "\n\n".join(filter(None, (detail, plain(issue.get("issueBackground")))))
    fix = filter(None, (plain(issue.get("remediationDetail")), plain(issue.get("remediationBackground"))))
    # extensions share one type, so that only the name tells their issues apart
    rule = f"burp:{kind}:{name}" if kind == _EXTENSION else f"burp:{kind}"
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(rule, 300),
        title=clip(name, 200),
        location=_place(issue),
        severity=_SEVERITIES[severity],
        flaw_class=FlawClass.ENDPOINT,
        weakness="" if kind == _EXTENSION else _weakness(name),
        cve=cves((name, detail)),
        cwe=cwes((classes,)),
        description=clip(description),
        evidence=_evidence(issue),
        remediation=clip("\n\n".join(fix)),
        references=links(issue.get("references"), classes),
        confidence=_CONFIDENCES.get(issue.get("confidence").lower(), 0.7),
    )


def _weakness(name: str) -> str:
    return next((key for begin, key in _WEAKNESSES.items() if name.startswith(begin)), "")


def _place(issue: Element) -> Location:
    origin, path = issue.get("host"), issue.get("path")
    url = f"{origin.rstrip('/')}{path if path.startswith('/') else '/' + path}"
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("no host")
    parameter = _PARAMETER.search(issue.get("location"))
    method = next((each.attributes.get("method", "") for each in issue.all("requestresponse", "request")), "")
    return Location(
        clip(parts.hostname, 300),
        parts.port or _PORTS.get(parts.scheme, 0),
        "tcp",
        url=clip(url, 2048),
        method=clip(method, 20),
        parameter=clip(parameter[1], 300) if parameter else "",
    )


def _evidence(issue: Element) -> str:
    """The beginnings of the first request and response."""
    pair = next(iter(issue.all("requestresponse")), None)
    told = [_body(each) for each in (pair.children if pair else ()) if each.name in {"request", "response"}]
    return clip("\n\n".join(filter(None, told)))


def _body(element: Element) -> str:
    text = element.text
    if element.attributes.get("base64") == "true":
        head = "".join(text[: 2 * MAX_BODY].split())
        try:
            text = base64.b64decode(head[: len(head) // 4 * 4], validate=False).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return ""
    return clip(text, MAX_BODY)
