"""Trends and metrics of real campaigns, filled by the workflow and the relay: over HTTP and by the command line."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from cli.main import main
from tests.integration.test_api import is_problem
from tests.integration.test_console import signed_in
from tests.integration.test_import import BANDIT, bring_in, without
from tests.support.running import Purple, asking

TAG = "tags:trends"


@pytest.fixture(scope="module")
async def client(api, container):
    async with asking(api, await container.identity.first_token()) as made:
        yield made


@pytest.fixture(scope="module")
async def past(container, workers, client) -> None:
    """Eight flaws were found, one of them is fixed; a file that breaks off tells nothing of the others."""
    purple, target = Purple(container), "https://git.example.org/trends.git"
    await container.targets.create(purple.organisation, target, tags=["trends"])
    mended = without("B602")
    for file in (BANDIT, mended, mended[: mended.rindex(b'"B608"')]):
        await bring_in(purple, target, file, series="nightly")
    async with asyncio.timeout(60):
        while (await container.trends.trend(purple.organisation, filter_=TAG)).total.fixed < 1:
            await asyncio.sleep(0.1)


async def test_what_campaigns_did_is_told_over_http(client, past) -> None:
    asked = {"filter": TAG}
    trend = (await client.get("/trends", params=asked)).json()
    assert len(trend["days"]) == 90
    last = trend["days"][-1]
    assert (last["open"], last["found"], last["fixed"]) == (
        {"critical": 0, "high": 1, "medium": 2, "low": 4, "info": 0},
        8,
        1,
    )
    total, high = trend["total"], trend["severities"][1]
    assert (total["severity"], total["open"], high["severity"], high["days_to_fix"]) == (None, 7, "high", 0)
    assert [sum(each["open"].values()) for each in trend["ages"]] == [7, 0, 0, 0, 0]
    metrics = (await client.get("/metrics/scans", params=asked)).json()
    (tool,) = metrics["tools"]
    assert (tool["tool"], tool["scans"], tool["states"]["complete"], tool["states"]["partial"]) == ("sarif", 3, 2, 1)
    assert (tool["coverage"], metrics["targets"], metrics["targets_covered"]) == (pytest.approx(2 / 3), 1, 1)
    assert 0 <= tool["seconds_p50"] <= tool["seconds_p95"]
    parts = (await client.get("/metrics/targets", params=asked | {"by": "kind"})).json()
    (part,) = parts["parts"]
    assert (parts["by"], part["key"], part["targets"], part["covered"]) == ("kind", "repository", 1, 1)
    assert (part["open"], part["found"], part["fixed"]) == ({"high": 1, "medium": 2, "low": 4}, 8, 1)
    assert part["risk"] > 0
    whole = (await client.get("/trends")).json()
    assert whole["total"]["found"] >= 8
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    for path in ("/trends", "/metrics/scans", "/metrics/targets"):
        is_problem(await client.get(path, params={"until": tomorrow}), 422, field="until")
        is_problem(await client.get(path, params={"since": "1999-01-01"}), 422, field="since")
        is_problem(await client.get(path, params={"filter": "colour:red"}), 422, field="filter")


def test_the_command_line_tells_the_same(past, capsys) -> None:
    def told(*arguments: str) -> dict:
        assert main([*arguments, "-o", "json"]) == 0, arguments
        return json.loads(capsys.readouterr().out)

    trend = told("trend", "show", "--filter", TAG)
    assert (trend["schema"], trend["total"]["open"], trend["total"]["fixed"]) == ("purple.trend/1", 7, 1)
    metrics = told("trend", "scans", "--filter", TAG)
    assert (metrics["schema"], [each["scans"] for each in metrics["tools"]]) == ("purple.scan-metrics/1", [3])
    (part,) = told("trend", "targets", "--by", "category", "--filter", TAG)["parts"]
    assert (part["name"], part["targets"], part["open"]) == ("", 1, {"high": 1, "medium": 2, "low": 4})
    assert main(["trend", "targets", "--filter", TAG]) == 0
    assert "none" in capsys.readouterr().out
    assert main(["trend", "rebuild"]) == 0
    again = told("trend", "show", "--filter", TAG)
    assert again == trend
    assert main(["trend", "show", "--since", "yesterday"]) == 2
    assert main(["trend", "show", "--filter", TAG]) == main(["trend", "scans", "--filter", TAG]) == 0
    table = capsys.readouterr().out
    assert "1 of 1 targets were looked at to the end" in table
    assert "Open by age" in table


async def test_the_console_draws_it_and_says_what_it_cannot_read(api, container, past) -> None:
    async with signed_in(api, container) as browser:
        page = await browser.get("/trends", params={"filter": TAG})
        assert page.status_code == 200
        assert ": 0 at first, 7 at last" in page.text
        assert "8 were found, 0 reopened, 1 fixed" in page.text
        assert page.text.count('class="area') == 3, "high, medium and low"
        for asked in ({"filter": "colour:red"}, {"since": "yesterday"}, {"until": "1999-01-01"}):
            assert (await browser.get("/trends", params=asked)).status_code == 422
            assert (await browser.get("/targets/analytics", params=asked)).status_code == 422
        page = await browser.get("/targets/analytics", params={"filter": TAG, "by": "category"})
        assert "category%3Anone+tags%3Atrends" in page.text
        assert (await browser.get("/targets/analytics", params={"by": "luck"})).status_code == 422


async def test_what_ran_again_counts_once_with_how_it_ended(purple, client, tmp_path) -> None:
    marker = tmp_path / "marker"
    marker.write_text("127.25.2.1")
    await purple.container.targets.create(purple.organisation, "127.25.2.1", tags=["trends-again"])
    campaign = await purple.run("127.25.2.1", made={"mode": "fragile", "marker": str(marker)})
    marker.unlink()
    asked = {"filter": "tags:trends-again"}

    async def states() -> dict[str, int]:
        (tool,) = (await client.get("/metrics/scans", params=asked)).json()["tools"]
        return {name: number for name, number in tool["states"].items() if number}

    assert await states() == {"failed": 1}
    await client.post(f"/campaigns/{campaign.id}/retry-failed", json={}, headers={"Idempotency-Key": "trends-again"})
    async with asyncio.timeout(60):
        while await states() != {"complete": 1}:
            await asyncio.sleep(0.1)
