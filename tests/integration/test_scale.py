"""One campaign over hundreds of targets on real servers: children in batches, short histories."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from purple.contracts.campaigns import CampaignInput
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.errors import InvalidInputError
from purple.domain.events import Event
from purple.domain.scan_sets import BATCH, INLINE
from purple.domain.tools import ScanState
from tests.integration.test_histories import HISTORIES
from tests.support.running import Purple
from workers.runner import WORKFLOWS, sandbox

MAX_EVENTS = 10_000
MAX_PAYLOAD = 256 * 1024
KEPT = {"": "batched", "/recon/2": "batch"}
"""With PURPLE_RECORD=1: the campaign's own history, and that of a short batch."""


async def start(purple: Purple, targets: int, profile: str, artifact: str) -> Campaign:
    """A campaign on so many addresses of 127.20.0.0/16."""
    organisation = purple.organisation
    ids = [
        (await purple.container.targets.ensure(organisation, f"127.20.{n // 250}.{n % 250 + 1}")).id
        for n in range(targets)
    ]
    return await purple.container.campaigns.start(
        CampaignInput(
            organisation_id=organisation,
            name=f"{targets} targets",
            profile=profile,
            target_ids=tuple(ids),
            authorisation_id=await purple.authorisation("127.20.0.0/16"),
            options={"made-noop": {"artifact": artifact}},
        )
    )


async def counts(purple: Purple, campaign: Campaign) -> Counter[ScanState]:
    async with purple.container.work(purple.organisation) as uow:
        return Counter(await uow.scan_sets.counts(campaign.id))


async def reached(purple: Purple, campaign: Campaign, condition, seconds: float = 60) -> Counter[ScanState]:
    """The counts, once they are as wanted."""
    async with asyncio.timeout(seconds):
        while not condition(found := await counts(purple, campaign)):
            await asyncio.sleep(0.1)
    return found


async def scan_events(purple: Purple, campaign: Campaign, ended: int = 1) -> Counter[tuple[str, UUID]]:
    """How often each thing was told of each scan, once the campaign's end has its position."""
    async with asyncio.timeout(60):
        while True:
            async with purple.container.work(purple.organisation) as uow:
                found: tuple[Event, ...] = await uow.events.of_campaign(campaign.id, 0)
            if sum(each.type == "campaign.ended" for each in found) == ended:
                return Counter((each.type, each.subject_id) for each in found if each.type.startswith("scan."))
            await asyncio.sleep(0.1)


async def histories(purple: Purple, campaign: Campaign) -> AsyncIterator[WorkflowHistory]:
    """Of every run of the campaign and its children."""
    client = await purple.container.orchestrator.client()
    query = f'WorkflowId = "{campaign.workflow_id}" OR WorkflowId STARTS_WITH "{campaign.workflow_id}/"'
    async for each in client.list_workflows(query):
        yield await client.get_workflow_handle(each.id, run_id=each.run_id).fetch_history()


def payloads(message) -> list[int]:
    """Sizes of all payloads in a message, however deep."""
    if isinstance(message, Payload):
        return [message.ByteSize()]
    found = []
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = [each for each in value.values() if hasattr(each, "ListFields")]
        else:
            inner = value if field.is_repeated else [value]
        for each in inner:
            found += payloads(each)
    return found


