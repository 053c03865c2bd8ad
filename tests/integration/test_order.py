"""What is worth most runs first, and what a recent scan covers is skipped, through whole campaigns."""

import pytest

from purple.contracts.campaigns import CampaignInput
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.errors import ConflictError
from purple.domain.identity import Actor
from purple.domain.targets import Criticality
from purple.domain.tools import ScanState
from purple.services.identity import ADMINISTRATOR
from tests.support.running import Purple


async def run(purple: Purple, *targets: str, profile: str = "made-recent", **options: object) -> Campaign:
    registered = [await purple.container.targets.ensure(purple.organisation, each) for each in targets]
    started = await purple.container.campaigns.start(
        CampaignInput(
            organisation_id=purple.organisation,
            name="order",
            profile=profile,
            target_ids=tuple(each.id for each in registered),
            authorisation_id=await purple.authorisation("127.28.0.0/16"),
            options={"made": {"flaws": [1]} | options},
        )
    )
    return await purple.end(started)


async def test_what_a_recent_complete_scan_covers_is_skipped_and_is_no_gap(purple) -> None:
    first, second = "127.28.40.1", "127.28.40.2"
    before = await purple.scan(await run(purple, first))
    campaign = await run(purple, first, second)
    assert campaign.state is CampaignState.COMPLETED
    scans = {scan.host: scan for scan in await purple.scans(campaign)}
    assert (scans[first].state, scans[first].covered_by) == (ScanState.SKIPPED, before.id)
    assert f"scan {before.id} of " in scans[first].reason
    assert scans[second].state is ScanState.COMPLETE
    admin = Actor(ADMINISTRATOR.user_id, purple.organisation, "admin")
    with pytest.raises(ConflictError, match="no scan of this campaign has failed"):
        await purple.container.steering.retry_failed(purple.organisation, campaign.id, admin)
    again = await purple.scan(await run(purple, first, flaws=[1, 2]))
    assert again.state is ScanState.COMPLETE, "with other options it is another scan"


async def test_the_most_critical_target_is_scanned_first(purple) -> None:
    addresses = {f"127.28.41.{n}": each for n, each in enumerate(Criticality, 1)}
    for value, criticality in addresses.items():
        await purple.container.targets.create(purple.organisation, value, criticality=criticality)
    campaign = await run(purple, *addresses)
    scans = sorted(await purple.scans(campaign), key=lambda scan: scan.started_at)
    assert [addresses[scan.host] for scan in scans] == list(reversed(Criticality))
