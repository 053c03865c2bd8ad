"""/live: events as they happen, over a WebSocket or as server-sent events, resumable by position."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import (
    APIRouter,
    Depends,
    Header,
    Query,
    Request,
    WebSocket,
    WebSocketDisconnect,
    WebSocketException,
    status,
)
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.deps import allowed
from purple.domain.errors import PurpleError
from purple.domain.events import Event
from purple.domain.identity import Permission, Principal

router = APIRouter()
BATCH = 200
LOOK_S = 5.0
"""So often we look without being told: a signal may be lost, an event is not."""
HELLO_S = 10.0
PING_S = 15
"""Between two signs of life on a quiet stream."""
MAX_POSITION = 2**62
MAX_DIGITS = 19


async def _caller(socket: WebSocket) -> Principal:
    """By the Authorization header, or, from a browser, by a first message `{"token": …}`: a URL would be logged."""
    kind, _, token = socket.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        async with asyncio.timeout(HELLO_S):
            hello = await socket.receive_json()
        token = str(hello.get("token", "")) if isinstance(hello, dict) else ""
    caller: Principal = await socket.app.state.container.identity.authenticate(token)
    caller.require(Permission.READ_EVENTS)
    return caller


@router.websocket("/live")
async def live(socket: WebSocket, after: int | None = None, campaign_id: UUID | None = None) -> None:
    """Events after a position, by default from now on; each message is one event with its `position`."""
    await socket.accept()
    try:
        caller = await _caller(socket)
    except (PurpleError, TimeoutError, ValueError) as error:
        reason = error.line() if isinstance(error, PurpleError) else 'send {"token": …} first'
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION, reason[:120]) from error
    sending = asyncio.create_task(_send(socket, caller, after, campaign_id))
    gone = asyncio.create_task(_until_gone(socket))
    await asyncio.wait([sending, gone], return_when=asyncio.FIRST_COMPLETED)
    for task in (sending, gone):
        task.cancel()
    await asyncio.gather(sending, gone, return_exceptions=True)


async def _until_gone(socket: WebSocket) -> None:
    try:
        while True:
            await socket.receive_text()
    except (WebSocketDisconnect, KeyError):
        return


async def _send(socket: WebSocket, caller: Principal, after: int | None, campaign_id: UUID | None) -> None:
    async for event in happening(socket.app.state.container, caller.organisation_id, after, campaign_id):
        await socket.send_text(written(event))


@router.get("/live", tags=["live"], response_class=EventSourceResponse)
async def live_events(
    request: Request,
    caller: Annotated[Principal, Depends(allowed(Permission.READ_EVENTS))],
    after: Annotated[int | None, Query(ge=0, le=MAX_POSITION, description="By default from now on")] = None,
    campaign_id: UUID | None = None,
    last_event_id: Annotated[str, Header(description="What a browser sends when it connects again")] = "",
) -> EventSourceResponse:
    """The same events as server-sent events; the id of each is its position, on which a client resumes."""
    position = int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < MAX_DIGITS else after

    async def messages() -> AsyncIterator[ServerSentEvent]:
        events = happening(request.app.state.container, caller.organisation_id, position, campaign_id)
        async for event in events:
            yield ServerSentEvent(data=written(event), event=event.type, id=str(event.position))

    return EventSourceResponse(messages(), ping=PING_S, headers={"X-Content-Type-Options": "nosniff"})


async def happening(
    container: Any, organisation_id: UUID, after: int | None, campaign_id: UUID | None
) -> AsyncIterator[Event]:
    """An organisation's events behind a position, by default from now on; it never ends, and outlives the database."""
    position = after
    while True:
        try:
            async with container.work(organisation_id) as uow:
                if position is None:
                    position = await uow.events.last()
                events: tuple[Event, ...] = await uow.events.after(position, BATCH)
        except PurpleError:
            await asyncio.sleep(1)
            continue
        for event in events:
            position = event.position or position
            if campaign_id in {None, event.campaign_id}:
                yield event
        if not events:
            await container.placed.wait(LOOK_S)


def written(event: Event) -> str:
    """An event as JSON."""
    body = dataclasses.asdict(event)
    body.pop("organisation_id")
    return orjson.dumps(body).decode()
