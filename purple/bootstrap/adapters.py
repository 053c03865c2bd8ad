"""What a process reaches outside: servers, tools, files, the clock."""

import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from purple.db.engine import open_engine
from purple.db.outbox import PlacedSignal, SqlOutbox, libpq_url
from purple.db.repositories.searching import SOURCES
from purple.db.shelf import SqlShelf
from purple.db.unit_of_work import unit_of_work
from purple.domain.capacity import Capacity
from purple.domain.enrichment import Dataset, Publisher
from purple.domain.errors import PurpleError
from purple.domain.gates import GateRules
from purple.domain.ports import Notifier, Work
from purple.domain.search import Index
from purple.orchestrator.temporal import TemporalOrchestrator
from purple.search.fallback import FullText
from purple.security.actors import SignedActors
from purple.services.grouping import Grouping
from purple.services.workshop import Workshop
from purple.settings import Settings
from purple.settings.paths import CODE_ROOT, default_cache
from purple.toolkit.isolation import Isolations, View
from purple.toolkit.objects import Objects
from purple.toolkit.process import Guardians
from purple.toolkit.repositories import Repositories, Room
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs
from purple.toolkit.tools.runner import GuardedRunner
from purple.toolkit.world import SystemClock, SystemResolver, TimeOrderedIds

if TYPE_CHECKING:
    from purple.reports.renderer import Renderer
    from purple.search.elastic import Elastic


