"""Why a campaign waits: tool runs that no worker would take."""

import asyncio
from uuid import UUID

from purple.contracts import names
from purple.domain.campaigns import Campaign
from purple.domain.errors import UnavailableError
from purple.domain.pages import MAX_LIMIT, Query
from purple.domain.ports import Orchestrator, Work
from purple.domain.tools import ScanState, ToolCatalogue


class Waiting:
    """Reads only."""

    def __init__(self, work: Work, orchestrator: Orchestrator, tools: ToolCatalogue) -> None:
        self._work = work
        self._orchestrator = orchestrator
        self._tools = tools

    async def reasons(self, campaign: Campaign) -> tuple[str, ...]:
        """One sentence for each zone without a worker that the campaign needs now; empty where nobody can tell."""
        if campaign.state.ended:
            return ()
        places = await self._places(campaign.organisation_id, campaign.id)
        try:
            served = await asyncio.gather(
                *(self._orchestrator.served(names.tool_queue(role, zone)) for role, zone in places)
            )
        except UnavailableError:
            return ()
        return tuple(
            f"no worker serves zone {zone} — start one there: `python -m workers {role} --zone {zone}`"
            if zone
            else f"no worker takes {role} runs — start one: `python -m workers {role}`"
            for (role, zone), somebody in zip(places, served, strict=True)
            if not somebody
        )

    async def _places(self, organisation_id: UUID, campaign_id: UUID) -> list[tuple[str, str]]:
        """Roles and zones of what has not begun; of very many runs those of the last zones by name."""
        query = Query({"campaign_id": campaign_id, "state": ScanState.PENDING}, limit=MAX_LIMIT, sort="-zone")
        async with self._work(organisation_id) as uow:
            scans = (await uow.scans.page(query)).items
        return sorted({(self._tools.spec(scan.tool).role, scan.zone) for scan in scans})
