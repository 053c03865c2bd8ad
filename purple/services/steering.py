"""Steering a campaign from outside: cancel, pause, resume, skip, change, approve, run again what failed."""

import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from purple.contracts.campaigns import CampaignInput, Order, RetryRequest
from purple.contracts.profiles import Profile
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError, InvalidInputError, UnavailableError
from purple.domain.identity import Action, Actor, ActorTokens
from purple.domain.ports import Orchestrator, Work
from purple.domain.steering import MAX_REASON
from purple.services.events import event
from purple.services.finishing import end_unbegun
from purple.services.ordering import about

MAX_PARALLEL = 64
MAX_ADDED = 1_000
"""Targets that one message adds."""
MAX_SENT = 200
"""Targets that travel with a start; more are read from the campaign's row."""


class Steering:
    """What people and programs ask of a campaign that is there."""

    def __init__(self, work: Work, orchestrator: Orchestrator, actors: ActorTokens, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._orchestrator = orchestrator
        self._actors = actors
        self._clock = clock
        self._ids = ids

    async def cancel(self, organisation_id: UUID, campaign_id: UUID, actor: Actor | None = None) -> Campaign:
        """Ask a campaign to stop; one that ended stays as it is, and one that has not begun never will.

        Raises:
            NotFoundError: there is none.
            ConflictError: nobody runs it; it is about to be written down as failed.
            UnavailableError: the workflow server is away.
        """
        campaign = await self._get(organisation_id, campaign_id)
        if campaign.state is CampaignState.PENDING and await self._give_up(campaign):
            await self._tell(campaign, "campaign.cancel_asked", actor)
            return await self._get(organisation_id, campaign_id)
        if campaign.state.ended:
            return campaign
        try:
            await self._reach(campaign, self._orchestrator.cancel)
        except ConflictError:
            if not (ended := await self._get(organisation_id, campaign_id)).state.ended:
                raise
            return ended
        await self._tell(campaign, "campaign.cancel_asked", actor)
        return campaign

    async def pause(self, organisation_id: UUID, campaign_id: UUID, actor: Actor | None = None) -> Campaign:
        """Start nothing new until it is resumed; tools that run end by themselves.

        Raises:
            NotFoundError: there is none.
            ConflictError: it has ended, or has not started yet.
            UnavailableError: the workflow server is away.
        """
        campaign = await self._running(organisation_id, campaign_id)
        await self._reach(campaign, self._orchestrator.pause)
        await self._tell(campaign, "campaign.paused", actor, running="finish")
        return campaign

    async def resume(self, organisation_id: UUID, campaign_id: UUID, actor: Actor | None = None) -> Campaign:
        """Go on after a pause.

        Raises:
            NotFoundError: there is none.
            ConflictError: it has ended, or has not started yet.
            UnavailableError: the workflow server is away.
        """
        campaign = await self._running(organisation_id, campaign_id)
        await self._reach(campaign, self._orchestrator.resume)
        await self._tell(campaign, "campaign.resumed", actor)
        return campaign

    async def stop(self, organisation_id: UUID, campaign_id: UUID, actor: Actor, key: str = "") -> Campaign:
        """Pause, and end the tools that run: their scans wait, and run again once the campaign is resumed.

        Raises:
            NotFoundError: there is none.
            ConflictError: it has ended, or is about to.
            UnavailableError: the workflow server is away, or no worker answers.
        """
        return await self._order(organisation_id, campaign_id, actor, Order(action=Action.STOP), key)

    async def skip(
        self,
        organisation_id: UUID,
        campaign_id: UUID,
        actor: Actor,
        tool: str = "",
        scan_id: UUID | None = None,
        reason: str = "",
        key: str = "",
    ) -> Campaign:
        """Run one scan, or every scan of a tool, no more; one that runs is ended.

        Raises:
            InvalidInputError: it names neither a scan nor a tool, or both; or the reason is too long.
            NotFoundError: there is no such campaign or scan.
            ConflictError: the campaign or the scan has ended, or it does not run that tool.
            UnavailableError: the workflow server is away, or no worker answers.
        """
        if bool(tool) == (scan_id is not None):
            raise InvalidInputError(
                "a skip names one scan or one tool", field="tool", value=tool, remedy="give `scan_id` or `tool`"
            )
        order = Order(action=Action.SKIP, tool=tool, scan_id=scan_id, reason=reason)
        return await self._order(organisation_id, campaign_id, actor, order, key)

    async def set_parallel(
        self, organisation_id: UUID, campaign_id: UUID, actor: Actor, parallel: int, key: str = ""
    ) -> Campaign:
        """Let so many tools run at once from now on; those that run stay.

        Raises:
            InvalidInputError: it is outside what a profile may say.
            NotFoundError: there is no such campaign.
            ConflictError: it has ended, or is about to.
            UnavailableError: the workflow server is away, or no worker answers.
        """
        if not 1 <= parallel <= MAX_PARALLEL:
            raise InvalidInputError(
                f"1 to {MAX_PARALLEL} tools run at once",
                field="parallel",
                value=parallel,
                remedy="choose another number",
            )
        order = Order(action=Action.PARALLEL, parallel=parallel)
        return await self._order(organisation_id, campaign_id, actor, order, key)

    async def add_targets(
        self, organisation_id: UUID, campaign_id: UUID, actor: Actor, target_ids: Sequence[UUID], key: str = ""
    ) -> Campaign:
        """Add targets to a running campaign: recon looks at them, and then whatever it asks for.

        Raises:
            InvalidInputError: there are none, too many at once, or one that no tool of the profile takes.
            NotFoundError: there is no such campaign or target.
            ForbiddenError: the authorisation does not cover one of them.
            ConflictError: the campaign has ended, or is about to.
            UnavailableError: the workflow server is away, or no worker answers.
        """
        if not 1 <= len(target_ids) <= MAX_ADDED:
            raise InvalidInputError(
                f"1 to {MAX_ADDED} targets are added at once",
                field="target_ids",
                value=len(target_ids),
                remedy="add the rest afterwards",
            )
        order = Order(action=Action.ADD_TARGETS, target_ids=tuple(target_ids))
        return await self._order(organisation_id, campaign_id, actor, order, key)

    async def answer(
        self,
        organisation_id: UUID,
        campaign_id: UUID,
        actor: Actor,
        tool: str,
        *,
        approve: bool,
        reason: str = "",
        key: str = "",
    ) -> Campaign:
        """Let a tool run that waits for a second person, or skip it.

        Raises:
            InvalidInputError: the reason is too long.
            NotFoundError: there is no such campaign.
            ForbiddenError: who answers has started the campaign.
            ConflictError: the tool does not wait, or its time is over; the campaign has ended, or is about to.
            UnavailableError: the workflow server is away, or no worker answers.
        """
        action = Action.APPROVE if approve else Action.REJECT
        order = Order(action=action, tool=tool, reason=reason)
        return await self._order(organisation_id, campaign_id, actor, order, key)

    async def _order(self, organisation_id: UUID, campaign_id: UUID, actor: Actor, order: Order, key: str) -> Campaign:
        """Have the workflow believe it and carry it out; the same key asks once."""
        _check_reason(order.reason)
        campaign = await self._running(organisation_id, campaign_id)
        token = self._actors.sign(actor, order.action, campaign.workflow_id, about(order))
        signed = order.model_copy(update={"token": token})
        await self._orchestrator.order(campaign.workflow_id, signed, key=key or str(self._ids.new()))
        return await self._get(organisation_id, campaign_id)

    async def _give_up(self, campaign: Campaign) -> bool:
        """End one that has not begun, so that it never will; false where it has begun meanwhile."""
        now = self._clock.now()
        async with self._work(campaign.organisation_id) as uow:
            if not await end_unbegun(uow, campaign, CampaignState.CANCELLED, "cancelled before it began", now):
                return False
        with contextlib.suppress(UnavailableError):  # whenever its workflow comes to begin, it hears that it is over
            await self._orchestrator.cancel(campaign.workflow_id)
        return True

    async def _reach(self, campaign: Campaign, signal: Callable[[str], Awaitable[bool]]) -> None:
        """Say a word to its workflow, or say that there is none."""
        if await signal(campaign.workflow_id):
            return
        campaign = await self._running(campaign.organisation_id, campaign.id)
        waits = campaign.state is CampaignState.PENDING
        raise ConflictError(
            "the campaign has not started yet" if waits else "the campaign's workflow was ended from outside",
            field="campaign_id",
            value=campaign.id,
            remedy="try again once it runs, or cancel it" if waits else "look again in two minutes how it has ended",
        )

    async def _tell(self, campaign: Campaign, kind: str, actor: Actor | None, **more: str) -> None:
        """Write down who asked for what needs no believing."""
        if actor is None:
            return
        async with self._work(campaign.organisation_id) as uow:
            await uow.events.add(
                event(
                    campaign.organisation_id,
                    kind,
                    campaign.id,
                    self._clock.now(),
                    campaign_id=campaign.id,
                    data={"by": actor.username, **more},
                    occasion=str(self._ids.new()),
                )
            )

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
            orders = campaign.orders
            failed = await uow.scan_sets.failed(campaign_id, tools=orders.refused, ids=orders.left_out)
        if not failed:
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


def _check_reason(reason: str) -> None:
    if len(reason) > MAX_REASON:
        raise InvalidInputError(
            f"the reason is longer than {MAX_REASON} characters",
            field="reason",
            value=len(reason),
            remedy="say it shorter",
        )


def by_reference(wanted: CampaignInput) -> CampaignInput:
    """What starts the workflow of a campaign that has its row: many targets are read there and are not sent along."""
    return wanted if len(wanted.target_ids) <= MAX_SENT else wanted.model_copy(update={"target_ids": ()})


def input_of(campaign: Campaign) -> CampaignInput:
    """What starts the workflow of a campaign that has its row."""
    profile = Profile.model_validate(campaign.plan)
    wanted = CampaignInput(
        organisation_id=campaign.organisation_id,
        name=campaign.name,
        profile=campaign.profile,
        target_ids=campaign.target_ids,
        authorisation_id=campaign.authorisation_id,
        options={step.tool: step.options for step in (*profile.recon, *profile.tools)},
        created_by=campaign.created_by,
    )
    return by_reference(wanted)
