"""Server-sent events for pages: that something changed, not what; the page asks for what it shows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.console.deps import COOKIE, viewer
from api.console.pages import HEADERS
from api.live import MAX_DIGITS, PING_S, happening
from purple.domain.errors import UnauthenticatedError, UnavailableError
from purple.domain.events import Event
from purple.domain.identity import Permission, Principal

router = APIRouter()
Reader = Annotated[Principal, Depends(viewer(Permission.READ_EVENTS))]
LastSeen = Annotated[str, Header(alias="Last-Event-ID")]
CHECK_S = 5.0
"""So often a quiet stream looks whether its session still holds."""


@router.get("/stream", response_class=EventSourceResponse)
async def stream(
    request: Request, caller: Reader, campaign: UUID | None = None, last: LastSeen = ""
) -> EventSourceResponse:
    """`change` for each event of the organisation or of one campaign, from `Last-Event-ID` or from now on.

    A page that has just connected is told once: something may have happened since it was rendered.
    """
    after = int(last) if last.isdecimal() and len(last) < MAX_DIGITS else None
    events = happening(request.app.state.container, caller.organisation_id, after, campaign)

    async def messages() -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent(event="change", data="connected")
        async for event in _while_signed_in(request, events):
            yield ServerSentEvent(event="change", data=event.type, id=str(event.position))

    headers = {name: HEADERS[name] for name in ("X-Content-Type-Options", "Referrer-Policy")}
    return EventSourceResponse(messages(), ping=PING_S, headers=headers)


async def _while_signed_in(request: Request, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """The events until the session was signed out or its time is over."""
    coming = asyncio.ensure_future(anext(events))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=CHECK_S)
            if not await _signed_in(request):
                return
            if done:
                yield coming.result()
                coming = asyncio.ensure_future(anext(events))
    finally:
        coming.cancel()


async def _signed_in(request: Request) -> bool:
    try:
        await request.app.state.container.sessions.authenticate(request.cookies.get(COOKIE, ""))
    except UnauthenticatedError:
        return False
    except UnavailableError:  # the database is away for a moment
        return True
    return True
