"""The owner of a schedule that paused itself hears of it: a real receiver, told once."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

from purple.domain.errors import UnavailableError
from purple.domain.schedules import Schedule, ScheduleState, Timing
from purple.integrations.apprise import apprise_notifiers
from purple.services.event_notices import PATIENCE, SCHEDULES, EventNotices
from purple.services.events import event
from purple.settings.app import NotifySettings
from purple.toolkit.world import SystemResolver


class Receiver:
    """Keeps what it is told, or is away."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.status = 204


@pytest.fixture
def receiver() -> Iterator[tuple[Receiver, str]]:
    room = Receiver()

    class Room(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if room.status == 204:
                room.told.append(body)
            self.send_response(room.status)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Room)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield room, f"json://127.0.0.1:{server.server_address[1]}/room"
    server.shutdown()
    thread.join()
    server.server_close()


class Later:
    """The container's clock, some time ahead."""

    def __init__(self, clock, ahead: timedelta) -> None:
        self._clock = clock
        self._ahead = ahead

    def now(self):
        return self._clock.now() + self._ahead


async def stopped(purple) -> Schedule:
    """A schedule of which an event says that it paused itself."""
    container, now = purple.container, purple.container.clock.now()
    made = Schedule(
        id=uuid4(),
        organisation_id=purple.organisation,
        name=f"stopped {uuid4()}",
        profile="made",
        target_ids=(),
        authorisation_id=await purple.authorisation("127.23.3.0/24"),
        options={},
        timing=Timing(cron=("@yearly",)),
        state=ScheduleState.PAUSED,
        owner="jo@example.org",
        created_at=now,
        settled_until=now,
        told_version=1,
        paused_at=now,
    )
    data = {"name": made.name, "owner": made.owner, "profile": "made", "reason": "its authorisation expired"}
    async with container.work(purple.organisation) as uow:
        await uow.schedules.add(made)
        await uow.events.add(event(purple.organisation, SCHEDULES.type, made.id, now, data=data))
    return made


async def tell(purple, url: str, feed: str, ahead: timedelta = timedelta()) -> None:
    """What the relay does, with a receiver."""
    container = purple.container
    settings = NotifySettings(apprise_urls=(url,), allow_networks=("127.0.0.1/32",))
    notifiers = apprise_notifiers(settings, SystemResolver())
    clock = Later(container.clock, ahead)
    worth = replace(SCHEDULES, feed=feed)
    await EventNotices(container.outbox, container.work, notifiers, clock, worth, "http://api.example").tell()


async def placed(purple, schedule: Schedule) -> None:
    """Wait until the relay has placed its event."""
    import asyncio

    async with asyncio.timeout(120):
        while True:
            async with purple.container.work(purple.organisation) as uow:
                last = await uow.events.last()
                if schedule.id in {each.subject_id for each in await uow.events.after(max(0, last - 1_000), 1_000)}:
                    return
            await asyncio.sleep(0.1)


async def test_the_owner_is_told_once_also_after_an_absence(purple, receiver) -> None:
    room, url = receiver
    schedule = await stopped(purple)
    await placed(purple, schedule)
    feed = f"notices/{uuid4()}"
    room.status = 503
    with pytest.raises(UnavailableError, match="did not take the notice"):
        await tell(purple, url, feed)
    room.status = 204
    for name in (feed, feed, f"{feed}/again"):  # a feed may be read again from its beginning
        await tell(purple, url, name)
    (mine,) = [each for each in room.told if schedule.name in each["title"]]
    assert mine["title"] == f"Purple: schedule {schedule.name} paused"
    assert "Owner: jo@example.org" in mine["message"]
    assert "its authorisation expired" in mine["message"]
    assert f"http://api.example/api/v1/schedules/{schedule.id}" in mine["message"]


async def test_a_receiver_that_stays_away_holds_nobody_up_for_ever(purple, receiver) -> None:
    room, url = receiver
    schedule = await stopped(purple)
    await placed(purple, schedule)
    room.status = 503
    await tell(purple, url, f"notices/{uuid4()}", 2 * PATIENCE)
    room.status = 204
    await tell(purple, url, f"notices/{uuid4()}")
    assert not [each for each in room.told if schedule.name in each["title"]]


async def test_what_receivers_are_not_told_of_is_passed_over_once(purple, receiver) -> None:
    """Where tens of thousands of events come at once, none of another type is read, and the next round begins after."""
    await purple.told()
    async with purple.container.work(purple.organisation) as uow:
        last = await uow.events.last()
    feed = f"notices/{uuid4()}"
    await tell(purple, receiver[1], feed)
    assert await purple.container.outbox.feed(feed) >= last
