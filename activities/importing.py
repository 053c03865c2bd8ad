"""Results of tools that ran elsewhere."""

from temporalio import activity

from activities.errors import told
from activities.heartbeat import beating
from purple.contracts import names
from purple.contracts.campaigns import CampaignRef, Surveyed
from purple.services.surveying import Surveying


class ImportActivities:
    """Finds the targets that a file speaks of."""

    def __init__(self, surveying: Surveying) -> None:
        self._surveying = surveying

    @activity.defn(name=names.SURVEY)
    async def survey(self, ref: CampaignRef) -> Surveyed:
        """See `Surveying.survey`."""
        with told():
            async with beating():
                return await self._surveying.survey(ref)
