"""What is worth scanning first, and what a recent scan covers: the plan's order."""

from collections.abc import Sequence
from datetime import datetime

from purple.contracts.profiles import Profile
from purple.domain.campaigns import Campaign, Scan
from purple.domain.coverage import HORIZON, period, weighed
from purple.domain.ports import UnitOfWork
from purple.domain.targets import Target


async def valued(
    uow: UnitOfWork,
    campaign: Campaign,
    profile: Profile,
    targets: Sequence[Target],
    scans: Sequence[Scan],
    now: datetime,
) -> list[Scan]:
    """Planned scans with what they are worth; see `domain.coverage.weighed`."""
    if not scans:
        return []
    skip = period(profile.limits.skip_recent)
    since = now - max(HORIZON, skip or HORIZON)
    lasts = await uow.coverage.last([each.id for each in targets], since, campaign.id)
    criticalities = {each.id: each.criticality for each in targets}
    conditions = {step.tool: step.when for step in profile.tools}
    return weighed(scans, lasts, criticalities, conditions, skip, now)
