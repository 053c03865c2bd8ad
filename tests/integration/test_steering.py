"""Pause, resume, retry what failed: while a campaign runs and after its end, through the facade and past it."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import WorkflowUpdateFailedError

from purple.contracts import names
from purple.contracts.campaigns import CampaignInput, Retried, RetryRequest
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.errors import ConflictError, ForbiddenError
from purple.domain.events import Event
from purple.domain.identity import Action, Actor
from purple.domain.tools import ScanState
from purple.services.steering import input_of
from tests.support.running import Purple


async def start(purple: Purple, marker: Path, *addresses: str, mode: str = "fragile") -> Campaign:
    """A campaign whose tool fails for the addresses that the marker holds."""
    targets = [(await purple.container.targets.ensure(purple.organisation, each)).id for each in addresses]
    return await purple.container.campaigns.start(
        CampaignInput(
            organisation_id=purple.organisation,
            name="steered",
            profile="made",
            target_ids=tuple(targets),
            authorisation_id=await purple.authorisation(),
            options={"made": {"mode": mode, "flaws": [7], "marker": str(marker)}},
        )
    )


async def by_host(purple: Purple, campaign: Campaign) -> dict[str, object]:
    return {scan.host: scan for scan in await purple.scans(campaign)}


async def events(purple: Purple, campaign: Campaign) -> list[Event]:
    """All of a campaign's events, once the relay has placed its end."""
    async with asyncio.timeout(60):
        while True:
            async with purple.container.work(purple.organisation) as uow:
                found = await uow.events.of_campaign(campaign.id, 0)
            ends = [each for each in found if each.type == "campaign.ended"]
            if len(ends) >= campaign.round:
                return list(found)
            await asyncio.sleep(0.1)


async def test_what_failed_runs_again_after_the_end_and_joins_the_same_campaign(purple, client, tmp_path) -> None:
    good, bad = "127.8.0.1", "127.8.0.2"
    marker = tmp_path / "marker"
    marker.write_text(bad)
    marker.parent.chmod(0o755)
    campaign = await purple.end(await start(purple, marker, good, bad))
    assert campaign.state is CampaignState.COMPLETED_WITH_GAPS
    before = await by_host(purple, campaign)
    assert (before[good].state, before[bad].state) == (ScanState.COMPLETE, ScanState.FAILED)
    marker.unlink()
    path = f"/campaigns/{campaign.id}/retry-failed"
    answer = await client.post(path, headers={"Idempotency-Key": "again-1"})
    assert answer.status_code == 202, answer.text
    ended = await purple.end(await purple.container.campaigns.get(purple.organisation, campaign.id))
    assert (ended.state, ended.round, ended.id) == (CampaignState.COMPLETED, 2, campaign.id)
    after = await by_host(purple, ended)
    assert after[good] == before[good], "what was complete did not run again"
    assert after[bad].state is ScanState.COMPLETE
    assert after[bad].attempt == before[bad].attempt + 1
    assert len(await purple.vulnerabilities(bad)) == len(await purple.vulnerabilities(good)) == 1
    told = await events(purple, ended)
    kinds = [each.type for each in told]
    assert kinds.count("campaign.ended") == 2
    assert [each.data for each in told if each.type == "campaign.retried"] == [{"by": "admin", "scans": 1}]
    assert kinds.count("report.written") == 6, "each round has its own reports"
    refused = await client.post(path)
    assert refused.status_code == 409
    assert "no scan of this campaign has failed" in refused.json()["detail"]


async def test_what_failed_runs_again_while_the_rest_goes_on(purple, client, tmp_path) -> None:
    good, bad = "127.8.1.1", "127.8.1.2"
    marker = tmp_path / "marker"
    marker.write_text(bad)
    campaign = await start(purple, marker, good, bad, mode="fragile-slow")
    async with asyncio.timeout(60):
        while (await by_host(purple, campaign)).get(bad) is None or not (await by_host(purple, campaign))[
            bad
        ].state.ended:
            await asyncio.sleep(0.1)
    assert (await by_host(purple, campaign))[good].state is ScanState.RUNNING
    headers = {"Idempotency-Key": f"again-{uuid4()}"}
    marker.write_text("slow")
    for _ in range(2):  # asked twice with one key is asked once
        answer = await client.post(f"/campaigns/{campaign.id}/retry-failed", headers=headers)
        assert answer.status_code == 202, answer.text
    marker.unlink()
    ended = await purple.end(campaign)
    assert (ended.state, ended.round) == (CampaignState.COMPLETED, 1)
    after = await by_host(purple, ended)
    assert {scan.state for scan in after.values()} == {ScanState.COMPLETE}
    assert after[good].attempt == 1
    kinds = [each.type for each in await events(purple, ended)]
    assert kinds.count("campaign.ended") == kinds.count("campaign.retried") == 1


