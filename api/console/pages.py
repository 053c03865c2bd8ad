"""Renders pages. Everything is escaped; nothing in a page runs but our own files."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette import status as codes

from purple.domain.false_positives import Reason
from purple.domain.identity import Permission
from purple.domain.targets import endpoint_of

HOME = "/console"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Cookie, HX-Request",
}
_ASSETS = Path(__file__).parent / "assets"
_BEFORE, _LINE = 60, 200
_STEPS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def words(value: object) -> str:
    """A member of an enumeration as people write it."""
    return str(value).replace("_", " ")


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def moment(at: datetime | None) -> str:
    """A time in UTC, to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else "—"


def told(value: object, field: str) -> str:
    """A value of a history."""
    text = words(value or "none")
    return moment(datetime.fromisoformat(text)) if value and field in {"accepted_until", "due_at"} else text


def day(at: datetime | None) -> str:
    """A date in UTC, as a date field takes it."""
    return f"{at.astimezone(UTC):%Y-%m-%d}" if at else ""


def span(length: timedelta | None) -> str:
    """A length of time in its two largest units."""
    if length is None:
        return "—"
    left = max(0, int(length.total_seconds()))
    parts = []
    for size, unit in _STEPS:
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2]) or "0 s"


def ago(at: datetime | None) -> str:
    """How long ago, or how far ahead."""
    if at is None:
        return "never"
    age = datetime.now(UTC) - at
    if age < timedelta():
        return f"in {span(-age).split(' ', 2)[0]} {span(-age).split(' ')[1]}"
    return "just now" if age < timedelta(seconds=2) else f"{' '.join(span(age).split(' ')[:2])} ago"


def took(start: datetime | None, end: datetime | None) -> str:
    """From start to end, or until now."""
    return span((end or datetime.now(UTC)) - start) if start else "—"


def web_link(text: str) -> str:
    """The text where it is an http or https URL, else nothing: a tool may print `javascript:` too."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return ""
    return text.strip() if parts.scheme in {"http", "https"} and parts.netloc else ""


def place(thing: Any) -> str:
    """Where a vulnerability or a sighting is."""
    return endpoint_of(thing.host, thing.port, thing.url)


Piece = tuple[str, bool]
"""Of a text, and whether it is to be marked."""


def pieces(text: str, spans: Sequence[tuple[int, int]]) -> list[Piece]:
    """A text in pieces, those between start and end of each span marked."""
    made, at = [], 0
    for start, end in spans:
        made += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [each for each in (*made, (text[at:], False)) if each[0]]


def excerpt(text: str, spans: Sequence[tuple[int, int]]) -> list[Piece]:
    """A line of it around the first span."""
    first = max(0, spans[0][0] - _BEFORE)
    shown = text[first : first + _LINE]
    inside = [(start - first, min(end - first, len(shown))) for start, end in spans if start - first < len(shown)]
    cut = [("… ", False)] if first else []
    return [*cut, *pieces(shown, inside), *([(" …", False)] if first + _LINE < len(text) else [])]


def size(count: int) -> str:
    """Bytes, for people."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:  # noqa: PLR2004 - what a KiB is
            return f"{count:.0f} {unit}"
        count = count // 1024
    return f"{count} GiB"


def percent(share: float | None) -> str:
    """A probability."""
    return "—" if share is None else f"{share:.0%}"


def capital(text: str) -> str:
    """With a capital; the rest as it is, for names of products keep theirs."""
    return text[:1].upper() + text[1:]


def because(reasons: Sequence[Reason]) -> str:
    """What speaks most for a false positive, as a why to begin with."""
    return "; ".join(each.detail for each in sorted(reasons, key=lambda each: -each.weight)[:2] if each.weight > 0)


@cache
def asset(name: str) -> str:
    """The address of an asset; it changes with the content, so that browsers may keep it."""
    digest = hashlib.sha256((_ASSETS / name).read_bytes()).hexdigest()[:12]
    return f"{HOME}/assets/{name}?v={digest}"


def address(path: str, **parameters: object) -> str:
    """A page of the console with the parameters that are set."""
    chosen = {name: str(value) for name, value in parameters.items() if value not in {None, ""}}
    return f"{HOME}{path}" + (f"?{urlencode(chosen)}" if chosen else "")


_templates = Environment(
    loader=PackageLoader("api.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {
    each.__name__: each
    for each in (words, sentence, moment, told, day, span, ago, web_link, place, size, percent, capital, because)
}
_templates.globals |= {"asset": asset, "address": address, "took": took, "version": version("purple")}


def render(
    request: Request,
    template: str,
    *,
    status: int = codes.HTTP_200_OK,
    problem: Mapping[str, Any] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A page, or the part of a page that a template is; `problem` is what went wrong, as problem details."""
    caller = getattr(request.state, "caller", None)

    def can(permission: str) -> bool:
        return caller is not None and Permission(permission) in caller.permissions

    shown = {"viewer": caller, "can": can, "path": request.url.path}
    shown["problem"] = {"field": "", "remedy": "", **problem} if problem else None
    body = _templates.get_template(template).render(shown | context)
    return HTMLResponse(body, status_code=status, headers=HEADERS)


def go(path: str, headers: Mapping[str, str] | None = None) -> RedirectResponse:
    """Answer a form: look there now."""
    return RedirectResponse(f"{HOME}{path}", codes.HTTP_303_SEE_OTHER, headers=headers)