async def test_hundreds_of_targets_run_in_batches_pause_and_resume(purple, tmp_path) -> None:
    tmp_path.chmod(0o755)
    gate = tmp_path / "gate"
    gate.touch()
    targets = BATCH + 30
    campaign = await start(purple, targets, "made-many", await purple.container.objects.put(str(gate).encode()))
    await reached(purple, campaign, lambda n: n[ScanState.RUNNING] >= 2)
    progress = await purple.container.campaigns.progress(campaign)
    assert (progress["done"], progress["known"], progress["paused"]) == (0, targets, False)
    assert any("made-noop 127.20." in each for each in progress["running"]), "children tell what runs"
    await purple.container.steering.pause(purple.organisation, campaign.id)
    await paused(purple, campaign)
    gate.unlink()
    held = await reached(purple, campaign, lambda n: not n[ScanState.RUNNING])
    assert held[ScanState.PENDING] > targets / 2, "nothing new starts"
    assert await counts(purple, campaign) == held
    await purple.container.steering.resume(purple.organisation, campaign.id)
    ended = await purple.end(campaign, 280)
    assert ended.state is CampaignState.COMPLETED, ended.reason
    assert await counts(purple, campaign) == {ScanState.COMPLETE: 2 * targets}
    told = await scan_events(purple, ended)
    assert len(told) == sum(told.values()) == 4 * targets, "each scan tells of its start and its end, once"
    runs = 0
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=sandbox())
    async for history in histories(purple, campaign):
        runs += 1
        assert len(history.events) <= MAX_EVENTS // 2
        assert max(size for event in history.events for size in payloads(event)) <= MAX_PAYLOAD
        await replayer.replay_workflow(history)
        kind = KEPT.get(history.workflow_id.removeprefix(campaign.workflow_id))
        if kind and os.environ.get("PURPLE_RECORD"):
            (HISTORIES / f"{kind}.json").write_text(history.to_json() + "\n")
    assert runs == 5, "two children for each phase"


async def paused(purple: Purple, campaign: Campaign) -> None:
    """Once the campaign and its children start nothing more."""
    client = await purple.container.orchestrator.client()
    async with asyncio.timeout(60):
        while True:
            told = await purple.container.campaigns.progress(campaign)
            if told and told["paused"]:
                description = await client.get_workflow_handle(campaign.workflow_id).describe()
                children = [each.workflow_id for each in description.raw_description.pending_children]
                parts = [await purple.container.orchestrator.progress(each) for each in children]
                if parts and all(part and part["paused"] for part in parts):
                    return
            await asyncio.sleep(0.1)


async def test_what_failed_in_children_runs_again_and_cancelling_reaches_them(purple, tmp_path) -> None:
    targets = INLINE + 20
    lost = await start(purple, targets, "made-recon", "0" * 64)
    ended = await purple.end(lost, 280)
    assert ended.state is CampaignState.COMPLETED_WITH_GAPS
    assert await counts(purple, lost) == {ScanState.FAILED: targets}
    tmp_path.chmod(0o755)
    gate = tmp_path / "gate"
    gate.touch()
    artifact = await purple.container.objects.put(str(gate).encode())
    async with purple.container.work(purple.organisation) as uow:  # as if the artifact had come at last
        for scan in await uow.scans.all(campaign_id=lost.id):
            await uow.scans.update(scan.id, options={"artifact": artifact, "series": ""})
    await purple.retry(lost)
    await reached(purple, lost, lambda n: n[ScanState.RUNNING] >= 2)
    await purple.container.steering.cancel(purple.organisation, lost.id)
    again = await purple.end(await purple.container.campaigns.get(purple.organisation, lost.id), 120)
    assert (again.state, again.round) == (CampaignState.CANCELLED, 2)
    assert await counts(purple, lost) == {ScanState.CANCELLED: targets}
    told = await scan_events(purple, again, 2)
    assert max(told.values()) <= 3
    gate.unlink()


@pytest.mark.parametrize(("profile", "targets"), [("made", 0), ("made-recon", 10_001)])
async def test_a_campaign_has_its_fewest_and_its_most(purple, profile, targets) -> None:
    wanted = CampaignInput(
        organisation_id=purple.organisation,
        name="",
        profile=profile,
        target_ids=tuple(uuid4() for _ in range(targets)),
        authorisation_id=await purple.authorisation("127.20.0.0/16"),
    )
    with pytest.raises(InvalidInputError) as refusal:
        await purple.container.campaigns.start(wanted)
    assert refusal.value.field == "target_ids"
