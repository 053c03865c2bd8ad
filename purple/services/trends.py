"""Reading trends of vulnerabilities, and how scans went."""

from datetime import date
from uuid import UUID

from purple.domain.clock import Clock
from purple.domain.metrics import ScanMetrics
from purple.domain.ports import Work
from purple.domain.trends import Period, Trend, day_of, period, trend_of
from purple.services.trending import first_kept


class TrendsReader:
    """Sums of what was filled: see `Trending` and `Campaigns.finish`."""

    def __init__(self, work: Work, clock: Clock, keep_months: int) -> None:
        self._work = work
        self._clock = clock
        self._months = keep_months

    async def trend(
        self, organisation_id: UUID, since: date | None = None, until: date | None = None, filter_: str = ""
    ) -> Trend:
        """How many vulnerabilities there were, came and went, by day; of the targets that a filter finds.

        Raises:
            InvalidInputError: the period or the filter is none.
        """
        wanted = self._period(since, until)
        async with self._work(organisation_id) as uow:
            return trend_of(wanted, filter_, await uow.trends.read(wanted, filter_))

    async def scans(
        self, organisation_id: UUID, since: date | None = None, until: date | None = None, filter_: str = ""
    ) -> ScanMetrics:
        """How scans of each tool went; at the targets that a filter finds.

        Raises:
            InvalidInputError: the period or the filter is none.
        """
        wanted = self._period(since, until)
        async with self._work(organisation_id) as uow:
            tools = await uow.metrics.tools(wanted, filter_)
            targets, covered = await uow.metrics.coverage(wanted, filter_)
        return ScanMetrics(wanted, filter_, tools, targets, covered)

    def _period(self, since: date | None, until: date | None) -> Period:
        today = day_of(self._clock.now())
        return period(since, until, today, first_kept(today, self._months))
