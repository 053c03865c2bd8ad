"""The only file that knows every adapter: settings become a container of services."""

from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from purple.db.engine import open_engine
from purple.db.outbox import PlacedSignal, SqlOutbox, libpq_url
from purple.db.unit_of_work import unit_of_work
from purple.domain.capacity import Capacity
from purple.domain.errors import PurpleError
from purple.domain.gates import GateRules
from purple.domain.ports import Notifier, Work
from purple.orchestrator.schedules import TemporalSchedules
from purple.orchestrator.temporal import TemporalOrchestrator
from purple.search.fallback import FullText
from purple.security.actors import SignedActors
from purple.services.analysis import Analysis
from purple.services.authorisations import Authorisations
from purple.services.campaigns import Campaigns
from purple.services.clearance import Clearance
from purple.services.deadlines import Deadlines
from purple.services.explaining import Explaining
from purple.services.findings import FindingsReader
from purple.services.gatekeeping import Gatekeeping
from purple.services.gates import Gates
from purple.services.identity import Identity
from purple.services.importing import Imports
from purple.services.lapses import Lapses
from purple.services.life import Life
from purple.services.mass_triage import MassTriage
from purple.services.notifying import Notifying
from purple.services.ordering import Ordering
from purple.services.profiles import Profiles
from purple.services.relaying import Chore, Relay
from purple.services.reporting import Reporting
from purple.services.retrying import Retrying
from purple.services.scanning import Scanning
from purple.services.schedule_keeping import ScheduleKeeping
from purple.services.schedule_notices import ScheduleNotices
from purple.services.schedule_runs import ScheduleRuns
from purple.services.schedules import Schedules, Telling
from purple.services.sessions import Sessions
from purple.services.single import SingleScan
from purple.services.steering import Steering
from purple.services.surveying import Surveying
from purple.services.targets import Targets
from purple.services.triage import TriageService
from purple.services.undoing import Undoing
from purple.services.undos import Undos
from purple.services.waiting import Waiting
from purple.services.watching import Watching
from purple.services.workshop import Workshop
from purple.settings import Settings
from purple.toolkit.objects import Objects
from purple.toolkit.repositories import Repositories, Room
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs
from purple.toolkit.tools.runner import GuardedRunner
from purple.toolkit.world import SystemClock, SystemResolver, TcpProber, TimeOrderedIds

if TYPE_CHECKING:
    from purple.reports.renderer import Renderer
    from purple.search.elastic import Elastic


