"""Triage on a real small model: its advice passes the schema and cites the observations it speaks of.

It proves the wire, the schema and the failure paths, not the quality of a verdict.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest

from purple import ai
from purple.contracts.campaigns import CampaignRef
from purple.domain.reports import TriageState
from purple.services.triage import TriageService
from purple.settings.app import AiSettings
from tests.support.running import SUPPORT, free_port


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, str(SUPPORT / "model_server.py"), str(free_port())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    assert server.stdin is not None
    yield server.stdout.readline().strip()
    server.stdin.close()
    server.stdout.close()
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def service(purple, settings: AiSettings) -> TriageService:
    container = purple.container
    return TriageService(
        container.work, ai.provider(settings), ai.prompt("triage"), container.clock, max_findings=settings.max_findings
    )


async def fresh_campaign(purple, host: str) -> CampaignRef:
    """A campaign with findings whose triage has not run: its stored triage is another campaign's matter."""
    campaign = await purple.start(host, made={"flaws": [80, 443]})
    ended = await purple.end(campaign)
    return CampaignRef(organisation_id=purple.organisation, campaign_id=ended.id)


async def forget_triage(admin, ref: CampaignRef) -> None:
    admin.execute("DELETE FROM triages WHERE id = %s", [ref.campaign_id])
    await asyncio.sleep(0)


async def test_a_real_model_advises_and_cites(purple, admin, model_url) -> None:
    ref = await fresh_campaign(purple, "127.5.0.1")
    await forget_triage(admin, ref)
    settings = AiSettings(provider="openai", base_url=f"{model_url}/v1", model="smollm2", max_findings=2, timeout_s=120)
    told = await service(purple, settings).triage(ref)
    async with purple.container.work(purple.organisation) as uow:
        triage = await uow.triages.get(ref.campaign_id)
        owners = {
            observation: vulnerability.id
            for vulnerability in await purple.vulnerabilities("127.5.0.1")
            for observation in vulnerability.observation_ids
        }
    assert told.state == TriageState.ADVISED, told.reason
    assert triage.model == "openai/smollm2"
    assert triage.summary
    assert sorted(advice.vulnerability_id for advice in triage.advice) == sorted(set(owners.values()))
    for advice in triage.advice:
        assert {owners[cited] for cited in advice.observation_ids} == {advice.vulnerability_id}
    after = await service(purple, AiSettings()).triage(ref)
    assert after == told, "what was advised once stands"


async def test_a_model_that_is_away_leaves_the_order_by_risk(purple, admin) -> None:
    ref = await fresh_campaign(purple, "127.5.0.2")
    await forget_triage(admin, ref)
    settings = AiSettings(provider="openai", base_url=f"http://127.0.0.1:{free_port()}/v1", model="gone", timeout_s=5)
    told = await service(purple, settings).triage(ref)
    assert told.state == TriageState.FAILED
    assert "did not answer" in told.reason
    assert told.ranked == 2


async def test_ollama_that_is_away_leaves_the_order_by_risk(purple, admin) -> None:
    ref = await fresh_campaign(purple, "127.5.0.3")
    await forget_triage(admin, ref)
    settings = AiSettings(provider="ollama", base_url=f"http://127.0.0.1:{free_port()}", model="gone", timeout_s=5)
    told = await service(purple, settings).triage(ref)
    assert (told.state, told.ranked) == (TriageState.FAILED, 2)
