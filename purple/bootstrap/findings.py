"""The services of what was found: merged, weighed, decided on, told."""

from functools import cached_property

from purple.bootstrap.adapters import Adapters
from purple.domain.false_positives import Abilities
from purple.domain.search import VULNERABILITIES
from purple.services.alerting import Alerting
from purple.services.analysis import Analysis
from purple.services.analytics import AnalyticsReader
from purple.services.attack_paths import AttackPathsReader
from purple.services.comparing import Comparing
from purple.services.correlating import Correlating
from purple.services.deadlines import Deadlines
from purple.services.doubting import abilities_of
from purple.services.enriching import Enriching, Publications
from purple.services.false_positives import FalsePositives
from purple.services.findings import FindingsReader
from purple.services.life import Life
from purple.services.mass_triage import MassTriage
from purple.services.notifying import Notifying
from purple.services.reporting import Reporting
from purple.services.risking import Risking
from purple.services.saved_searches import SavedSearches
from purple.services.searching import Searching
from purple.services.trending import Trending
from purple.services.trends import TrendsReader
from purple.services.triage import TriageService


class Findings(Adapters):
    """What becomes of observations."""

    @cached_property
    def findings(self) -> FindingsReader:
        """What was found."""
        return FindingsReader(self.work)

    @cached_property
    def searching(self) -> Searching:
        """Search over it."""
        return Searching(self.work, self.indices[VULNERABILITIES], self.searches[VULNERABILITIES])

    @cached_property
    def saved_searches(self) -> SavedSearches:
        """Searches that people keep."""
        return SavedSearches(self.work, self.indices[VULNERABILITIES], self.clock, self.ids)

    @cached_property
    def alerting(self) -> Alerting:
        """Those that tell of what is new."""
        return Alerting(self.outbox, self.work, self.indices[VULNERABILITIES], self.clock)

    @cached_property
    def comparing(self) -> Comparing:
        """Two campaigns side by side."""
        return Comparing(self.work)

    @cached_property
    def life(self) -> Life:
        """What people decide of a vulnerability."""
        return Life(self.work, self.clock, self.ids)

    @cached_property
    def correlating(self) -> Correlating:
        """Which sightings are one flaw."""
        return Correlating(self.work, self.tools, self.clock, self.ids)

    @cached_property
    def attack_paths(self) -> AttackPathsReader:
        """From the outside to what matters."""
        return AttackPathsReader(self.work)

    @cached_property
    def deadlines(self) -> Deadlines:
        """When flaws are to be fixed."""
        return Deadlines(self.work, self.clock, self.ids)

    @cached_property
    def mass_triage(self) -> MassTriage:
        """What they decide of many."""
        return MassTriage(self.work, self.clock, self.ids)

    @cached_property
    def publications(self) -> Publications:
        """What others publish, as it is kept."""
        return Publications(self.work, self.clock)

    @cached_property
    def enriching(self) -> Enriching:
        """Bringing in what others publish."""
        from purple.enrichment import SHIPPED

        return Enriching(self.shelf, self.publishers, self.clock, SHIPPED)

    @cached_property
    def analysis(self) -> Analysis:
        """Merging and risk."""
        return Analysis(self.work, self.clock, self.abilities, self.grouping)

    @cached_property
    def abilities(self) -> Abilities:
        """What each tool could have seen."""
        return abilities_of(self.tools)

    @cached_property
    def false_positives(self) -> FalsePositives:
        """What is likely none, and what is done with that."""
        return FalsePositives(self.work, self.abilities, self.clock, self.ids)

    @cached_property
    def risking(self) -> Risking:
        """Why risk is what it is, and its weights."""
        return Risking(self.work, self.clock, self.ids)

    @cached_property
    def trending(self) -> Trending:
        """The book of trends, written."""
        return Trending(self.outbox, self.work, self.clock, self.settings.trends.keep_months)

    @cached_property
    def analytics(self) -> AnalyticsReader:
        """Parts of the register beside each other."""
        return AnalyticsReader(self.work, self.clock, self.settings.trends.keep_months)

    @cached_property
    def trends(self) -> TrendsReader:
        """The book of trends and how scans went, read."""
        return TrendsReader(self.work, self.clock, self.settings.trends.keep_months)

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
    def notifying(self) -> Notifying:
        """Notices."""
        return Notifying(self.work, self.notifiers, self.clock, self.settings.api.url)
