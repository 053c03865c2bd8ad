"""Refuses bodies that are too large before they are read."""

import re
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from purple.domain.imports import MAX_IMPORT
from purple.domain.target_files import MAX_BYTES

MAX_BODY = 1024 * 1024
"""Bytes."""
LARGER = (
    (re.compile(r"/api/v1/imports\Z"), MAX_IMPORT),
    (re.compile(r"/api/v1/targets/import\Z"), MAX_BYTES),
    (re.compile(r"/console/targets/import\Z"), MAX_BYTES + MAX_BODY),
    (re.compile(r"/console/campaigns/import\Z"), MAX_IMPORT + MAX_BODY),  # the fields stand beside the file
    (re.compile(r"/api/v1/authorisations/[^/]+/document\Z"), 16 * 1024 * 1024),
)
"""Paths that take more, in bytes; their bodies are streamed or small enough to be held."""


def limit_of(path: str) -> int:
    """How many bytes a request to a path may send."""
    return next((limit for pattern, limit in LARGER if pattern.match(path)), MAX_BODY)


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = limit_of(scope["path"])
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > limit:
            await self._refuse(limit, scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:  # a chunked body names no length: its rest is not read
                return {"type": "http.disconnect"}
            return message

        await self._app(scope, counted, send)

    @staticmethod
    async def _refuse(limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        body = {
            "type": "urn:purple:error:too-large",
            "title": "Request too large",
            "status": HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value,
            "detail": f"a request body holds at most {limit} bytes",
            "code": "too-large",
            "remedy": "send less",
        }
        await problem(body)(scope, receive, send)