class Adapters:
    """Connections and adapters, made when they are first asked for; `close` lets them go."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.ids = TimeOrderedIds()
        self.resolver = SystemResolver()
        self._open = AsyncExitStack()

    async def close(self) -> None:
        """Close connections."""
        await self._open.aclose()

    def migrate(self) -> None:
        """Bring the database to the present schema, with the owner's role."""
        from purple.db.migrate import upgrade

        upgrade(self._url("owner_url"))

    def _url(self, name: str) -> str:
        url: str = getattr(self.settings.database, name)
        if not url:
            raise PurpleError(
                f"PURPLE_DATABASE__{name.upper()} is not set",
                field=f"database.{name}",
                remedy="start the local stack with `purple up`, or set the URL of your PostgreSQL",
            )
        return url

    @cached_property
    def work(self) -> Work:
        """Units of work with the application's role."""
        engine = open_engine(self._url("url"), pool_size=self.settings.database.pool_size, units=True)
        self._open.push_async_callback(engine.dispose)
        return unit_of_work(engine)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """The relay's side of the events."""
        url = self._url("relay_url")
        engine = open_engine(url, pool_size=4, asks=True)
        self._open.push_async_callback(engine.dispose)
        made = SqlOutbox(engine, url)
        self._open.push_async_callback(made.close)
        return made

    @cached_property
    def shelf(self) -> SqlShelf:
        """Where what others publish is put."""
        engine = open_engine(self._url("relay_url"), pool_size=2, asks=True)
        self._open.push_async_callback(engine.dispose)
        return SqlShelf(engine)

    @cached_property
    def publishers(self) -> dict[Dataset, Publisher]:
        """Where it comes from."""
        from purple.enrichment import PUBLISHED, Outlet

        told = self.settings.data
        outside = (self.resolver, self.clock, told.allow_networks, told.max_mb)
        return {name: Outlet(each, *outside, told.urls.get(name, "")) for name, each in PUBLISHED.items()}

    @cached_property
    def placed(self) -> PlacedSignal:
        """What wakes the live streams."""
        return PlacedSignal(libpq_url(self._url("url")))

    @cached_property
    def orchestrator(self) -> TemporalOrchestrator:
        """Temporal."""
        return TemporalOrchestrator(self.settings.temporal)

    @cached_property
    def tools(self) -> Catalogue:
        """The tool plugins."""
        return Catalogue(Programs(self._programs, self.settings.stack.cache), self.settings.tools.extra)

    @property
    def _programs(self) -> Path:
        return self.settings.tools.folder or self.settings.stack.cache / "tools"

    @cached_property
    def grouping(self) -> Grouping:
        """Targets as machines, kept up."""
        return Grouping(self.tools)

    @property
    def indices(self) -> dict[str, Index]:
        """What is searched, by name."""
        return {name: source.index for name, source in SOURCES.items()}

    @cached_property
    def searches(self) -> "Mapping[str, Elastic | FullText]":
        """Each index in Elasticsearch where there is one, else in PostgreSQL."""
        if not self.settings.search.url:
            return {name: FullText(self.work, name) for name in self.indices}
        from purple.search.elastic import connected, indices

        client = connected(self.settings.search)
        self._open.push_async_callback(client.close)
        return indices(client, self.indices.values(), self.clock)

    @cached_property
    def objects(self) -> Objects:
        """The object store."""
        return Objects(self.settings.objects.url or (self.data / "objects").as_uri())

    @property
    def data(self) -> Path:
        """The folder for what belongs to this deployment alone."""
        return self.settings.stack.home / "data"

    @cached_property
    def actors(self) -> SignedActors:
        """Who asks, as the workflows are told."""
        key = self.settings.identity.actor_key
        return SignedActors(key.get_secret_value() if key else "", self.clock)

    @cached_property
    def gate_rules(self) -> GateRules:
        """What a target bears."""
        return self.settings.gate.rules()

    @cached_property
    def guardians(self) -> Guardians:
        """What programs run under."""
        made = Guardians()
        self._open.push_async_callback(made.close)
        return made

    @cached_property
    def runner(self) -> GuardedRunner:
        """Tools as processes."""
        most = {"memory_mb": self.settings.tools.memory_mb, "output_mb": self.settings.tools.output_mb}
        return GuardedRunner(
            self.tools,
            self.clock,
            self.guardians,
            **most,
            repositories=self.repositories,
            isolation=self.isolations.now,
        )

    @cached_property
    def isolations(self) -> Isolations:
        """What stands between tools and this machine."""
        stack, tools = self.settings.stack, self.settings.tools
        objects = urlsplit(self.settings.objects.url)
        stored = (Path(objects.path),) if objects.scheme == "file" else ()
        view = View(
            hidden=(stack.home, Path(".env").absolute(), *stored, *tools.hide),
            shown=(stack.cache, default_cache(), self._programs, *tools.extra, CODE_ROOT, *_python()),
        )
        return Isolations(tools.isolation, self._programs, stack.cache, view)

    @cached_property
    def capacity(self) -> Capacity:
        """What the tools of this process may use at once."""
        return self.settings.worker.capacity()

    @cached_property
    def workshop(self) -> Workshop:
        """Where the tools of this process run."""
        return Workshop(self.data / "scratch", self.capacity)

    @cached_property
    def repositories(self) -> Repositories:
        """The code of targets."""
        settings = self.settings.tools
        return Repositories(
            self.settings.stack.cache,
            self.guardians,
            folders=settings.repositories,
            authorities=settings.repository_authorities,
            room=Room(settings.repository_mb, settings.repository_files),
            memory_mb=settings.memory_mb,
            isolation=self.isolations.now,
        )

    @cached_property
    def renderer(self) -> "Renderer":
        """Of reports."""
        from purple.reports.renderer import Renderer

        made = Renderer(self.settings.stack.cache)
        self._open.push_async_callback(made.pdf.close)
        return made

    @cached_property
    def notifiers(self) -> tuple[Notifier, ...]:
        """Who is told of what happened."""
        from purple.integrations.apprise import apprise_notifiers
        from purple.integrations.webhook import WebhookNotifier

        settings = self.settings.notify
        notifiers: list[Notifier] = [*apprise_notifiers(settings, self.resolver)]
        if settings.webhook_url:
            notifiers.append(WebhookNotifier(settings, self.resolver))
        return tuple(notifiers)


def _python() -> tuple[Path, ...]:
    """Where this interpreter is, for tools that are run by it."""
    return Path(sys.prefix), Path(sys.base_prefix)
