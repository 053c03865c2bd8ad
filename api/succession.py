"""Which routes of the first version have a successor, and what tells clients so."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from urllib.parse import quote

from fastapi import Request, Response

SINCE = datetime(2026, 11, 29, tzinfo=UTC)
"""When version 2 came."""
SUCCEEDED = frozenset({"list_vulnerabilities", "get_vulnerability", "list_targets", "get_target"})
"""Names of routes; the path of a successor is the same behind /api/v2."""


def succession(sunset: date | None) -> Callable[[Request, Response], Awaitable[None]]:
    """A dependency that sends `Deprecation` (RFC 9745), the successor's `Link`, and `Sunset` (RFC 8594).

    Args:
        sunset: until when the first version is promised; None where no end is planned.
    """
    told = {"Deprecation": f"@{int(SINCE.timestamp())}"}
    if sunset is not None:
        told["Sunset"] = format_datetime(datetime.combine(sunset, time(), UTC), usegmt=True)

    async def tell(request: Request, response: Response) -> None:
        if request.scope["route"].name in SUCCEEDED:
            successor = quote(request.url.path.replace("/api/v1/", "/api/v2/", 1))
            response.headers.update(told | {"Link": f'<{successor}>; rel="successor-version"'})

    return tell
