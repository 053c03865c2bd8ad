"""Mail, chat and push through Apprise: one receiver for each URL. Source: the Apprise wiki, and its code of 2.3.

Apprise connects by itself, so a name is resolved once for the check and once more by it; redirects are not followed.
Where a URL names no host, such as those of hosted chats, Apprise goes to the public address that it knows.
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterable

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, NotifyType

from purple.domain.clock import Resolver
from purple.domain.errors import PurpleError, UnavailableError
from purple.domain.reports import Delivery, Notice
from purple.domain.targets import authority
from purple.settings.app import NotifySettings
from purple.toolkit.outbound import checked_address

TIMEOUT_S = 20.0
_FIELD = "notify.apprise_urls"
_BAD = frozenset({"failed", "cancelled", "not_allowed"})


def apprise_notifiers(settings: NotifySettings, resolver: Resolver) -> tuple["AppriseNotifier", ...]:
    """One for each URL of the settings; each has a name of its own that holds no secret."""
    logging.getLogger("apprise").disabled = True  # it would write URLs and addresses; what matters is in a Delivery
    asset = AppriseAsset(app_id="Purple", app_desc="Purple", app_url="", secure_logging=True)
    asset.http_redirects = False
    made = []
    for url in dict.fromkeys(each.get_secret_value() for each in settings.apprise_urls):
        service = Apprise.instantiate(url, asset=asset)
        # what Apprise does not know may hold a secret anywhere, also where a scheme is written
        schema = url.partition(":")[0] if service is not None else "apprise"
        made.append(AppriseNotifier(f"{schema}-{_digest(url)}", service, resolver, settings.allow_networks))
    return tuple(made)


def _digest(url: str) -> str:
    """Tells receivers apart whatever the order of the URLs is, since who was served is known by it.

    Four bytes of a slow hash, by which nobody finds the password in the URL.
    """
    return hashlib.scrypt(url.encode(), salt=b"purple receiver", n=2**14, r=8, p=1, dklen=4).hex()


class AppriseNotifier:
    """See `domain.ports.Notifier`."""

    def __init__(self, receiver: str, service: NotifyBase | None, resolver: Resolver, allowed: Iterable[str]) -> None:
        self.receiver = receiver
        self._service = service
        self._resolver = resolver
        self._allowed = tuple(allowed)
        if service is not None:
            service.notify_format = NotifyFormat.TEXT  # what tools and users wrote is never markup

    async def send(self, notice: Notice) -> Delivery:
        """Deliver once; Apprise does not tell a refusal from an absence, so both are tried again."""
        if self._service is None:
            return Delivery("failed", f"{self.receiver}: Apprise knows no such URL; see PURPLE_NOTIFY__APPRISE_URLS")
        try:
            await self._check(self._service)
        except UnavailableError:
            raise
        except PurpleError as error:
            return Delivery("failed", error.line())
        title, body = text_of(notice)
        kind = NotifyType.FAILURE if notice.data.get("state") in _BAD else NotifyType.INFO
        sender = Apprise()
        sender.add(self._service)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                sent = await sender.async_notify(
                    title=title, body=body, notify_type=kind, body_format=NotifyFormat.TEXT
                )
        except TimeoutError:
            sent = None
        if not sent:
            raise UnavailableError(f"{self.receiver} did not take the notice")
        return Delivery("delivered")

    async def _check(self, service: NotifyBase) -> None:
        """Where the URL names the server, it leads to no special address that is not allowed."""
        host = getattr(service, "smtp_host", "")
        templates: tuple[str, ...] = service.templates
        if not host and any("{host}" in each for each in templates):
            host = service.host
        if host:
            url = f"https://{authority(host.strip('[]'), None)}/"
            await checked_address(url, self._resolver, self._allowed, _FIELD)


def text_of(notice: Notice) -> tuple[str, str]:
    """Title and body as plain text of a few lines."""
    data = notice.data
    name = " ".join(str(data.get("name", "")).split())[:200]
    if notice.type == "undo.failed":
        told = {"Campaign": name, "What": data["title"], "Why it failed": data["reason"]}
        lines = [*(f"{label}: {value}" for label, value in told.items()), "Do this by hand:", str(data["instructions"])]
        return f"Purple: a change of {name} could not be undone", "\n".join([*lines, str(data.get("url", ""))])
    state = str(data.get("state", "")).replace("_", " ")
    if notice.type == "search.matched":
        lines = [f"Search: {name}", f"Query: {data.get('query', '')}", f"New matches: {data['count']}"]
        return f"Purple: {data['count']} new in {name}", "\n".join([*lines, *filter(None, [data.get("url")])])
    if notice.type.startswith("schedule."):
        lines = [f"Schedule: {name}", f"Owner: {data.get('owner', '')}", f"State: {state}", str(data.get("reason", ""))]
        return f"Purple: schedule {name} {state}", "\n".join([*lines, *filter(None, [data.get("url")])])
    counts = ", ".join(f"{number} {severity}" for severity, number in data.get("counts", {}).items() if number)
    coverage = ", ".join(f"{number} {each}" for each, number in data.get("coverage", {}).items())
    lines = [f"Campaign: {name}", f"Profile: {data.get('profile', '')}", f"State: {state}"]
    lines += [f"Found: {counts or 'nothing'}", f"Scans: {coverage or 'none'}"]
    lines += [str(data["url"])] if data.get("url") else []
    return f"Purple: {name} {state}", "\n".join(lines)
