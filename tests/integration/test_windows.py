"""A test window on real servers and the real clock: a tool is stopped when it closes, and goes on in the next."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bench.trials.counter import counting
from purple.domain.campaigns import Campaign, Scan
from purple.domain.pages import Query
from purple.domain.tools import ScanState
from tests.integration.test_contracts import start
from tests.support.running import Purple


@pytest.fixture
def counter():
    with counting("127.22.9.1") as made:
        yield made


def window(start: datetime, seconds: int) -> str:
    return f"daily {start:%H:%M:%S}-{start + timedelta(seconds=seconds):%H:%M:%S} UTC"


async def scanned(purple: Purple, campaign: Campaign) -> Scan:
    """The campaign's only scan, once it has ended; the report may take longer."""
    async with asyncio.timeout(120):
        while not (found := await purple.scans(campaign)) or not found[0].state.ended:
            await asyncio.sleep(0.1)
    return found[0]


async def test_a_tool_is_stopped_when_its_window_closes_and_goes_on_in_the_next(purple, counter) -> None:
    earlier = await purple.authorisation("127.22.9.0/24")
    short = [await start(purple, earlier, "127.22.9.1", counter, 1) for _ in range(5)]
    for each in short:  # how long the tool took before: it fits
        assert (await scanned(purple, each)).state is ScanState.COMPLETE
    opens = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    closes, again = opens + timedelta(seconds=314), opens + timedelta(seconds=319)
    contract = await purple.authorisation("127.22.9.0/24", windows=[window(opens, 314), window(again, 600)])
    counter.connections.clear()
    campaign = await start(purple, contract, "127.22.9.1", counter, requests=400)
    scan = await scanned(purple, campaign)
    moments = [at for at, _ in counter.connections]
    assert not [at for at in moments if closes.timestamp() <= at < again.timestamp()], (
        "sent while the window was closed"
    )
    assert scan.state is ScanState.COMPLETE, scan.reason
    began = moments[0] < closes.timestamp()  # a machine that is very busy comes to it only in the second window
    assert scan.attempt == (2 if began else 1)
    assert scan.observations == 400
    async with purple.container.work(purple.organisation) as uow:
        told = [each.type for each in await uow.events.of_campaign(campaign.id, 0)]
    assert told.count("scan.postponed") >= 1
    assert told.count("scan.ended") == 1
    query = Query({"authorisation_id": contract})
    rules = {each.rule for each in (await purple.container.clearance.page(purple.organisation, query)).items}
    assert rules <= {"window"}
