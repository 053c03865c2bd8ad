"""Whole campaigns on repositories: fetched, looked at, and refused where the authorisation or the settings say no."""

import asyncio
from pathlib import Path

import pytest

from purple.contracts.campaigns import CampaignInput
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.errors import OutOfScopeError
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import VulnerabilityState
from tests.support.planted import FILES
from tests.support.repositories import commit


@pytest.fixture
def folder(environment, container) -> Path:
    """Whose repositories the workers may scan."""
    assert container.tools.install("bandit", lambda _: None).usable
    return Path(environment["PURPLE_STACK__HOME"]) / "repositories"


async def campaign_on(purple, value: str, *include: str) -> Campaign:
    registered = await purple.container.targets.ensure(purple.organisation, value)
    wanted = CampaignInput(
        organisation_id=purple.organisation,
        name=f"code of {value}",
        profile="made-code",
        target_ids=(registered.id,),
        authorisation_id=await purple.authorisation(*include),
    )
    return await purple.end(await purple.container.campaigns.start(wanted))


async def test_what_is_mended_in_a_repository_is_fixed_and_the_commit_is_kept(purple, folder) -> None:
    source = folder / "mended.git"
    first = await asyncio.to_thread(commit, source, {"app/views.py": FILES["app/views.py"]})
    campaign = await campaign_on(purple, str(source), f"asset:{source}")
    scan = await purple.scan(campaign)
    assert (scan.state, scan.reason, scan.revision) == (ScanState.COMPLETE, "", first)
    assert campaign.state is CampaignState.COMPLETED
    before = {each.fingerprint: each for each in await purple.vulnerabilities(str(source))}
    assert len(before) == 5
    mended = "# a line more\n" + FILES["app/views.py"].replace(", shell=True", "")
    last = await asyncio.to_thread(commit, source, {"app/views.py": mended})
    scan = await purple.scan(await campaign_on(purple, str(source), f"asset:{source}"))
    assert (scan.state, scan.revision) == (ScanState.COMPLETE, last)
    states = {
        each.title: each.state for each in await purple.vulnerabilities(str(source)) if each.fingerprint in before
    }
    fixed = [title for title, state in states.items() if state is VulnerabilityState.FIXED]
    assert len(states) == 5
    assert fixed == ["subprocess call with shell=True identified, security issue."]


async def test_a_folder_that_the_settings_do_not_name_is_not_read(purple, folder, tmp_path) -> None:
    source = tmp_path / "elsewhere.git"
    await asyncio.to_thread(commit, source, FILES)
    campaign = await campaign_on(purple, str(source), f"asset:{source}")
    scan = await purple.scan(campaign)
    assert scan.state is ScanState.FAILED
    assert "name its folder in PURPLE_TOOLS__REPOSITORIES" in scan.reason
    assert scan.revision == ""
    assert campaign.state is CampaignState.COMPLETED_WITH_GAPS


async def test_a_repository_that_the_authorisation_does_not_name_is_not_started(purple, folder) -> None:
    value = str(folder / "refused.git")
    with pytest.raises(OutOfScopeError, match="not included"):
        await campaign_on(purple, value, f"asset:{folder}", "127.0.0.0/8")


async def test_the_host_of_a_repository_is_resolved_and_checked_like_any_host(purple, folder) -> None:
    """`localhost` is named by the asset, but an address rule must name where a name leads if that is loopback."""
    url = "https://localhost:9/refused.git"
    campaign = await campaign_on(purple, url, f"asset:{url}")
    scan = await purple.scan(campaign)
    assert scan.state is ScanState.SKIPPED
    assert "rule special-range" in scan.reason
