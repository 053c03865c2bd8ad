"""Refuses bodies that are too large before they are read."""

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from purple.domain.imports import MAX_IMPORT

MAX_BODY = 1024 * 1024
"""Bytes."""
LARGER = {"/api/v1/imports": MAX_IMPORT}
"""Bytes, where a body is streamed to a file and never held."""


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        most = LARGER.get(scope["path"], MAX_BODY)
        if not length.isdigit() or int(length) > most:
            await self._refuse(scope, receive, send, most)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:  # a chunked body names no length: its rest is not read
                return {"type": "http.disconnect"}
            return message

        await self._app(scope, counted, send)

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send, most: int) -> None:
        body = {
            "type": "urn:purple:error:too-large",
            "title": "Request too large",
            "status": HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value,
            "detail": f"a request body holds at most {most} bytes",
            "code": "too-large",
            "remedy": "send less",
        }
        await problem(body)(scope, receive, send)
