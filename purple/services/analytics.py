"""How parts of the register stand beside each other: open, overdue, covered, fixed, at risk."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from purple.domain.analytics import By, Flow, Held, Part, Share, TargetAnalytics
from purple.domain.clock import Clock
from purple.domain.ports import UnitOfWork, Work
from purple.domain.severity import Severity
from purple.domain.trends import day_of, period
from purple.services.risking import of_targets, score_of_all
from purple.services.trending import first_kept


class AnalyticsReader:
    """Sums of what was filled: see `Trending` and `Campaigns.finish`. Risk is that of now."""

    def __init__(self, work: Work, clock: Clock, keep_months: int) -> None:
        self._work = work
        self._clock = clock
        self._months = keep_months

    async def targets(
        self,
        organisation_id: UUID,
        by: By,
        since: date | None = None,
        until: date | None = None,
        filter_: str = "",
    ) -> TargetAnalytics:
        """The targets that a filter finds, put together by what they share; that with the highest risk first.

        Raises:
            InvalidInputError: the period or the filter is none.
        """
        today = day_of(self._clock.now())
        wanted = period(since, until, today, first_kept(today, self._months))
        asked = (by, wanted, filter_)
        async with self._work(organisation_id) as uow:
            shares = await uow.analytics.shares(*asked)
            held = defaultdict(list)
            for each in await uow.analytics.held(*asked):
                held[each.key].append(each)
            flows = {each.key: each for each in await uow.analytics.flows(*asked)}
            risks = await _risks(uow, by, filter_)
            names = {str(each.id): each.path for each in await uow.unit_tree.all()} if by is By.UNIT else {}
        parts = [_part(each, names, held[each.key], flows.get(each.key), risks.get(each.key, 0)) for each in shares]
        parts.sort(key=lambda each: (-each.risk, -each.targets, each.name))
        return TargetAnalytics(wanted, by, filter_, parts)


async def _risks(uow: UnitOfWork, by: By, filter_: str) -> Mapping[str, int]:
    """By part."""
    scores = of_targets(await uow.risks.tallies())
    keys = await uow.analytics.keys(by, list(scores), filter_)
    found: dict[str, list[int]] = defaultdict(list)
    for target_id, key in keys.items():
        found[key].append(scores[target_id])
    return {key: score_of_all(several) for key, several in found.items()}


def _part(share: Share, names: Mapping[str, str], held: Sequence[Held], flow: Flow | None, risk: int) -> Part:
    number = sum(each.open for each in held)
    levels = {each.severity: each.open for each in held}
    return Part(
        key=share.key,
        name=names.get(share.key, share.key),
        targets=share.targets,
        covered=share.covered,
        open={each: levels[each] for each in reversed(Severity) if each in levels},
        past_due=sum(each.past_due for each in held),
        mean_age=sum(each.days for each in held) / number if number else None,
        found=flow.found if flow else 0,
        reopened=flow.reopened if flow else 0,
        fixed=flow.fixed if flow else 0,
        dismissed=flow.dismissed if flow else 0,
        days_to_fix=flow.days / flow.fixed if flow and flow.fixed else None,
        risk=risk,
    )
