"""A campaign's scans between the database and the workflows, a part at a time."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from purple.contracts.campaigns import Held, Plan, ScanStep
from purple.contracts.profiles import Profile
from purple.domain.campaigns import Campaign, Phase, Scan
from purple.domain.errors import InvalidInputError
from purple.domain.ports import UnitOfWork
from purple.domain.scan_sets import INLINE, OWN
from purple.domain.steering import Approval, ApprovalState
from purple.domain.targets import Target
from purple.domain.tools import ScanState, ToolCatalogue
from purple.services import planning
from purple.services.events import event, scan_event

MAX_TARGETS = 10_000
"""Of one campaign."""
TARGETS = 500
"""Read and planned for at a time."""
ENDED = 2_000
"""Scans ended at a time, each with its event."""
OPEN = (ScanState.PENDING, ScanState.RUNNING)


async def targets_of(uow: UnitOfWork, campaign: Campaign) -> AsyncIterator[tuple[Target, ...]]:
    """A campaign's targets, a part at a time.

    Raises:
        NotFoundError: one is not there.
    """
    ids = campaign.target_ids
    for start in range(0, len(ids), TARGETS):
        yield await uow.targets.several(ids[start : start + TARGETS])


def check_number(targets: int, *, fewest: int = 1) -> None:
    """Hold a campaign to its most and its fewest; an import may find its targets later.

    Raises:
        InvalidInputError: it has no targets, or too many.
    """
    if not fewest <= targets <= MAX_TARGETS:
        raise InvalidInputError(
            f"a campaign has 1 to {MAX_TARGETS} targets",
            field="target_ids",
            value=targets,
            remedy="name targets of the register",
        )


def limit_of(campaign: Campaign) -> int:
    """How many of its tools run at once at most."""
    return campaign.orders.parallel or Profile.model_validate(campaign.plan).limits.parallel


async def due(
    uow: UnitOfWork, tools: ToolCatalogue, campaign: Campaign, phase: Phase, now: datetime, request_id: str = ""
) -> Plan:
    """What is to run in a phase, or what one request released of it; what waits for approval is asked for."""
    own = await uow.scan_sets.due(campaign.id, phase, OWN, 10 * INLINE, request_id)
    batches = await uow.scan_sets.batches(campaign.id, phase, request_id)
    held = await _ask(uow, campaign, phase, now)
    return Plan(scans=await steps_of(uow, tools, campaign, own), batches=tuple(batches.items()), held=held)


async def steps_of(
    uow: UnitOfWork, tools: ToolCatalogue, campaign: Campaign, scans: Sequence[Scan]
) -> tuple[ScanStep, ...]:
    """What the workflow dispatches of them, and how long each takes as a rule where a test window may be too short."""
    authorisation = await uow.authorisations.get(campaign.authorisation_id)
    return planning.steps_of(scans, tools, await planning.expected(uow, authorisation, scans))


async def skip_refused(uow: UnitOfWork, campaign: Campaign, now: datetime) -> None:
    """End what is new of tools that people skipped or rejected."""
    for tool, reason in campaign.orders.refused.items():
        await end_all(uow, campaign.id, ScanState.SKIPPED, reason, now, states=(ScanState.PENDING,), tool=tool)


async def _ask(uow: UnitOfWork, campaign: Campaign, phase: Phase, now: datetime) -> tuple[Held, ...]:
    """Every tool that waits for an answer, each asked for once; one whose time was over is asked for anew."""
    waiting = await uow.scan_sets.held(campaign.id, phase)
    if not waiting:
        return ()
    orders = (await uow.scan_sets.campaign(campaign.id, lock=True)).orders
    approvals = dict(orders.approvals)
    until = now + timedelta(seconds=Profile.model_validate(campaign.plan).limits.approve_within_s)
    for tool, scans in waiting.items():
        known = approvals.get(tool)
        if known is None or known.state is ApprovalState.EXPIRED:
            approvals[tool] = Approval(ApprovalState.WAITING, until)
            told = event(
                campaign.organisation_id,
                "campaign.approval_asked",
                campaign.id,
                now,
                campaign_id=campaign.id,
                data={"tool": tool, "scans": scans, "until": until.isoformat()},
                occasion=f"{tool}|{until.isoformat()}",
            )
            await uow.events.add(told)
    if approvals != orders.approvals:
        await uow.campaigns.update(campaign.id, orders=replace(orders, approvals=approvals))
    return tuple(
        Held(tool=tool, scans=scans, until=approvals[tool].until)
        for tool, scans in waiting.items()
        if approvals[tool].state is ApprovalState.WAITING
    )


async def settle(uow: UnitOfWork, scan: Scan, state: ScanState, reason: str, now: datetime) -> Scan:
    """Write down what became of one scan without a tool: how it ended, or that it waits again."""
    await uow.gates.withdraw(scan.campaign_id, scan.id)
    settled = await uow.scans.update(scan.id, state=state, reason=reason, ended_at=now if state.ended else None)
    await uow.events.add(scan_event(settled, now, reason))
    return settled


async def unskipped(uow: UnitOfWork, campaign: Campaign, scans: Iterable[Scan], now: datetime) -> list[Scan]:
    """Those that people have not skipped; the others end here, for no workflow may know of the skip any more."""
    left = []
    for scan in scans:
        if why := campaign.orders.refusal(scan.tool, scan.id):
            await settle(uow, scan, ScanState.SKIPPED, why, now)
        else:
            left.append(scan)
    return left


async def end_all(  # noqa: PLR0913 - which scans, and how they end
    uow: UnitOfWork,
    campaign_id: UUID,
    state: ScanState,
    reason: str,
    now: datetime,
    *,
    states: Iterable[ScanState] = OPEN,
    tool: str = "",
    scan_id: UUID | None = None,
) -> int:
    """End every scan in these states, each with its event; how many that were."""
    count = 0
    while True:
        ended = await uow.scan_sets.end(
            campaign_id,
            state=state,
            reason=reason,
            at=now,
            limit=ENDED,
            states=states,
            tool=tool,
            scan_id=scan_id,
        )
        await uow.events.add(*(scan_event(scan, now, reason) for scan in ended))
        count += len(ended)
        if len(ended) < ENDED:
            return count
