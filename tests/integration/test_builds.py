"""Worker versioning on a real server: a deploy moves campaigns to its build, or leaves them with theirs, as was set."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from purple.domain.campaigns import Campaign, CampaignState
from purple.orchestrator.temporal import TemporalOrchestrator
from tests.support.running import STEPS, Purple, process, wait_until
from workers.versioning import build_of, deployment_of


async def build_that_ran(purple: Purple, campaign: Campaign) -> str:
    client = await purple.container.orchestrator.client()
    told = await client.get_workflow_handle(campaign.workflow_id).describe()
    return str(told.raw_description.workflow_execution_info.versioning_info.deployment_version.build_id)


@pytest.fixture
async def deployment(environment, request, container) -> AsyncIterator[dict[str, str]]:
    """Settings of one deployment; afterwards what is new goes to the workers without versioning again."""
    behaviour = request.param
    told = {"PURPLE_TEMPORAL__VERSIONING": behaviour, "PURPLE_TEMPORAL__DEPLOYMENT": f"test-{behaviour}"}
    yield told
    settings = container.settings.temporal.model_copy(update={"deployment": f"test-{behaviour}"})
    await TemporalOrchestrator(settings).builds.make_current("")


@pytest.mark.parametrize(("deployment", "moves"), [("pinned", False), ("auto_upgrade", True)], indirect=["deployment"])
async def test_a_deploy_wedges_no_campaign(purple, environment, tmp_path, deployment, moves, purple_command) -> None:
    marker = tmp_path / "marker"
    held = {"mode": "slow", "marker": str(marker)}
    network = 20 + moves

    def builds() -> dict[str, str]:
        told = purple_command("build", "list", "-o", "json", **deployment)
        # while the server makes up its mind about a deployment that is new, it may refuse to tell
        return {each["id"]: each["state"] for each in json.loads(told.stdout)["items"]} if told.stdout else {}

    with process(environment, "workers", *STEPS, **deployment, PURPLE_TEMPORAL__BUILD_ID="one"):
        await asyncio.to_thread(wait_until, lambda: builds() == {"one": "current"}, 90, "the first build is adopted")
        first = await purple.start(f"127.28.{network}.1", "made-gated", **{"made-gated": held})
        await asyncio.to_thread(wait_until, marker.exists, 90, "the tool runs")
        assert await build_that_ran(purple, first) == "one"
        with process(environment, "workers", *STEPS, **deployment, PURPLE_TEMPORAL__BUILD_ID="two"):
            await asyncio.to_thread(wait_until, lambda: "two" in builds(), 90, "the second build is known")
            assert builds() == {"one": "current", "two": "inactive"}, "it takes nothing until it is asked to"
            assert purple_command("build", "current", "two", **deployment).returncode == 0
            assert purple_command("build", "current", "three", **deployment).returncode == 1
            second = await purple.run(f"127.28.{network}.2", made={"flaws": [1]})
            assert (second.state, await build_that_ran(purple, second)) == (CampaignState.COMPLETED, "two")
            marker.unlink()
            assert (await purple.end(first)).state is CampaignState.COMPLETED
            assert await build_that_ran(purple, first) == ("two" if moves else "one")


def test_a_build_is_known_by_what_its_workflows_are(container, monkeypatch, tmp_path) -> None:
    settings = container.settings.temporal
    assert deployment_of(settings) is None
    own = build_of(settings)
    assert build_of(settings) == own
    assert build_of(settings.model_copy(update={"build_id": "given"})) == "given"
    changed = tmp_path / "lock.json"
    changed.write_text("{}")
    monkeypatch.setattr("workers.versioning.LOCK", changed)
    assert build_of(settings) != own
    assert "." not in own
