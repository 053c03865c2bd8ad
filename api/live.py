"""/live: events as they happen, over a WebSocket, resumable by position."""

import asyncio
import dataclasses
from uuid import UUID

import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect, WebSocketException, status

from purple.domain.errors import PurpleError
from purple.domain.events import Event
from purple.domain.identity import Permission, Principal

router = APIRouter()
BATCH = 200
LOOK_S = 5.0
"""So often we look without being told: a signal may be lost, an event is not."""
HELLO_S = 10.0


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
    container = socket.app.state.container
    position = after
    while True:
        try:
            async with container.work(caller.organisation_id) as uow:
                if position is None:
                    position = await uow.events.last()
                events: tuple[Event, ...] = await uow.events.after(position, BATCH)
        except PurpleError:
            await asyncio.sleep(1)
            continue
        for event in events:
            position = event.position or position
            if campaign_id in {None, event.campaign_id}:
                body = dataclasses.asdict(event)
                body.pop("organisation_id")
                await socket.send_text(orjson.dumps(body).decode())
        if not events:
            await container.placed.wait(LOOK_S)
