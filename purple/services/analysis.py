"""Analysis: sightings meet their vulnerabilities, and each gets its risk with reasons."""

from collections.abc import Iterable

from purple.contracts.campaigns import Analysed, CampaignRef
from purple.domain.campaigns import Phase
from purple.domain.clock import Clock
from purple.domain.false_positives import Abilities
from purple.domain.ports import UnitOfWork, Work
from purple.domain.vulnerabilities import Merged
from purple.services.doubting import Origin, act, doubt
from purple.services.events import enter, event, nth
from purple.services.grouping import Grouping
from purple.services.weighing import Weighed, rescored, scored, weigh

NONE: Abilities = {}
"""Of no tool is known what it could have seen."""


class Analysis:
    """May run twice: the second time changes nothing."""

    def __init__(self, work: Work, clock: Clock, abilities: Abilities = NONE, grouping: Grouping | None = None) -> None:
        self._work = work
        self._clock = clock
        self._abilities = abilities
        self._grouping = grouping or Grouping()

    async def analyse(self, ref: CampaignRef) -> Analysed:
        """Merge a campaign's flaws, weigh what it saw, and mark what stands under several targets of a machine."""
        now = self._clock.now()
        async with self._work(ref.organisation_id) as uow:
            campaign = await uow.campaigns.get(ref.campaign_id)
            await enter(uow, ref, Phase.ANALYSIS, now)
            merged = await uow.findings.merge(campaign.id, now)
            if fresh := (*merged.reopened, *merged.raised):
                await uow.due_dates.date(fresh)
            moved = await weigh(uow, await uow.findings.weights(merged.moved))
            await self._tell(uow, ref, merged, moved)
            await self._doubt(uow, ref, merged)
            await self._grouping.follow(uow, ref.campaign_id)
            return Analysed(
                found=len(merged.found),
                reopened=len(merged.reopened),
                fixed=len(merged.fixed),
                sightings=merged.sightings,
                worst=merged.worst or "",
            )

    async def _doubt(self, uow: UnitOfWork, ref: CampaignRef, merged: Merged) -> None:
        """Score what this campaign may have made more or less likely false, and act by the policy on it."""
        touched = await uow.verdicts.touched(ref.campaign_id, merged.moved, self._abilities)
        origin = Origin(ref.organisation_id, self._clock.now(), f"{ref.campaign_id}/{nth(ref)}")
        await doubt(uow, self._abilities, touched, origin, told=merged.moved)
        if touched:
            policy = (await uow.verdicts.standing()).policy
            await act(uow, ref.organisation_id, policy, self._clock.now(), ref.campaign_id, touched)

    async def _tell(self, uow: UnitOfWork, ref: CampaignRef, merged: Merged, moved: Iterable[Weighed]) -> None:
        now = self._clock.now()
        kinds = {
            "found": merged.found,
            "reopened": merged.reopened,
            "fixed": merged.fixed,
            "raised": merged.raised,
            "retold": merged.retold,
        }
        told = {one for several in kinds.values() for one in several}
        await uow.events.add(
            *(
                event(
                    ref.organisation_id,
                    f"vulnerability.{kind}",
                    one,
                    now,
                    campaign_id=ref.campaign_id,
                    occasion=nth(ref),
                )
                for kind, several in kinds.items()
                for one in several
            ),
            *(
                rescored(ref.organisation_id, one, each, now, ["sighting"], nth(ref), campaign_id=ref.campaign_id)
                for one, each in scored(moved)
                if one not in told
            ),
        )
