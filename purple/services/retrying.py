"""Running again what failed in a campaign: the same campaign, the same scans, the next round."""

from datetime import datetime

from purple.contracts.campaigns import BeginRequest, RetryPlan, RetryScans
from purple.domain.campaigns import Campaign, CampaignState, Phase, Scan
from purple.domain.clock import Clock
from purple.domain.identity import Action, ActorTokens
from purple.domain.ports import UnitOfWork, Work
from purple.domain.tools import ScanState, ToolCatalogue
from purple.services import planning
from purple.services.events import event


class Retrying:
    """The workflow's side of `retry_failed`. Each call may come twice and then changes nothing."""

    def __init__(self, work: Work, actors: ActorTokens, tools: ToolCatalogue, clock: Clock) -> None:
        self._work = work
        self._actors = actors
        self._tools = tools
        self._clock = clock

    async def retry_scans(self, request: RetryScans) -> RetryPlan:
        """Make what is not complete of a running campaign ready to run again.

        Raises:
            ForbiddenError: the token is not one that allows it.
        """
        async with self._work(request.ref.organisation_id) as uow:
            campaign = await uow.campaigns.get(request.ref.campaign_id)
            scans = await self._reset(uow, campaign, request.retry_id, request.token)
            recon = [scan for scan in scans if scan.phase is Phase.RECON]
            return RetryPlan(recon=planning.steps_of(recon, self._tools), scans=len(scans))

    async def reopen(self, uow: UnitOfWork, campaign: Campaign, request: BeginRequest) -> tuple[Campaign, int]:
        """Begin the next round of a campaign that ended; it, and how many scans run again.

        Raises:
            ForbiddenError: the token is not one that allows it.
        """
        if campaign.run_id != request.run_id:
            await self._reset(uow, campaign, request.run_id, request.campaign.retry_token)
            campaign = await uow.campaigns.update(
                campaign.id,
                state=CampaignState.RUNNING,
                reason="",
                ended_at=None,
                round=campaign.round + 1,
                run_id=request.run_id,
            )
        return campaign, len(await uow.scans.all(campaign_id=campaign.id, retry_id=request.run_id))

    async def _reset(self, uow: UnitOfWork, campaign: Campaign, retry_id: str, token: str) -> tuple[Scan, ...]:
        actor = self._actors.verify(token, Action.RETRY_FAILED, campaign.workflow_id)
        now = self._clock.now()
        for scan in await uow.scans.all(campaign_id=campaign.id):
            if scan.gap and scan.retry_id != retry_id:
                await uow.scans.update(scan.id, state=ScanState.PENDING, reason="", ended_at=None, retry_id=retry_id)
        scans = await uow.scans.all(campaign_id=campaign.id, retry_id=retry_id)
        await self._tell(uow, campaign, retry_id, actor.username, len(scans), now)
        return scans

    @staticmethod
    async def _tell(
        uow: UnitOfWork, campaign: Campaign, retry_id: str, username: str, scans: int, now: datetime
    ) -> None:
        await uow.events.add(
            event(
                campaign.organisation_id,
                "campaign.retried",
                campaign.id,
                now,
                campaign_id=campaign.id,
                data={"by": username, "scans": scans},
                occasion=retry_id,
            )
        )
