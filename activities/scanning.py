"""Tool runs."""

import asyncio
import contextlib

from temporalio import activity

from activities.errors import told
from activities.heartbeat import beating
from purple.contracts import names
from purple.contracts.campaigns import RunScan, ScanOutcome, SettleScan
from purple.domain.tools import ScanState, ToolProgress
from purple.services.campaigns import Campaigns
from purple.services.scanning import Scanning


class ScanActivities:
    """Runs one tool; cancelling kills it and says so in its scan."""

    def __init__(self, scanning: Scanning, campaigns: Campaigns) -> None:
        self._scanning = scanning
        self._campaigns = campaigns

    @activity.defn(name=names.RUN_SCAN)
    async def run_scan(self, request: RunScan) -> ScanOutcome:
        """See `Scanning.run`."""
        latest: list[ToolProgress] = []

        def details() -> dict[str, object]:
            if not latest:
                return {}
            progress = latest[-1]
            return {
                "scan_id": str(request.scan_id),
                "started_at": progress.started_at.isoformat(),
                "output_bytes": progress.output_bytes,
                "last_output_at": progress.last_output_at.isoformat() if progress.last_output_at else "",
            }

        def beat(progress: ToolProgress) -> None:
            latest[:] = [progress]

        with told():
            async with beating(details):
                try:
                    return await self._scanning.run(request, beat, activity.info().workflow_id or "")
                except asyncio.CancelledError:
                    settle = SettleScan(
                        ref=request.ref, scan_id=request.scan_id, state=ScanState.CANCELLED, reason="cancelled"
                    )
                    if not request.settles:
                        raise
                    with contextlib.suppress(Exception):  # the campaign's last step writes it down otherwise
                        # a server that was away has given us up and runs the scan anew: that is no cancelling
                        if (why := activity.cancellation_details()) and why.cancel_requested:
                            await asyncio.shield(self._campaigns.settle(settle))
                    raise
