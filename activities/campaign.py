"""The steps that keep the campaign's own row."""

from temporalio import activity

from activities.errors import told
from activities.heartbeat import beating
from purple.contracts import names
from purple.contracts.batches import BatchRef, BatchSteps, Look, Looked
from purple.contracts.campaigns import (
    BeginRequest,
    Begun,
    CampaignRef,
    CarriedOut,
    CarryOut,
    Expire,
    Expired,
    Finish,
    Finished,
    Plan,
    RetryPlan,
    RetryScans,
    SettleScan,
)
from purple.services.campaigns import Campaigns
from purple.services.ordering import Ordering
from purple.services.retrying import Retrying
from purple.services.schedule_runs import ScheduleRuns


class CampaignActivities:
    """Begin, plan, give batches their scans, settle, retry, steer, finish."""

    def __init__(self, campaigns: Campaigns, retrying: Retrying, ordering: Ordering, runs: ScheduleRuns) -> None:
        self._campaigns = campaigns
        self._retrying = retrying
        self._ordering = ordering
        self._runs = runs

    @activity.defn(name=names.BEGIN)
    async def begin(self, request: BeginRequest) -> Begun:
        """See `Campaigns.begin` and `ScheduleRuns.begin`."""
        with told():
            async with beating():
                return await self._runs.begin(request)

    @activity.defn(name=names.PLAN)
    async def plan(self, ref: CampaignRef) -> Plan:
        """See `Campaigns.plan`."""
        with told():
            async with beating():
                return await self._campaigns.plan(ref)

    @activity.defn(name=names.NEXT_SCANS)
    async def next_scans(self, batch: BatchRef) -> BatchSteps:
        """See `Campaigns.next_scans`."""
        with told():
            async with beating():
                return await self._campaigns.next_scans(batch)

    @activity.defn(name=names.SETTLE_SCAN)
    async def settle(self, request: SettleScan) -> None:
        """See `Campaigns.settle`."""
        with told():
            async with beating():
                await self._campaigns.settle(request)

    @activity.defn(name=names.RETRY_SCANS)
    async def retry_scans(self, request: RetryScans) -> RetryPlan:
        """See `Retrying.retry_scans`."""
        with told():
            async with beating():
                return await self._retrying.retry_scans(request)

    @activity.defn(name=names.CARRY_OUT)
    async def carry_out(self, request: CarryOut) -> CarriedOut:
        """See `Ordering.carry_out`."""
        with told():
            async with beating():
                return await self._ordering.carry_out(request)

    @activity.defn(name=names.EXPIRE)
    async def expire(self, request: Expire) -> Expired:
        """See `Ordering.expire`."""
        with told():
            async with beating():
                return await self._ordering.expire(request)

    @activity.defn(name=names.LOOK)
    async def look(self, request: Look) -> Looked:
        """See `Ordering.look`."""
        with told():
            async with beating():
                return await self._ordering.look(request)

    @activity.defn(name=names.FINISH)
    async def finish(self, request: Finish) -> Finished:
        """See `Campaigns.finish`."""
        with told():
            async with beating():
                return await self._campaigns.finish(request)