class Container:
    """Everything a process needs, made when it is first asked for; `close` lets it go."""

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
        engine = open_engine(self._url("url"), pool_size=self.settings.database.pool_size)
        self._open.push_async_callback(engine.dispose)
        return unit_of_work(engine)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """The relay's side of the events."""
        url = self._url("relay_url")
        engine = open_engine(url, pool_size=2, asks=True)
        self._open.push_async_callback(engine.dispose)
        made = SqlOutbox(engine, url)
        self._open.push_async_callback(made.close)
        return made

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
        stack = self.settings.stack
        folder = self.settings.tools.folder or stack.cache / "tools"
        return Catalogue(Programs(folder, stack.cache), self.settings.tools.extra)

    @cached_property
    def search(self) -> "Elastic | FullText":
        """Elasticsearch where there is one, else PostgreSQL."""
        if not self.settings.search.url:
            return FullText(self.work)
        from purple.search.elastic import Elastic

        made = Elastic(self.settings.search)
        self._open.push_async_callback(made.close)
        return made

    @cached_property
    def objects(self) -> Objects:
        """The object store."""
        return Objects(self.settings.objects.url or (self.data / "objects").as_uri())

    @property
    def data(self) -> Path:
        """The folder for what belongs to this deployment alone."""
        return self.settings.stack.home / "data"

    @cached_property
    def targets(self) -> Targets:
        """The register."""
        return Targets(self.work, self.clock, self.ids)

    @cached_property
    def authorisations(self) -> Authorisations:
        """Contracts."""
        return Authorisations(self.work, self.orchestrator, self.tools, self.objects, self.clock, self.ids)

    @cached_property
    def clearance(self) -> Clearance:
        """Contracts, asked."""
        return Clearance(self.work, self.tools, self.resolver, self.clock, self.ids)

    @cached_property
    def campaigns(self) -> Campaigns:
        """Campaigns."""
        asked = (self.work, self.orchestrator, self.clearance, self.tools, self.profiles, self.retrying)
        return Campaigns(*asked, self.clock, self.ids)

    @cached_property
    def actors(self) -> SignedActors:
        """Who asks, as the workflows are told."""
        key = self.settings.identity.actor_key
        return SignedActors(key.get_secret_value() if key else "", self.clock)

    @cached_property
    def retrying(self) -> Retrying:
        """The workflow's side of running again what failed."""
        return Retrying(self.work, self.actors, self.tools, self.clock)

    @cached_property
    def ordering(self) -> Ordering:
        """The workflow's side of steering."""
        return Ordering(self.work, self.clearance, self.actors, self.tools, self.clock)

    @cached_property
    def steering(self) -> Steering:
        """Cancel, pause, resume, retry."""
        return Steering(self.work, self.orchestrator, self.actors, self.clock, self.ids)

    @cached_property
    def profiles(self) -> Profiles:
        """Pipelines."""
        importers = {each.name: each.tool for each in self.tools.formats()}
        return Profiles(self.settings.profiles.extra, importers)

    @cached_property
    def watching(self) -> Watching:
        """What people look at."""
        return Watching(self.work, self.orchestrator)

    @cached_property
    def waiting(self) -> Waiting:
        """Why campaigns wait."""
        return Waiting(self.work, self.orchestrator, self.tools)

    @cached_property
    def single(self) -> SingleScan:
        """Campaigns of one."""
        return SingleScan(self.work, self.targets, self.campaigns, self.clearance, self.clock)

    @cached_property
    def imports(self) -> Imports:
        """Results of tools that ran elsewhere."""
        scratch = self.data / "scratch"
        return Imports(self.tools, self.objects, self.targets, self.single, self.campaigns, scratch)

    @cached_property
    def surveying(self) -> Surveying:
        """Whose results an import holds."""
        scratch = self.data / "scratch"
        return Surveying(self.work, self.tools, self.objects, self.targets, self.clock, self.ids, scratch)

    @cached_property
    def explaining(self) -> Explaining:
        """What a profile would do."""
        return Explaining(self.work, self.tools, self.profiles, self.single, self.clock, self.ids)

    @cached_property
    def telling(self) -> Telling:
        """What tells Temporal of schedules."""
        return Telling(self.work, TemporalSchedules(self.orchestrator))

    @cached_property
    def schedule_runs(self) -> ScheduleRuns:
        """What became of schedules."""
        return ScheduleRuns(self.work, self.campaigns, self.clock)

    @cached_property
    def schedules(self) -> Schedules:
        """Recurring campaigns."""
        return Schedules(self.work, self.telling, self.schedule_runs, self.campaigns, self.clock, self.ids)

    @cached_property
    def schedule_keeping(self) -> ScheduleKeeping:
        """The relay's care for them."""
        return ScheduleKeeping(self.outbox, self.work, self.telling, self.schedule_runs, self.clock)

    @cached_property
    def findings(self) -> FindingsReader:
        """What was found."""
        return FindingsReader(self.work, self.search)

    @cached_property
    def life(self) -> Life:
        """What people decide of a vulnerability."""
        return Life(self.work, self.clock, self.ids)

    @cached_property
    def deadlines(self) -> Deadlines:
        """When flaws are to be fixed."""
        return Deadlines(self.work, self.clock, self.ids)

    @cached_property
    def mass_triage(self) -> MassTriage:
        """What they decide of many."""
        return MassTriage(self.work, self.clock, self.ids)

    @cached_property
    def identity(self) -> Identity:
        """Who calls."""
        return Identity(self.work, self.clock, self.ids)

    @cached_property
    def sessions(self) -> Sessions:
        """Browsers."""
        return Sessions(self.work, self.clock, self.ids)

    @cached_property
    def gate_rules(self) -> GateRules:
        """What a target bears."""
        return self.settings.gate.rules()

    @cached_property
    def runner(self) -> GuardedRunner:
        """Tools as processes."""
        most = {"memory_mb": self.settings.tools.memory_mb, "output_mb": self.settings.tools.output_mb}
        return GuardedRunner(self.tools, self.clock, **most, repositories=self.repositories)

    @cached_property
    def gates(self) -> Gates:
        """Tools, each through the gate of its host."""
        return Gates(self.work, self.runner, self.orchestrator, TcpProber(), self.ids, self.gate_rules)

    @cached_property
    def gatekeeping(self) -> Gatekeeping:
        """Places at hosts, as they are given out."""
        return Gatekeeping(self.work, self.orchestrator, self.clearance, TcpProber(), self.gate_rules)

    @cached_property
    def scanning(self) -> Scanning:
        """Tool runs."""
        return Scanning(self.work, self.clearance, self.tools, self.gates, self.objects, self.clock, self.workshop)

    @cached_property
    def capacity(self) -> Capacity:
        """What the tools of this process may use at once."""
        return self.settings.worker.capacity()

    @cached_property
    def workshop(self) -> Workshop:
        """Where the tools of this process run."""
        return Workshop(self.data / "scratch", self.capacity)

    @cached_property
    def undoing(self) -> Undoing:
        """Undo runs."""
        attempts = self.settings.tools.undo_attempts
        return Undoing(self.work, self.tools, self.runner, self.clock, self.workshop, attempts=attempts)

    @cached_property
    def undos(self) -> Undos:
        """What is to be undone, for people and the workflow."""
        return Undos(self.work, self.orchestrator, self.clock)

    @cached_property
    def repositories(self) -> Repositories:
        """The code of targets."""
        settings = self.settings.tools
        return Repositories(
            self.settings.stack.cache,
            folders=settings.repositories,
            authorities=settings.repository_authorities,
            room=Room(settings.repository_mb, settings.repository_files),
            memory_mb=settings.memory_mb,
        )

    @cached_property
    def analysis(self) -> Analysis:
        """Merging and risk."""
        return Analysis(self.work, self.clock)

    @cached_property
    def triage(self) -> TriageService:
        """Advice."""
        from purple import ai

        settings = self.settings.ai
        model = ai.provider(settings)
        return TriageService(self.work, model, ai.prompt("triage"), self.clock, max_findings=settings.max_findings)

    @cached_property
    def reporting(self) -> Reporting:
        """Reports."""
        return Reporting(self.work, self.renderer, self.objects, self.orchestrator, self.clock, self.settings.api.url)

    @cached_property
    def renderer(self) -> "Renderer":
        """Of reports."""
        from purple.reports.renderer import Renderer

        made = Renderer(self.settings.stack.cache)
        self._open.push_async_callback(made.close)
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

    @cached_property
    def notifying(self) -> Notifying:
        """Notices."""
        return Notifying(self.work, self.notifiers, self.clock, self.settings.api.url)

    @cached_property
    def relay(self) -> Relay:
        """The outbox's work."""
        url = self.settings.api.url
        notices = ScheduleNotices(self.outbox, self.work, self.notifiers, self.clock, url)
        lapses = Lapses(self.outbox, self.work, self.clock)
        jobs = {"schedules": self.schedule_keeping.keep, "notices": notices.tell, "due dates": lapses.keep}
        chores = tuple(Chore(f"{name} wait", job) for name, job in jobs.items())
        return Relay(self.outbox, self.work, self.search, self.campaigns, self.undos, self.clock, chores)
