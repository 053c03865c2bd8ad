"""The workflow's side of steering: an order is believed, written down and carried out as far as rows go."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from purple.contracts.batches import Look, Looked
from purple.contracts.campaigns import CarriedOut, CarryOut, Expire, Expired, Order, Plan
from purple.contracts.profiles import Profile
from purple.domain.campaigns import Campaign, Phase
from purple.domain.clock import Clock
from purple.domain.errors import ConflictError, ForbiddenError, NotFoundError, OutOfScopeError
from purple.domain.identity import Action, Actor, ActorTokens
from purple.domain.ports import UnitOfWork, Work
from purple.domain.scope import check_address
from purple.domain.steering import Approval, ApprovalState, Orders
from purple.domain.tools import ScanState, ToolCatalogue
from purple.services import planning
from purple.services.batching import TARGETS, check_number, due, end_all, limit_of, skip_refused
from purple.services.clearance import Clearance, asked_by
from purple.services.events import event

_TOLD = {
    Action.STOP: "campaign.paused",
    Action.SKIP: "campaign.skipped",
    Action.PARALLEL: "campaign.parallel_changed",
    Action.ADD_TARGETS: "campaign.targets_added",
    Action.APPROVE: "campaign.approved",
    Action.REJECT: "campaign.rejected",
}


def about(order: Order) -> str:
    """What the signed word of an actor is bound to: the whole order."""
    return hashlib.sha256(order.model_copy(update={"token": ""}).model_dump_json().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Asked:
    """An order, and all that is known of it."""

    request: CarryOut
    campaign: Campaign
    """Without its targets, and locked."""
    actor: Actor
    now: datetime

    @property
    def order(self) -> Order:
        return self.request.order

    def said(self, what: str) -> str:
        """For people."""
        return f"{what} by {self.actor.username}" + (f": {self.order.reason}" if self.order.reason else "")


class Ordering:
    """Each call may come twice and then changes nothing."""

    def __init__(
        self, work: Work, clearance: Clearance, actors: ActorTokens, tools: ToolCatalogue, clock: Clock
    ) -> None:
        self._work = work
        self._clearance = clearance
        self._actors = actors
        self._tools = tools
        self._clock = clock

    async def carry_out(self, request: CarryOut) -> CarriedOut:
        """Do what a person asks of a running campaign.

        Raises:
            ForbiddenError: the token is not one for this order, or who asks may not say it.
            ConflictError: there is nothing that could be done.
            NotFoundError: there is no such scan or target.
            OutOfScopeError: the authorisation does not cover what is added.
        """
        order, ref = request.order, request.ref
        acts = {
            Action.STOP: self._stop,
            Action.SKIP: self._skip,
            Action.PARALLEL: self._parallel,
            Action.ADD_TARGETS: self._add_targets,
            Action.APPROVE: self._approve,
            Action.REJECT: self._reject,
        }
        try:
            async with self._work(ref.organisation_id) as uow:
                campaign = await uow.scan_sets.campaign(ref.campaign_id, lock=True)
                actor = self._actors.verify(order.token, order.action, campaign.workflow_id, about(order))
                asked = _Asked(request, campaign, actor, self._clock.now())
                done = await acts[order.action](uow, asked)
                await _tell(uow, asked, done)
                return done
        except OutOfScopeError as refused:
            await self._clearance.refuse(refused, asked_by(campaign, request.order_id))
            raise

    async def look(self, request: Look) -> Looked:
        """What people ordered of slots, and of the scans of which a word speaks."""
        word = request.word
        async with self._work(request.ref.organisation_id) as uow:
            campaign = await uow.scan_sets.campaign(request.ref.campaign_id)
        reason = campaign.orders.refusal("" if word.scan_id else word.tool, word.scan_id) if word else ""
        return Looked(parallel=limit_of(campaign), reason=reason)

    async def expire(self, request: Expire) -> Expired:
        """Skip a tool that nobody has approved in time."""
        now = self._clock.now()
        async with self._work(request.ref.organisation_id) as uow:
            campaign = await uow.scan_sets.campaign(request.ref.campaign_id, lock=True)
            approval = campaign.orders.approvals[request.tool]
            if approval.state not in {ApprovalState.WAITING, ApprovalState.EXPIRED}:
                return Expired()
            reason = f"nobody approved {request.tool} until {approval.until:%Y-%m-%d %H:%M:%S} UTC"
            await _answer(uow, campaign, request.tool, replace(approval, state=ApprovalState.EXPIRED, reason=reason))
            scans = await end_all(
                uow, campaign.id, ScanState.SKIPPED, reason, now, states=(ScanState.PENDING,), tool=request.tool
            )
            await uow.events.add(
                event(
                    campaign.organisation_id,
                    "campaign.approval_expired",
                    campaign.id,
                    now,
                    campaign_id=campaign.id,
                    data={"tool": request.tool, "scans": scans},
                    occasion=f"{request.tool}|{approval.until.isoformat()}",
                )
            )
            return Expired(scans=scans)

    async def _stop(self, uow: UnitOfWork, asked: _Asked) -> CarriedOut:  # noqa: ARG002 - every act has it
        """Nothing is kept: the workflow ends the tools and holds."""
        return CarriedOut(said=asked.said("stopped"))

    async def _skip(self, uow: UnitOfWork, asked: _Asked) -> CarriedOut:
        campaign, order = asked.campaign, asked.order
        said = asked.said("skipped")
        orders = campaign.orders
        if order.scan_id is not None:
            await _check_open(uow, campaign, order)
            orders = replace(orders, left_out=tuple(dict.fromkeys((*orders.left_out, order.scan_id))))
        else:
            tools = planning.tools_of(Profile.model_validate(campaign.plan))
            if order.tool not in tools:
                raise ConflictError(
                    f"this campaign does not run {order.tool!r}",
                    field="tool",
                    value=order.tool,
                    remedy=f"name one of {', '.join(tools)}",
                )
            orders = replace(orders, skipped={**orders.skipped, order.tool: said})
        await uow.campaigns.update(campaign.id, orders=orders)
        scans = await end_all(
            uow,
            campaign.id,
            ScanState.SKIPPED,
            said,
            asked.now,
            states=(ScanState.PENDING,),
            tool=order.tool,
            scan_id=order.scan_id,
        )
        return CarriedOut(said=said, scans=scans)

    async def _parallel(self, uow: UnitOfWork, asked: _Asked) -> CarriedOut:
        orders = replace(asked.campaign.orders, parallel=asked.order.parallel)
        await uow.campaigns.update(asked.campaign.id, orders=orders)
        return CarriedOut(said=asked.said(f"{asked.order.parallel} tools at once, asked"))

    async def _add_targets(self, uow: UnitOfWork, asked: _Asked) -> CarriedOut:
        """The authorisation as it stands now must cover them, as it had to at the start."""
        campaign, request = await uow.campaigns.get(asked.campaign.id), asked.request
        ids = tuple(each for each in dict.fromkeys(asked.order.target_ids) if each not in set(campaign.target_ids))
        check_number(len(campaign.target_ids) + len(ids))
        authorisation = await uow.authorisations.get(campaign.authorisation_id)
        self._clearance.check_still(campaign, authorisation)
        profile = Profile.model_validate(campaign.plan)
        for start in range(0, len(ids), TARGETS):
            targets = await uow.targets.several(ids[start : start + TARGETS])
            planning.check_targets(targets, profile, self._tools)
            for target in targets:
                check_address(authorisation, target.address)
            scans = planning.recon_scans(campaign, profile, targets, self._tools, asked.now)
            await uow.scan_sets.add([replace(scan, retry_id=request.order_id) for scan in scans])
        await uow.campaigns.update(campaign.id, target_ids=(*campaign.target_ids, *ids))
        await skip_refused(uow, campaign, asked.now)
        await uow.scan_sets.number(campaign.id, apart=request.apart)
        plan = await due(uow, self._tools, campaign, Phase.RECON, asked.now, request.order_id)
        return CarriedOut(said=asked.said(f"{len(ids)} targets added"), scans=len(ids), plan=plan)

    async def _approve(self, uow: UnitOfWork, asked: _Asked) -> CarriedOut:
        campaign, order, request = asked.campaign, asked.order, asked.request
        await self._judge(uow, asked, ApprovalState.APPROVED)
        await uow.scan_sets.release(campaign.id, order.tool, request.order_id)
        await uow.scan_sets.number(campaign.id, apart=request.apart)
        parts = [
            await due(uow, self._tools, campaign, phase, asked.now, request.order_id)
            for phase in (Phase.RECON, Phase.TOOLS)
        ]
        plan = Plan(
            scans=tuple(scan for part in parts for scan in part.scans),
            batches=tuple(batch for part in parts for batch in part.batches),
        )
        count = await uow.scan_sets.of_request(campaign.id, request.order_id)
        return CarriedOut(said=asked.said(f"{order.tool} approved"), scans=count, plan=plan)

    async def _reject(self, uow: UnitOfWork, asked: _Asked) -> CarriedOut:
        said = asked.said(f"{asked.order.tool} rejected")
        await self._judge(uow, asked, ApprovalState.REJECTED)
        scans = await end_all(
            uow,
            asked.campaign.id,
            ScanState.SKIPPED,
            said,
            asked.now,
            states=(ScanState.PENDING,),
            tool=asked.order.tool,
        )
        return CarriedOut(said=said, scans=scans)

    @staticmethod
    async def _judge(uow: UnitOfWork, asked: _Asked, verdict: ApprovalState) -> None:
        """Hold an answer to the rules: a second person, in time, once."""
        campaign, tool = asked.campaign, asked.order.tool
        if asked.actor.user_id == campaign.created_by:
            raise ForbiddenError(
                f"{asked.actor.username} started this campaign, and a second person must answer",
                field="tool",
                value=tool,
                remedy="ask somebody else who may steer campaigns",
            )
        approval = campaign.orders.approvals.get(tool)
        answer = Approval(verdict, approval.until if approval else asked.now, asked.actor.username, asked.order.reason)
        if approval == answer:
            return
        if approval is None or approval.state is not ApprovalState.WAITING or asked.now >= approval.until:
            how = "never asked for" if approval is None else f"{approval.state} {approval.reason}".strip()
            raise ConflictError(
                f"{tool!r} does not wait for approval: it was {how}",
                field="tool",
                value=tool,
                remedy="look at it again",
            )
        await _answer(uow, campaign, tool, answer)


async def _check_open(uow: UnitOfWork, campaign: Campaign, order: Order) -> None:
    """A scan of this campaign that has not ended, or that this order skipped when it came before."""
    scan = await uow.scans.find(order.scan_id) if order.scan_id else None
    if scan is None or scan.campaign_id != campaign.id:
        raise NotFoundError(
            f"this campaign has no scan {order.scan_id}",
            field="scan_id",
            value=order.scan_id,
            remedy="list its scans",
        )
    if scan.state.ended and scan.id not in campaign.orders.left_out:
        raise ConflictError(
            f"the scan has ended: {scan.state}", field="scan_id", value=scan.id, remedy="there is nothing to skip"
        )


async def _answer(uow: UnitOfWork, campaign: Campaign, tool: str, answer: Approval) -> None:
    orders: Orders = replace(campaign.orders, approvals={**campaign.orders.approvals, tool: answer})
    await uow.campaigns.update(campaign.id, orders=orders)


async def _tell(uow: UnitOfWork, asked: _Asked, done: CarriedOut) -> None:
    order, campaign = asked.order, asked.campaign
    told: Mapping[str, Any] = {
        "by": asked.actor.username,
        "tool": order.tool,
        "scan_id": str(order.scan_id or ""),
        "reason": order.reason,
        "parallel": order.parallel,
        "scans": done.scans,
        "running": "stop" if order.action is Action.STOP else "",
    }
    await uow.events.add(
        event(
            campaign.organisation_id,
            _TOLD[order.action],
            campaign.id,
            asked.now,
            campaign_id=campaign.id,
            data={name: value for name, value in told.items() if value},
            occasion=asked.request.order_id,
        )
    )
