"""Steering a campaign from outside: cancel, pause, resume, run again what failed."""

import hashlib
from uuid import UUID

from purple.contracts.campaigns import CampaignInput, RetryRequest
from purple.contracts.profiles import Profile
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.clock import Ids
from purple.domain.errors import ConflictError
from purple.domain.identity import Action, Actor, ActorTokens
from purple.domain.ports import Orchestrator, Work


class Steering:
    """What people and programs ask of a campaign that is there."""

    def __init__(self, work: Work, orchestrator: Orchestrator, actors: ActorTokens, ids: Ids) -> None:
        self._work = work
        self._orchestrator = orchestrator
        self._actors = actors
        self._ids = ids

    async def cancel(self, organisation_id: UUID, campaign_id: UUID) -> Campaign:
        """Ask a campaign to stop; one that ended stays as it is.

        Raises:
            NotFoundError: there is none.
            UnavailableError: the workflow server is away.
        """
        campaign = await self._get(organisation_id, campaign_id)
        if campaign.state is CampaignState.PENDING:
            # one that was never started could not be told, and would be started later
            await self._orchestrator.start(campaign.workflow_id, input_of(campaign), summary=campaign.name)
        if not campaign.state.ended:
            await self._orchestrator.cancel(campaign.workflow_id)
        return campaign

    async def pause(self, organisation_id: UUID, campaign_id: UUID) -> Campaign:
        """Start nothing new until it is resumed; tools that run end by themselves.

        Raises:
            NotFoundError: there is none.
            ConflictError: it has ended.
            UnavailableError: the workflow server is away.
        """
        campaign = await self._running(organisation_id, campaign_id)
        await self._orchestrator.pause(campaign.workflow_id)
        return campaign

    async def resume(self, organisation_id: UUID, campaign_id: UUID) -> Campaign:
        """Go on after a pause.

        Raises:
            NotFoundError: there is none.
            ConflictError: it has ended.
            UnavailableError: the workflow server is away.
        """
        campaign = await self._running(organisation_id, campaign_id)
        await self._orchestrator.resume(campaign.workflow_id)
        return campaign

    async def retry_failed(self, organisation_id: UUID, campaign_id: UUID, actor: Actor, key: str = "") -> Campaign:
        """Run again every scan that is not complete, and only those; the campaign goes on or begins its next round.

        Args:
            organisation_id: the tenant.
            campaign_id: which campaign, running or ended.
            actor: who asks; the workflow is told by a signed token.
            key: the same key asks once.

        Raises:
            NotFoundError: there is none.
            ConflictError: every scan is complete, or the campaign is ending or cancelled just now.
            UnavailableError: the workflow server is away, or no worker answers.
        """
        request = hashlib.sha256(f"{Action.RETRY_FAILED} {campaign_id}".encode()).hexdigest()
        async with self._work(organisation_id) as uow:
            campaign = await uow.campaigns.get(campaign_id)
            if key and await uow.idempotency.find(key) == (request, campaign_id):
                return campaign
            scans = await uow.scans.all(campaign_id=campaign_id)
        if not any(scan.gap for scan in scans):
            raise ConflictError(
                "no scan of this campaign has failed", field="campaign_id", value=campaign_id, remedy="start a new one"
            )
        token = self._actors.sign(actor, Action.RETRY_FAILED, campaign.workflow_id)
        wanted = input_of(campaign).model_copy(update={"retry_token": token})
        asked = RetryRequest(token=token)
        await self._orchestrator.retry(campaign.workflow_id, wanted, asked, key=key or str(self._ids.new()))
        async with self._work(organisation_id) as uow:
            if key:
                await uow.idempotency.add(key, request, campaign_id)
            return await uow.campaigns.get(campaign_id)

    async def _get(self, organisation_id: UUID, campaign_id: UUID) -> Campaign:
        async with self._work(organisation_id) as uow:
            return await uow.campaigns.get(campaign_id)

    async def _running(self, organisation_id: UUID, campaign_id: UUID) -> Campaign:
        campaign = await self._get(organisation_id, campaign_id)
        if campaign.state.ended:
            raise ConflictError(
                f"the campaign has ended: {campaign.state}",
                field="campaign_id",
                value=campaign_id,
                remedy="run again what failed, or start a new one",
            )
        return campaign


def input_of(campaign: Campaign) -> CampaignInput:
    """What starts the workflow of a campaign that has its row."""
    profile = Profile.model_validate(campaign.plan)
    return CampaignInput(
        organisation_id=campaign.organisation_id,
        name=campaign.name,
        profile=campaign.profile,
        target_ids=campaign.target_ids,
        authorisation_id=campaign.authorisation_id,
        options={step.tool: step.options for step in (*profile.recon, *profile.tools)},
        created_by=campaign.created_by,
    )
