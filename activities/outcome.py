"""What follows the tool runs: analysis, triage, report, notice."""

from temporalio import activity

from activities.errors import told
from activities.heartbeat import beating
from purple.contracts import names
from purple.contracts.campaigns import Analysed, CampaignRef, Notified, Reported, Triaged
from purple.domain.errors import ReceiverAwayError
from purple.services.analysis import Analysis
from purple.services.notifying import Notifying
from purple.services.reporting import Reporting
from purple.services.triage import TriageService

RECEIVER_ATTEMPTS = 6


class AnalysisActivities:
    """Merging and risk."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis

    @activity.defn(name=names.ANALYSE)
    async def analyse(self, ref: CampaignRef) -> Analysed:
        """See `Analysis.analyse`."""
        with told():
            async with beating():
                return await self._analysis.analyse(ref)


class TriageActivities:
    """The model's advice."""

    def __init__(self, triage: TriageService) -> None:
        self._triage = triage

    @activity.defn(name=names.TRIAGE)
    async def triage(self, ref: CampaignRef) -> Triaged:
        """See `TriageService.triage`."""
        with told():
            async with beating():
                return await self._triage.triage(ref)


class ReportActivities:
    """PDF, HTML, JSON."""

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    @activity.defn(name=names.REPORT)
    async def report(self, ref: CampaignRef) -> Reported:
        """See `Reporting.write`."""
        with told():
            async with beating():
                return await self._reporting.write(ref)


class NotifyActivities:
    """The webhook."""

    def __init__(self, notifying: Notifying) -> None:
        self._notifying = notifying

    @activity.defn(name=names.NOTIFY)
    async def notify(self, ref: CampaignRef) -> Notified:
        """See `Notifying.notify`. Stores are waited for; a receiver is asked so many times."""
        with told():
            async with beating():
                try:
                    return await self._notifying.notify(ref)
                except ReceiverAwayError as error:
                    if activity.info().attempt < RECEIVER_ATTEMPTS:
                        raise
                    return Notified(state="failed", reason=error.line())
