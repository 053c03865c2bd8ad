"""Standard Webhooks, signed. Source: the specification 1.0.0 of standardwebhooks.com."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from purple.domain.clock import Resolver
from purple.domain.errors import PurpleError, ReceiverAwayError
from purple.domain.reports import Delivery, Notice
from purple.domain.targets import authority
from purple.settings.app import NotifySettings
from purple.toolkit.outbound import checked_address

TIMEOUT_S = 15.0


class WebhookNotifier:
    """See `domain.ports.Notifier`. Follows no redirect, and connects to the address that was checked."""

    receiver = "webhook"

    def __init__(self, settings: NotifySettings, resolver: Resolver) -> None:
        self._settings = settings
        self._resolver = resolver
        secret = settings.webhook_secret
        self._webhook = Webhook(secret.get_secret_value()) if secret else None

    async def send(self, notice: Notice) -> Delivery:
        """Deliver once; a receiver that refuses is not asked again, one that is away is."""
        if self._webhook is None:
            return Delivery("failed", "PURPLE_NOTIFY__WEBHOOK_SECRET is not set, and nothing goes out unsigned")
        url = self._settings.webhook_url
        try:
            host, address = await checked_address(
                url, self._resolver, self._settings.allow_networks, "notify.webhook_url"
            )
        except PurpleError as error:
            return Delivery("failed", error.line())
        body = json.dumps({"type": notice.type, "timestamp": notice.at.isoformat(), "data": notice.data})
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "host": authority(host, urlsplit(url).port, urlsplit(url).scheme),
            "webhook-id": notice.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(notice.id, now, body),
        }
        pinned = httpx.URL(url).copy_with(host=address)
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
                answer = await client.post(pinned, content=body, headers=headers, extensions={"sni_hostname": host})
        except httpx.HTTPError as error:
            raise ReceiverAwayError(f"the webhook's receiver is away: {type(error).__name__}") from error
        if answer.is_success:
            return Delivery("delivered")
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.is_server_error:
            raise ReceiverAwayError(f"the webhook's receiver answered {answer.status_code}")
        return Delivery("failed", f"the receiver answered {answer.status_code}")
