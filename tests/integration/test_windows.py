"""A test window on real servers and the real clock: a tool is stopped when it closes, and goes on in the next.

Nor is a host that is gone looked for meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from bench.trials.counter import Counter, counting
from purple.contracts.campaigns import CampaignRef, RunScan
from purple.domain.campaigns import Campaign, Scan
from purple.domain.pages import Query
from purple.domain.tools import ScanState
from purple.services.workshop import Workshop
from tests.integration.test_contracts import running, start
from tests.support.running import Purple


@pytest.fixture
def counter():
    with counting("127.22.9.1") as made:
        yield made


def window(start: datetime, seconds: int) -> str:
    return f"daily {start:%H:%M:%S}-{start + timedelta(seconds=seconds):%H:%M:%S} UTC"


async def scanned(purple: Purple, campaign: Campaign) -> Scan:
    """The campaign's only scan, once it is complete; the report may take longer."""
    async with asyncio.timeout(240):
        while not (found := await purple.scans(campaign)) or found[0].state is not ScanState.COMPLETE:
            await asyncio.sleep(0.1)
    return found[0]


def between(counter: Counter, start: datetime, end: datetime) -> list[float]:
    """When somebody connected."""
    return [at for at, _ in counter.connections if start.timestamp() <= at < end.timestamp()]


async def test_nothing_is_sent_while_a_window_is_closed_and_all_goes_on_in_the_next(purple, counter) -> None:
    earlier = await purple.authorisation("127.22.9.0/24")
    short = [await start(purple, earlier, "127.22.9.1", counter, 1) for _ in range(5)]
    for each in short:  # how long the tool took before: it fits
        await scanned(purple, each)
    opens = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    closes, again = opens + timedelta(seconds=318), opens + timedelta(seconds=326)
    contract = await purple.authorisation("127.22.9.0/24", windows=[window(opens, 318), window(again, 600)])
    counter.connections.clear()
    campaign = await start(purple, contract, "127.22.9.1", counter, requests=500)
    with counting("127.22.9.2") as first:
        away = await start(purple, contract, f"127.22.9.2:{first.port}", first, requests=60)
        await running(first, "127.22.9.2", at_least=1)  # and from then on it is gone
    await asyncio.sleep((closes - datetime.now(UTC)).total_seconds())
    with counting("127.22.9.2", first.port) as back:
        scan, found = await scanned(purple, campaign), await scanned(purple, away)
    for each in (counter, back):
        assert not between(each, closes, again), "connected to while the window was closed"
    began = counter.connections[0][0] < closes.timestamp()  # a very busy machine comes to it only in the second window
    assert scan.attempt == (2 if began else 1)
    assert scan.observations == 500
    assert found.observations == 60
    await purple.told()
    async with purple.container.work(purple.organisation) as uow:
        told = [each.type for each in await uow.events.of_campaign(campaign.id, 0)]
        of_away = await uow.events.of_campaign(away.id, 0)
    gone = [each for each in of_away if each.type == "target.unreachable"]
    assert told.count("scan.postponed") >= 1
    assert told.count("scan.ended") == 1
    assert len(gone) <= 1  # on a very busy machine the window closes before it is seen
    query = Query({"authorisation_id": contract})
    refused = {
        (each.campaign_id, each.rule)
        for each in (await purple.container.clearance.page(purple.organisation, query)).items
    }
    assert refused <= {(campaign.id, "window"), (away.id, "window")}
    if gone and gone[0].at < closes:  # it was to be looked for while the window was closed
        assert "scan.postponed" in {each.type for each in of_away}


async def test_a_tool_that_gets_its_turn_when_its_window_closes_is_not_started(purple, counter, monkeypatch) -> None:
    always = await purple.authorisation("127.22.9.0/24")
    campaign = await start(purple, always, "127.22.9.1", counter, 1)
    done = await scanned(purple, campaign)
    opens = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    closes = opens + timedelta(seconds=310)
    contract = await purple.authorisation("127.22.9.0/24", windows=[window(opens, 310)])
    async with purple.container.work(purple.organisation) as uow:
        digest = (await uow.authorisations.get(contract)).digest
        bound = replace(
            await uow.campaigns.get(campaign.id),
            id=uuid4(), workflow_id="made", authorisation_id=contract, authorisation_digest=digest,
        )  # fmt: skip
        late = replace(
            done, id=uuid4(), campaign_id=bound.id, state=ScanState.PENDING, attempt=0, observations=0, ended_at=None
        )
        await uow.campaigns.add(bound)
        await uow.scans.add(late)

    @asynccontextmanager
    async def crowded(_workshop: Workshop, _spec: object) -> AsyncIterator[None]:
        assert datetime.now(UTC) < closes, "this machine is too slow"
        await asyncio.sleep((closes - timedelta(seconds=0.5) - datetime.now(UTC)).total_seconds())
        yield

    monkeypatch.setattr(Workshop, "room", crowded)
    counter.connections.clear()
    ref = CampaignRef(organisation_id=purple.organisation, campaign_id=late.campaign_id)
    told = await purple.container.scanning.run(RunScan(ref=ref, scan_id=late.id), lambda _: None)
    assert (told.postponed, told.state, counter.connections) == (True, ScanState.PENDING, [])
