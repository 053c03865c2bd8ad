"""Analysis: sightings meet their vulnerabilities, and each gets its risk with reasons."""

from purple.contracts.campaigns import Analysed, CampaignRef
from purple.domain.campaigns import Phase
from purple.domain.clock import Clock
from purple.domain.ports import Merged, UnitOfWork, Work
from purple.domain.risk import assess
from purple.services.events import enter, event, nth
from purple.services.summaries import counts_of, sighted, worst_of

_CHUNK = 200


class Analysis:
    """May run twice: the second time changes nothing."""

    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    async def analyse(self, ref: CampaignRef) -> Analysed:
        """Merge a campaign's flaws and weigh what it saw."""
        now = self._clock.now()
        async with self._work(ref.organisation_id) as uow:
            campaign = await uow.campaigns.get(ref.campaign_id)
            await enter(uow, ref, Phase.ANALYSIS, now)
            merged = await uow.findings.merge(campaign.id)
            targets = {target_id: await uow.targets.get(target_id) for target_id in campaign.target_ids}
            seen = [each async for each in sighted(uow, campaign)]
            for start in range(0, len(seen), _CHUNK):
                chunk = seen[start : start + _CHUNK]
                confidence = await uow.findings.confidence([each.id for each in chunk])
                risks = {}
                for each in chunk:
                    criticality = targets[each.target_id].criticality
                    risk = assess(each.severity, criticality, len(each.tools), confidence.get(each.id, 1.0))
                    risks[each.id] = (risk.score, risk.reasons)
                await uow.findings.set_risk(risks)
            await self._tell(uow, ref, merged)
            return Analysed(
                found=len(merged.found),
                reopened=len(merged.reopened),
                fixed=len(merged.fixed),
                sightings=merged.sightings,
                worst=worst_of(counts_of(seen)),
            )

    async def _tell(self, uow: UnitOfWork, ref: CampaignRef, merged: Merged) -> None:
        now = self._clock.now()
        kinds = {"found": merged.found, "reopened": merged.reopened, "fixed": merged.fixed}
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
            )
        )
