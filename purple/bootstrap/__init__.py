"""The only package that knows every adapter: settings become a container of services."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cached_property, partial

from purple.bootstrap.campaigning import Campaigning
from purple.bootstrap.findings import Findings
from purple.services.compliance.keeping import ComplianceKeeping
from purple.services.indexing import Indexing
from purple.services.lapses import Lapses
from purple.services.relaying import Chore, Relay
from purple.services.relearning import Relearning
from purple.services.rescoring import Rescoring
from purple.services.risk_keeping import RiskKeeping
from purple.services.schedule_notices import ScheduleNotices


class Container(Campaigning, Findings):
    """Everything a process needs, made when it is first asked for; `close` lets it go."""

    @cached_property
    def relearning(self) -> Relearning:
        """What verdicts teach, and everything scored by it."""
        return Relearning(self.outbox, self.work, self.false_positives, self.abilities, self.clock, self.ids)

    @cached_property
    def indexing(self) -> Indexing:
        """The search index, as a whole."""
        return Indexing(self.outbox, self.work, self.search)

    @cached_property
    def relay(self) -> Relay:
        """The outbox's work."""
        url = self.settings.api.url
        notices = ScheduleNotices(self.outbox, self.work, self.notifiers, self.clock, url)
        lapses = Lapses(self.outbox, self.work, self.clock)
        every = timedelta(hours=self.settings.data.every_h)
        jobs: dict[str, Callable[[], Awaitable[None]]] = {
            "schedules": self.schedule_keeping.keep,
            "notices": notices.tell,
            "due dates": lapses.keep,
            "data": partial(self.enriching.keep, every),
            "risk": Rescoring(self.outbox, self.work, self.clock).keep,
            "risk history": RiskKeeping(self.outbox, self.work, self.clock).keep,
            "false positives": self.relearning.keep,
            "trends": self.trending.keep,
            "compliance": ComplianceKeeping(self.outbox, self.compliance, self.clock).keep,
        }
        chores = tuple(Chore(f"{name} wait", job) for name, job in jobs.items())
        return Relay(self.outbox, self.work, self.search, self.campaigns, self.undos, self.clock, chores)


__all__ = ["Container"]