async def test_nobody_retries_without_the_word_of_an_actor(purple, tmp_path) -> None:
    marker = tmp_path / "marker"
    marker.write_text("127.8.2.1")
    campaign = await purple.end(await start(purple, marker, "127.8.2.1"))
    container = purple.container
    admin = Actor(uuid4(), purple.organisation, "admin")
    other = container.actors.sign(admin, Action.RETRY_FAILED, "campaign/another")
    for token in (other, "nonsense"):
        wanted = input_of(campaign).model_copy(update={"retry_token": token})
        with pytest.raises((ForbiddenError, ConflictError)):
            await container.orchestrator.retry(
                campaign.workflow_id, wanted, RetryRequest(token=token), key=str(uuid4())
            )
    stored = await container.campaigns.get(purple.organisation, campaign.id)
    assert (stored.state, stored.round) == (CampaignState.COMPLETED_WITH_GAPS, 1)
    assert (await purple.scan(campaign)).state is ScanState.FAILED


async def test_an_update_from_outside_needs_it_too(purple, tmp_path) -> None:
    marker = tmp_path / "marker"
    campaign = await purple.start("127.8.3.1", made={"mode": "slow", "marker": str(marker)})
    async with asyncio.timeout(60):
        while not marker.exists():
            await asyncio.sleep(0.1)
    handle = (await purple.container.orchestrator.client()).get_workflow_handle(campaign.workflow_id)
    for token in ("", "nonsense"):
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(names.UPDATE_RETRY, RetryRequest(token=token), result_type=Retried)
    marker.unlink()
    assert (await purple.end(campaign)).state is CampaignState.COMPLETED


async def test_pause_and_resume_through_the_facade(purple, client, tmp_path) -> None:
    marker = tmp_path / "marker"
    campaign = await start(purple, marker, "127.8.4.1", "127.8.4.2", "127.8.4.3", mode="slow")
    async with asyncio.timeout(60):
        while not marker.exists():
            await asyncio.sleep(0.1)
    assert (await client.post(f"/campaigns/{campaign.id}/pause")).status_code == 202
    async with asyncio.timeout(60):
        while not (await client.get(f"/campaigns/{campaign.id}")).json()["progress"]["paused"]:
            await asyncio.sleep(0.1)
    marker.unlink()
    async with asyncio.timeout(60):  # what runs ends, and nothing new starts
        while any(scan.state is ScanState.RUNNING for scan in await purple.scans(campaign)):
            marker.unlink(missing_ok=True)
            await asyncio.sleep(0.1)
    assert ScanState.PENDING in {scan.state for scan in await purple.scans(campaign)}
    assert (await client.post(f"/campaigns/{campaign.id}/resume")).status_code == 202
    while not (await purple.container.campaigns.get(purple.organisation, campaign.id)).state.ended:
        marker.unlink(missing_ok=True)
        await asyncio.sleep(0.1)
    for verb in ("pause", "resume"):
        refused = await client.post(f"/campaigns/{campaign.id}/{verb}")
        assert refused.status_code == 409
        assert "has ended" in refused.json()["detail"]


def test_a_token_of_an_actor_holds_for_one_action_one_workflow_and_a_day(container) -> None:
    from purple.security.actors import SignedActors

    class Later:
        def now(self) -> datetime:
            return container.clock.now() + timedelta(hours=25)

    admin = Actor(uuid4(), uuid4(), "admin")
    token = container.actors.sign(admin, Action.RETRY_FAILED, "campaign/1")
    assert container.actors.verify(token, Action.RETRY_FAILED, "campaign/1") == admin
    key = "a key of the tests, which protects nothing"
    for actors, workflow in (
        (container.actors, "campaign/2"),
        (SignedActors(key, Later()), "campaign/1"),
        (SignedActors("another key that is long enough to be one", container.clock), "campaign/1"),
    ):
        with pytest.raises(ForbiddenError):
            actors.verify(token, Action.RETRY_FAILED, workflow)
    head, body, _ = token.split(".")
    unsigned = "eyJhbGciOiJub25lIn0." + body + "."
    for forged in (unsigned, f"{head}.{body}.", "", "a.b.c"):
        with pytest.raises(ForbiddenError):
            container.actors.verify(forged, Action.RETRY_FAILED, "campaign/1")
