"""Running again what failed in a campaign: the same campaign, the same scans, the next round."""

from datetime import datetime

from purple.contracts.campaigns import BeginRequest, RetryPlan, RetryScans
from purple.domain.campaigns import Campaign, CampaignState, Phase
from purple.domain.clock import Clock
from purple.domain.identity import Action, ActorTokens
from purple.domain.ports import UnitOfWork, Work
from purple.domain.steering import ApprovalState
from purple.domain.tools import ToolCatalogue
from purple.services.batching import due
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
            campaign = await uow.scan_sets.campaign(request.ref.campaign_id, lock=True)
            scans = await self._reset(uow, campaign, request.retry_id, request.token, apart=request.apart)
            recon = await due(uow, self._tools, campaign, Phase.RECON, self._clock.now(), request.retry_id)
            return RetryPlan(recon=recon.scans, batches=recon.batches, held=recon.held, scans=scans)

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
                orders=campaign.orders.asked_anew,
            )
        return campaign, await uow.scan_sets.of_request(campaign.id, request.run_id)

    async def _reset(
        self, uow: UnitOfWork, campaign: Campaign, retry_id: str, token: str, *, apart: bool = False
    ) -> int:
        actor = self._actors.verify(token, Action.RETRY_FAILED, campaign.workflow_id)
        now = self._clock.now()
        orders = campaign.orders
        await uow.scan_sets.reset(campaign.id, retry_id, tools=orders.refused, ids=orders.left_out)
        for tool, answer in orders.approvals.items():
            if answer.state is ApprovalState.APPROVED:  # what had ended before it was
                await uow.scan_sets.release(campaign.id, tool, retry_id)
        await uow.scan_sets.number(campaign.id, apart=apart)
        scans = await uow.scan_sets.of_request(campaign.id, retry_id)
        await self._tell(uow, campaign, retry_id, actor.username, scans, now)
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
