"""The services of campaigns: planned, started, steered, run, undone and repeated."""

from functools import cached_property

from purple.bootstrap.register import Register
from purple.orchestrator.schedules import TemporalSchedules
from purple.services.campaigns import Campaigns
from purple.services.explaining import Explaining
from purple.services.gatekeeping import Gatekeeping
from purple.services.gates import Gates
from purple.services.importing import Imports
from purple.services.ordering import Ordering
from purple.services.profiles import Profiles
from purple.services.retrying import Retrying
from purple.services.scanning import Scanning
from purple.services.schedule_keeping import ScheduleKeeping
from purple.services.schedule_runs import ScheduleRuns
from purple.services.schedules import Schedules, Telling
from purple.services.single import SingleScan
from purple.services.steering import Steering
from purple.services.surveying import Surveying
from purple.services.undoing import Undoing
from purple.services.undos import Undos
from purple.services.waiting import Waiting
from purple.services.watching import Watching
from purple.toolkit.world import TcpProber


class Campaigning(Register):
    """What makes a campaign go."""

    @cached_property
    def profiles(self) -> Profiles:
        """Pipelines."""
        importers = {each.name: each.tool for each in self.tools.formats()}
        return Profiles(self.settings.profiles.extra, importers)

    @cached_property
    def campaigns(self) -> Campaigns:
        """Campaigns."""
        asked = (self.work, self.orchestrator, self.clearance, self.tools, self.profiles, self.retrying)
        return Campaigns(*asked, self.clock, self.ids)

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
    def gates(self) -> Gates:
        """Tools, each through the gate of its host."""
        return Gates(self.work, self.runner, self.orchestrator, TcpProber(), self.clock, self.ids, self.gate_rules)

    @cached_property
    def gatekeeping(self) -> Gatekeeping:
        """Places at hosts, as they are given out."""
        return Gatekeeping(self.work, self.orchestrator, self.clearance, TcpProber(), self.gate_rules)

    @cached_property
    def scanning(self) -> Scanning:
        """Tool runs."""
        return Scanning(self.work, self.clearance, self.tools, self.gates, self.objects, self.clock, self.workshop)

    @cached_property
    def undoing(self) -> Undoing:
        """Undo runs."""
        attempts = self.settings.tools.undo_attempts
        return Undoing(self.work, self.tools, self.runner, self.clock, self.workshop, attempts=attempts)

    @cached_property
    def undos(self) -> Undos:
        """What is to be undone, for people and the workflow."""
        return Undos(self.work, self.orchestrator, self.clock)
