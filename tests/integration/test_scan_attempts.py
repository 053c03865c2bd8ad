"""Attempts of one scan that come to their ends at the same moment, on real servers."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from purple.contracts.campaigns import CampaignRef, RunScan
from purple.db.repositories.findings import FindingRows
from purple.domain.tools import ScanState


async def test_of_two_attempts_that_end_together_one_counts(purple, monkeypatch) -> None:
    campaign = await purple.run("127.45.1.1", made={"flaws": [1, 2]})
    done = await purple.scan(campaign)
    assert done.observations > 0
    again = replace(done, id=uuid4(), key="again", state=ScanState.PENDING, attempt=0, observations=0, ended_at=None)
    async with purple.container.work(purple.organisation) as uow:
        await uow.scans.add(again)
    together = asyncio.Barrier(2)
    record = FindingRows.record

    async def recorded(rows: FindingRows, *given: object) -> int:
        await together.wait()
        return await record(rows, *given)

    monkeypatch.setattr(FindingRows, "record", recorded)
    ref = CampaignRef(organisation_id=purple.organisation, campaign_id=campaign.id)
    wanted = RunScan(ref=ref, scan_id=again.id)
    told = await asyncio.gather(*(purple.container.scanning.run(wanted, lambda _: None) for _ in range(2)))
    async with purple.container.work(purple.organisation) as uow:
        ended, stored = await uow.scans.get(again.id), await uow.findings.count(again.id)
    assert [each.observations for each in told] == [done.observations] * 2
    assert (ended.state, ended.observations, stored) == (ScanState.COMPLETE, done.observations, done.observations)
