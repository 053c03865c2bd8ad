"""Notices by mail and chat: a real SMTP server and a real receiver, each told once whatever becomes of the other."""

import json
import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from purple.contracts.campaigns import CampaignRef
from purple.domain.campaigns import Campaign
from purple.domain.errors import UnavailableError
from purple.integrations.apprise import apprise_notifiers
from purple.services.notifying import Notifying
from purple.settings.app import NotifySettings
from purple.toolkit.world import SystemResolver
from tests.support.running import free_port

LOOPBACK = ("127.0.0.1/32",)


class Mailbox:
    """What a mail server does with a message: it keeps it, or is away."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.away = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - its name in aiosmtpd
        if self.away:
            return "451 try again later"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 kept"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"mailto://127.0.0.1:{port}?from=purple@example.org&to=team@example.org"
    controller.stop()


@pytest.fixture
def chat() -> Iterator[tuple[list[dict[str, Any]], str]]:
    told: list[dict[str, Any]] = []

    class Room(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Room)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield told, f"json://127.0.0.1:{server.server_address[1]}/secret-room"
    server.shutdown()
    thread.join()
    server.server_close()


def notifying(purple, *urls: str, allowed: tuple[str, ...] = LOOPBACK) -> Notifying:
    settings = NotifySettings(apprise_urls=urls, allow_networks=allowed)
    container = purple.container
    return Notifying(
        container.work, apprise_notifiers(settings, SystemResolver()), container.clock, "http://api.example"
    )


@pytest.fixture
async def campaign(purple) -> Campaign:
    return await purple.run("127.12.0.1", made={"flaws": [1]})


def ref_of(campaign: Campaign) -> CampaignRef:
    return CampaignRef(organisation_id=campaign.organisation_id, campaign_id=campaign.id)


async def test_mail_and_chat_tell_how_it_went_as_plain_text(purple, campaign, mailbox, chat) -> None:
    (box, mail_url), (told, chat_url) = mailbox, chat
    notified = await notifying(purple, mail_url, chat_url).notify(ref_of(campaign))
    assert notified.state == "delivered"
    (mail,) = box.mails
    assert mail.get_content_type() == "text/plain"
    assert mail["To"] == "team@example.org"
    assert mail["Subject"] == "Purple: test 127.12.0.1 completed"
    assert "Found: 1 high" in mail.get_content()
    assert f"http://api.example/api/v1/campaigns/{campaign.id}" in mail.get_content()
    assert [each["title"] for each in told] == ["Purple: test 127.12.0.1 completed"]


async def test_who_was_served_is_not_served_again_when_another_was_away(purple, campaign, mailbox, chat) -> None:
    (box, mail_url), (told, chat_url) = mailbox, chat
    box.away = True
    with pytest.raises(UnavailableError, match=r"mailto-[0-9a-f]{8} did not take the notice"):
        await notifying(purple, mail_url, chat_url).notify(ref_of(campaign))
    assert (len(told), box.mails) == (1, [])
    box.away = False
    # a later attempt may run in another process, with the URLs in another order
    assert (await notifying(purple, chat_url, mail_url).notify(ref_of(campaign))).state == "delivered"
    assert (await notifying(purple, mail_url, chat_url).notify(ref_of(campaign))).state == "delivered"
    assert (len(told), len(box.mails)) == (1, 1)


async def test_loopback_is_refused_unless_it_is_allowed(purple, campaign, mailbox, chat) -> None:
    (box, mail_url), (told, chat_url) = mailbox, chat
    notified = await notifying(purple, mail_url, chat_url, allowed=()).notify(ref_of(campaign))
    assert notified.state == "failed"
    assert notified.reason.count("loopback, private or reserved address") == 2
    assert (told, box.mails) == ([], [])


async def test_no_secret_of_a_url_is_told_or_logged(purple, campaign, caplog) -> None:
    bad = [
        "mailto://user:tr0ub4dor@127.0.0.1:9?from=a@example.org&to=a@example.org",
        "nonsense://tr0ub4dor",
        "tr0ub4dor",
    ]
    settings = NotifySettings(apprise_urls=tuple(bad), allow_networks=LOOPBACK)
    with caplog.at_level(0):
        try:
            said = (await notifying(purple, *bad).notify(ref_of(campaign))).reason
        except UnavailableError as error:
            said = error.line()
    await purple.told()
    async with purple.container.work(purple.organisation) as uow:
        events = await uow.events.of_campaign(campaign.id, 0)
    assert events
    for text in (said, caplog.text, repr(settings), repr(events)):
        assert "tr0ub4dor" not in text
    assert "mailto-" in said


async def test_receivers_are_told_at_the_same_time(purple, campaign, chat) -> None:
    told, chat_url = chat
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections wait there, and nobody answers
        port = silent.getsockname()[1]
        urls = (f"json://127.0.0.1:{port}/?rto=1&cto=1", chat_url)
        with pytest.raises(UnavailableError, match="json-"):
            await notifying(purple, *urls).notify(ref_of(campaign))
    assert len(told) == 1
