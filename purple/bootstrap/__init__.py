"""The only package that knows every adapter: settings become a container of services."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cached_property, partial

from purple.bootstrap.campaigning import Campaigning
from purple.bootstrap.findings import Findings
from purple.contracts import names
from purple.domain.search import SCAN_RESULTS, VULNERABILITIES
from purple.services.counting import Counting
from purple.services.event_notices import SCHEDULES, SEARCHES, EventNotices
from purple.services.feeding import RULES, Feeding
from purple.services.indexing import Indexing
from purple.services.keeping import OFTEN, Keeping
from purple.services.lapses import Lapses
from purple.services.records import RecordSearch
from purple.services.relaying import Chore, Relay
from purple.services.relearning import Relearning
from purple.services.rescoring import Rescoring
from purple.services.sampling import Sampling

QUEUES = tuple(value for name, value in vars(names).items() if name.startswith("QUEUE_"))


class Container(Campaigning, Findings):
    """Everything a process needs, made when it is first asked for; `close` lets it go."""

    @cached_property
    def relearning(self) -> Relearning:
        """What verdicts teach, and everything scored by it."""
        return Relearning(self.outbox, self.work, self.false_positives, self.abilities, self.clock, self.ids)

    @cached_property
    def indexing(self) -> dict[str, Indexing]:
        """Each index, as a whole."""
        return {name: Indexing(self.outbox, self.work, name, each) for name, each in self.searches.items()}

    @cached_property
    def feeding(self) -> dict[str, Feeding]:
        """What the relay does for each of them."""
        return {name: Feeding(self.outbox, self.work, name, self.searches[name], each) for name, each in RULES.items()}

    @cached_property
    def sampling(self) -> Sampling:
        """Samples of the system's health."""
        scans = self.indices[SCAN_RESULTS].fields
        return Sampling(self.outbox, self.work, self.orchestrator, QUEUES, self.searches, scans, self.clock)

    @cached_property
    def records(self) -> dict[str, RecordSearch]:
        """Search over what happened, by index."""
        known = {name: each for name, each in self.indices.items() if name != VULNERABILITIES}
        return {name: RecordSearch(self.work, each, self.searches[name]) for name, each in known.items()}

    @cached_property
    def relay(self) -> Relay:
        """The outbox's work."""
        url = self.settings.api.url
        receivers = (self.outbox, self.work, self.notifiers, self.clock)
        lapses = Lapses(self.outbox, self.work, self.clock)
        every = timedelta(hours=self.settings.data.every_h)
        jobs: dict[str, Callable[[], Awaitable[None]]] = {
            "schedules": self.schedule_keeping.keep,
            "notices of schedules": EventNotices(*receivers, SCHEDULES, url).tell,
            "notices of searches": EventNotices(*receivers, SEARCHES, url).tell,
            "alerts": self.alerting.keep,
            "samples": self.sampling.keep,
            "due dates": lapses.keep,
            "data": partial(self.enriching.keep, every),
            "risk": Rescoring(self.outbox, self.work, self.clock).keep,
            "risk history": Keeping(self.outbox, self.clock, self.risking.record).keep,
            "counts": Keeping(self.outbox, self.clock, Counting(self.work).sum_up, OFTEN).keep,
            "false positives": self.relearning.keep,
            "trends": self.trending.keep,
            "compliance": Keeping(self.outbox, self.clock, self.compliance.record).keep,
        }
        chores = tuple(Chore(f"{name} wait", job) for name, job in jobs.items())
        feeds = tuple(self.feeding.values())
        return Relay(self.outbox, feeds, self.campaigns, self.undos, self.clock, chores)


__all__ = ["Container"]
