"""A campaign's scans between the database and the workflows, a part at a time."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from uuid import UUID

from purple.contracts.campaigns import Plan
from purple.domain.campaigns import Campaign, Phase
from purple.domain.ports import UnitOfWork
from purple.domain.scan_sets import INLINE, OWN
from purple.domain.targets import Target
from purple.domain.tools import ScanState, ToolCatalogue
from purple.services import planning
from purple.services.events import scan_event

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


async def due(uow: UnitOfWork, tools: ToolCatalogue, campaign_id: UUID, phase: Phase, request_id: str = "") -> Plan:
    """What is to run in a phase, or what one request released of it."""
    own = await uow.scan_sets.due(campaign_id, phase, OWN, 10 * INLINE, request_id)
    batches = await uow.scan_sets.batches(campaign_id, phase, request_id)
    return Plan(scans=planning.steps_of(own, tools), batches=tuple(batches.items()))


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
