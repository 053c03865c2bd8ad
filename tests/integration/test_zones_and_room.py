"""Workers of a network zone, the room that they have for tools, and how they end: real workers, each its own zone."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from purple.contracts.campaigns import CampaignInput
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.errors import InvalidInputError
from purple.domain.tools import ScanState
from tests.support.running import Purple, process, wait_until
from workers.__main__ import asked


async def start(
    purple: Purple, zone: str, *addresses: str, tool: str = "made", profile: str = "made-crowd", **options: Any
) -> Campaign:
    targets = purple.container.targets
    made = [await targets.create(purple.organisation, each, zone=zone) for each in addresses]
    return await purple.container.campaigns.start(
        CampaignInput(
            organisation_id=purple.organisation,
            name=f"zone {zone}",
            profile=profile,
            target_ids=tuple(each.id for each in made),
            authorisation_id=await purple.authorisation("127.28.0.0/16"),
            options={tool: {"flaws": [1]} | options},
        )
    )


async def until(condition: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    return await asyncio.to_thread(wait_until, condition, seconds, what)


async def test_only_workers_of_its_zone_run_what_is_in_it_and_a_campaign_says_so(
    purple, environment, client, purple_command
) -> None:
    campaign = await start(purple, "lab-28", "127.28.1.1")
    async with asyncio.timeout(90):
        while not (told := (await client.get(f"/campaigns/{campaign.id}")).json())["waits"]:
            await asyncio.sleep(0.1)
    why = "no worker serves zone lab-28 — start one there: `python -m workers scan --zone lab-28`"
    assert told["waits"] == [why]
    assert json.loads(purple_command("campaign", "show", str(campaign.id), "-o", "json").stdout)["waits"] == [why]
    assert (await purple.scan(campaign)).state is ScanState.PENDING, "the workers without a zone leave it alone"
    with process(environment, "workers", "scan", "--zone", "lab-28"):
        assert await purple.container.waiting.reasons(campaign) == ()
        ended = await purple.end(campaign)
    assert ended.state is CampaignState.COMPLETED
    assert (await purple.scan(ended)).zone == "lab-28"


ROOM = [
    ("cpus-28", 2, {"PURPLE_WORKER__CPUS": "1"}),
    ("limit-28", 1, {"PURPLE_WORKER__CPUS": "4", "PURPLE_WORKER__TOOL_LIMITS": '{"made": 1}'}),
]


@pytest.mark.parametrize(("zone", "fit", "told"), ROOM)
async def test_a_worker_runs_as_many_tools_as_fit(purple, environment, tmp_path, zone, fit, told) -> None:
    tmp_path.chmod(0o755)
    n = [each[0] for each in ROOM].index(zone) + 2
    campaign = await start(
        purple, zone, *(f"127.28.{n}.{host}" for host in range(1, 5)), mode="gate", marker=str(tmp_path)
    )
    with process(environment, "workers", "scan", "--zone", zone, **told):
        await until(lambda: len(list(tmp_path.iterdir())) >= fit, "the tools run")
        with pytest.raises(AssertionError, match="not within"):
            await until(lambda: len(list(tmp_path.iterdir())) > fit, "more than fit", 2)
        (tmp_path / "open").touch()
        ended = await purple.end(campaign)
    assert ended.state is CampaignState.COMPLETED
    assert len(await purple.scans(ended)) == 4


async def test_a_worker_that_drains_lets_its_tools_end_or_gives_them_back(purple, environment, tmp_path) -> None:
    marker = tmp_path / "marker"
    one_at_a_time = {"PURPLE_WORKER__CPUS": "0.5"}
    long = {"tool": "made-gated", "profile": "made-gated", "mode": "slow", "marker": str(marker)}
    campaign = await start(purple, "drain-28", "127.28.9.1", "127.28.9.2", **long)
    arguments = ("workers", "scan", "--zone", "drain-28")
    with process(environment, *arguments, PURPLE_WORKER__DRAIN_S="60", **one_at_a_time) as patient:
        await until(lambda: pids_of(marker), "the first tool runs")
        patient.send_signal(signal.SIGTERM)
        marker.unlink()
        assert await asyncio.to_thread(patient.wait, 90) == 0
    states = sorted(scan.state for scan in await purple.scans(campaign))
    assert states == [ScanState.COMPLETE, ScanState.PENDING], "what ran has ended, nothing new began"
    hurry = {"PURPLE_WORKER__DRAIN_S": "0", "PURPLE_WORKER__NICE": "3"}
    with process(environment, *arguments, **hurry, **one_at_a_time) as hasty:
        first = await until(lambda: pids_of(marker), "the second tool runs")
        nice = {os.getpriority(os.PRIO_PROCESS, pid) for pid in (hasty.pid, *first)}
        assert nice == {min(19, os.getpriority(os.PRIO_PROCESS, 0) + 3)}
        hasty.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(hasty.wait, 90) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in first), "the tool is gone with it"
    assert sorted(scan.state for scan in await purple.scans(campaign)) == [ScanState.COMPLETE, ScanState.RUNNING]
    with process(environment, *arguments, **one_at_a_time):
        await until(lambda: pids_of(marker) not in ([], first), "another worker runs it")
        marker.unlink()
        ended = await purple.end(campaign)
    assert ended.state is CampaignState.COMPLETED
    assert [scan.attempt for scan in await purple.scans(ended)] == [1, 1]


def pids_of(marker: Path) -> list[int]:
    try:
        return [int(each) for each in marker.read_text().split()]
    except FileNotFoundError:
        return []


async def test_a_zone_is_a_plain_name(purple) -> None:
    for zone in ("Zone", "a b", "-x", "a" * 33, "zone\n"):
        with pytest.raises(InvalidInputError) as refusal:
            await purple.container.targets.create(purple.organisation, f"{uuid4().hex}.example.org", zone=zone)
        assert refusal.value.field == "zone"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "usage"),
        (["nonsense"], "unknown role nonsense"),
        (["relay", "scan"], "do not go together"),
        (["scan", "--zone"], "names no zone"),
        (["scan", "--zone", "-x"], "is no zone"),
        (["control", "--zone", "lab"], "only workers that run tools"),
    ],
)
def test_what_a_worker_is_asked_to_be_is_checked(arguments, said) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        asked(arguments)
    assert said in refusal.value.line()


def test_a_worker_serves_one_zone() -> None:
    assert asked(["recon", "--zone", "lab", "scan"]).roles == ("recon", "scan")
    assert asked(["recon", "--zone", "lab", "scan"]).zone == "lab"
    assert asked(["relay"]).zone == ""
