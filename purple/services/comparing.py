"""What became of what an earlier campaign saw: new, reopened, still there, fixed, or not tested."""

from collections.abc import Sequence
from uuid import UUID

from purple.domain.campaigns import Campaign
from purple.domain.comparisons import CHANGED, MAX_ITEMS, Became, Comparison
from purple.domain.errors import ConflictError, InvalidInputError
from purple.domain.pages import Query
from purple.domain.ports import Work
from purple.domain.severity import Severity

OFFERED = 50
"""Campaigns that are looked through for earlier ones."""


class Comparing:
    """Any two campaigns that have ended, of one profile or not."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def compare(
        self,
        organisation_id: UUID,
        before: UUID,
        after: UUID,
        *,
        kinds: Sequence[Became] = CHANGED,
        limit: int = 200,
        filter_: str = "",
    ) -> Comparison:
        """Two campaigns side by side.

        Args:
            organisation_id: the tenant.
            before: the earlier campaign.
            after: the later one.
            kinds: which are listed; numbers are of all.
            limit: how many are listed.
            filter_: of which targets, such as those of a business unit; empty for all.

        Raises:
            NotFoundError: there is no such campaign.
            InvalidInputError: they are one and the same, or the later one is named first; or the filter cannot be read.
            ConflictError: one has not ended, so that what it saw is not known yet.
        """
        async with self._work(organisation_id) as uow:
            first, second = await uow.scan_sets.campaign(before), await uow.scan_sets.campaign(after)
            _check(first, second)
            targets = await uow.comparisons.targets(filter_)
            found = await uow.comparisons.counts(before, after, targets)
            items = await uow.comparisons.items(before, after, tuple(kinds), min(limit, MAX_ITEMS), targets)
        counts = {kind: {each: found.get((kind, each), 0) for each in reversed(Severity)} for kind in Became}
        return Comparison(before, after, counts, items)

    async def earlier(self, campaign: Campaign) -> list[Campaign]:
        """What it may be compared with: what looked at one of its targets, its own profile first, then the newest."""
        terms = f"created_at:<{campaign.created_at.isoformat()}"
        async with self._work(campaign.organisation_id) as uow:
            page = await uow.campaigns.page(Query(filter=terms, sort="-created_at", limit=OFFERED))
        mine = set(campaign.target_ids)
        known = [each for each in page.items if each.state.ended and mine.intersection(each.target_ids)]
        return sorted(known, key=lambda each: each.profile != campaign.profile)


def _check(first: Campaign, second: Campaign) -> None:
    if first.id == second.id or first.created_at > second.created_at:
        raise InvalidInputError(
            "a campaign is compared with an earlier one",
            field="before",
            value=first.id,
            remedy="name the earlier of two campaigns first",
        )
    for name, each in (("before", first), ("after", second)):
        if not each.state.ended:
            raise ConflictError(
                f"campaign {each.name} is {each.state}",
                field=name,
                value=each.id,
                remedy="compare it once it has ended",
            )
