"""Undos as people and the workflow see them: listed, tried again, done by hand, found again after a loss."""

from datetime import timedelta
from uuid import UUID

from purple.contracts.campaigns import CampaignRef
from purple.contracts.undos import OpenUndos, UndoInput, UndoStep
from purple.domain.campaigns import Campaign
from purple.domain.clock import Clock
from purple.domain.errors import ConflictError, InvalidInputError
from purple.domain.identity import Actor
from purple.domain.pages import Page, Query
from purple.domain.ports import Orchestrator, Work
from purple.domain.undos import Undo, UndoState
from purple.services.cleanup import reopen, retell, undo_event

MAX_AT_ONCE = 200
"""Steps that travel in one answer: a few dozen KiB."""
MAX_WHY = 2_000
LOST_AFTER = timedelta(seconds=5)
"""A worker hears within a second or two that the workflow of its tool is gone, and kills the tool."""


class Undos:
    """Each call may come twice."""

    def __init__(self, work: Work, orchestrator: Orchestrator, clock: Clock) -> None:
        self._work = work
        self._orchestrator = orchestrator
        self._clock = clock

    async def page(self, organisation_id: UUID, query: Query) -> Page[Undo]:
        """By default newest first."""
        async with self._work(organisation_id) as uow:
            return await uow.undos.page(query)

    async def get(self, organisation_id: UUID, undo_id: UUID) -> Undo:
        """One undo.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.undos.get(undo_id)

    async def of_campaign(self, campaign: Campaign) -> tuple[Undo, ...]:
        """All of one campaign, oldest first."""
        async with self._work(campaign.organisation_id) as uow:
            return await uow.undos.all(campaign_id=campaign.id)

    async def open_of(self, ref: CampaignRef) -> OpenUndos:
        """What is to be undone now; the last change first, since a later one may rest on an earlier one."""
        async with self._work(ref.organisation_id) as uow:
            found = await uow.undos.all(campaign_id=ref.campaign_id, state=UndoState.OPEN)
        steps = [
            UndoStep(
                undo_id=each.id,
                tool=each.tool,
                role=each.role,
                host=each.place.host,
                endpoint=each.endpoint,
                timeout_s=each.timeout_s,
                attempts=each.attempts,
                zone=each.zone,
            )
            for each in reversed(found)
        ]
        return OpenUndos(undos=tuple(steps[:MAX_AT_ONCE]))

    async def retry(self, organisation_id: UUID, undo_id: UUID, actor: Actor) -> Undo:
        """Try one again that had failed, as often as at first.

        Raises:
            NotFoundError: there is none.
            ConflictError: it is done.
            UnavailableError: the workflow server is away; it is open all the same, and run as soon as that is back.
        """
        async with self._work(organisation_id) as uow:
            undo = await uow.undos.get(undo_id)
            if undo.state is UndoState.DONE:
                raise ConflictError(
                    "this undo is done", field="undo_id", value=undo_id, remedy="there is nothing left to do"
                )
            if undo.state is UndoState.FAILED:
                undo = await reopen(uow, undo, self._clock.now(), "asked for", actor.username)
                await retell(uow, undo)
            campaign = await uow.campaigns.get(undo.campaign_id)
        if campaign.state.ended:
            await self._start(campaign)
        return undo

    async def mark_done(self, organisation_id: UUID, undo_id: UUID, actor: Actor, why: str) -> Undo:
        """Believe a person who has done it by hand.

        Raises:
            InvalidInputError: they do not say how they know.
            NotFoundError: there is none.
            ConflictError: it was done before.
        """
        said = " ".join(why.split())
        if not said or len(said) > MAX_WHY:
            raise InvalidInputError(
                f"say in 1 to {MAX_WHY} characters what was done",
                field="why",
                value=said[:50],
                remedy="write what you did and how you saw that it worked",
            )
        now = self._clock.now()
        async with self._work(organisation_id) as uow:
            undo = await uow.undos.get(undo_id)
            if undo.state is UndoState.DONE:
                raise ConflictError("this undo is done", field="undo_id", value=undo_id, remedy="leave it")
            undo = await uow.undos.update(
                undo.id, state=UndoState.DONE, done_at=now, done_by=actor.username, done_why=said
            )
            await uow.events.add(undo_event(undo, "undo.done", now, by=actor.username, why=said))
            await retell(uow, undo)
        return undo

    async def repair(self, campaign: Campaign) -> None:
        """Run open undos that no workflow looks after any more, and end a campaign that has no workflow any more.

        That is so where a campaign's workflow was ended from outside, or where asking to try again was lost.

        Raises:
            UnavailableError: the workflow server is away.
        """
        if campaign.state.ended:
            await self._start(campaign)
            return
        ended = await self._orchestrator.ended_at(campaign.workflow_id)
        if ended is not None and ended + LOST_AFTER <= self._clock.now():
            await self._start(campaign, "its workflow was ended from outside")

    async def _start(self, campaign: Campaign, ends: str = "") -> None:
        ref = CampaignRef(organisation_id=campaign.organisation_id, campaign_id=campaign.id, round=campaign.round)
        wanted = UndoInput(ref=ref, ends=ends)
        await self._orchestrator.start_undos(f"undo/{campaign.id}", wanted, summary=f"undo: {campaign.name}")
