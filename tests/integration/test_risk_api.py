"""Risk and what others publish, over HTTP and by the command line."""

import asyncio
import json
from uuid import uuid4

import httpx
import pytest

from cli.main import main
from purple.enrichment import SHIPPED
from tests.integration.test_api import is_problem
from tests.support.running import Purple, asking


@pytest.fixture(scope="module")
async def client(api, container):
    async with asking(api, await container.identity.first_token()) as made:
        yield made


@pytest.fixture(scope="module")
async def found(container, workers, client) -> list[dict]:
    """Two flaws on a target of their own, the first seen one first."""
    campaign = await Purple(container).run("127.14.1.1", made={"flaws": [80, 81]})
    query = {"filter": f"campaign_id:{campaign.id}", "sort": "port"}
    return (await client.get("/vulnerabilities", params=query)).json()["items"]


def total(answer: dict) -> int:
    return sum(part["points"] for part in answer["parts"])


async def test_a_risk_is_the_sum_of_its_parts_everywhere(client, found) -> None:
    first = found[0]
    assert sum(part["points"] for part in first["risk_parts"]) == first["risk"]
    assert first["risk_reasons"][0].startswith(first["risk_parts"][0]["detail"])
    why = (await client.get(f"/vulnerabilities/{first['id']}/risk")).json()
    assert (why["parts"], why["score"]) == (first["risk_parts"], first["risk"])
    assert (why["ssvc"]["decision"], len(why["ssvc"]["points"]), why["cvss"]) == ("track", 4, None)
    target = (await client.get(f"/targets/{first['target_id']}/risk")).json()
    assert (target["count"], total(target)) == (2, target["score"])
    assert {each["id"] for each in target["worst"]} == {each["id"] for each in found}
    whole = (await client.get("/risk")).json()
    assert whole["score"] == total(whole) >= target["score"] >= first["risk"]
    is_problem(await client.get(f"/vulnerabilities/{uuid4()}/risk"), 404)
    is_problem(await client.get(f"/targets/{uuid4()}/risk"), 404)


async def test_what_an_asset_is_can_be_told_and_counts(client, found) -> None:
    path = f"/targets/{found[0]['target_id']}"
    before = (await client.get(f"{path}/risk")).json()["worst"][0]["score"]
    tag = (await client.get(path)).headers["ETag"]
    asked = {"exposure": "internet", "data_class": "restricted", "controls": ["waf"]}
    done = await client.patch(path, json=asked, headers={"If-Match": tag})
    assert {name: done.json()[name] for name in asked} == asked
    assert (await client.get(f"{path}/risk")).json()["worst"][0]["score"] == min(100, before + 10 + 8 - 4)
    is_problem(await client.patch(path, json={"controls": ["luck"]}, headers={"If-Match": done.headers["ETag"]}), 422)
    listed = (await client.get("/targets", params={"filter": "controls:waf data_class:restricted"})).json()["items"]
    assert found[0]["target_id"] in {each["id"] for each in listed}


async def test_weights_are_tried_and_put_back(client, found) -> None:
    shipped = (await client.get("/risk/weights")).json()
    assert (shipped["own"], shipped["weights"]["kev"]) == (False, 15)
    changes = {"severity_high": 20, "severity_medium": 20, "severity_critical": 20}
    trial = (await client.post("/risk/try", json={"weights": changes})).json()
    assert trial["looked_at"] == trial["of"] >= 2
    assert trial["lowered"] >= 2
    assert all(total(each[side]) == each[side]["score"] for each in trial["shifts"] for side in ("before", "after"))
    assert sum(band["before"] for band in trial["bands"]) == sum(band["after"] for band in trial["bands"])
    etag = (await client.get("/risk/weights")).headers["ETag"]
    both = [{"weights": {"kev": 19}}, {"weights": {"kev": 20}}]
    done = await asyncio.gather(*(client.put("/risk/weights", json=each, headers={"If-Match": etag}) for each in both))
    assert sorted(each.status_code for each in done) == [200, 412], "of two that read the same one is refused"
    apart = [{"weights": {"exposure_internet": 11}}, {"weights": {"kev": 20}}]
    await asyncio.gather(*(client.put("/risk/weights", json=each) for each in apart))
    merged = (await client.get("/risk/weights")).json()["weights"]
    assert (merged["exposure_internet"], merged["kev"]) == (11, 20)
    put = (await client.put("/risk/weights", json={"weights": {"kev": 20}})).json()
    assert (put["own"], put["weights"]["kev"], put["weights"]["epss"]) == (True, 20, 10)
    is_problem(await client.put("/risk/weights", json={"weights": {"luck": 1}}), 422, field="weights")
    is_problem(await client.post("/risk/try", json={"weights": {"kev": 1000}}), 422, field="weights.kev")
    back = (await client.put("/risk/weights", json={"weights": None})).json()
    assert (back["own"], back["weights"]) == (False, shipped["weights"])


def test_the_command_line_tells_the_same(found, capsys, tmp_path) -> None:
    def told(*arguments: str) -> dict:
        assert main([*arguments, "-o", "json"]) == 0, arguments
        return json.loads(capsys.readouterr().out)

    first = found[0]
    why = told("risk", "vulnerability", first["id"])
    assert (why["schema"], why["score"]) == ("purple.vulnerability-risk/1", total(why))
    target = told("risk", "target", first["target_id"])
    assert (target["schema"], target["count"]) == ("purple.risk/1", 2)
    assert told("risk", "show")["score"] >= target["score"]
    assert told("risk", "weights")["weights"]["kev"] == 15
    assert told("risk", "try", "kev=20")["schema"] == "purple.risk-trial/1"
    assert main(["risk", "try", "kev"]) == main(["risk", "set"]) == main(["risk", "try", "luck=1"]) == 2
    assert told("risk", "set", "kev=20")["own"]
    assert not told("risk", "set", "--shipped")["own"]
    edited = told("target", "edit", first["target_id"], "--data-class", "public", "--control", "monitoring")
    assert (edited["data_class"], edited["controls"]) == ("public", ["monitoring"])
    assert main(["data", "update", "cwe", "--from", str(SHIPPED)]) == 0
    assert main(["data", "update", "--from", str(tmp_path)]) == 2
    (tmp_path / "known_exploited_vulnerabilities.json").write_text("{")
    assert main(["data", "update", "--from", str(tmp_path)]) == 1, "nothing came"
    for file in SHIPPED.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    capsys.readouterr()
    assert main(["data", "update", "--from", str(tmp_path)]) == 5
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines()[-2:]] == ["kev", "cwe"]
    shown = {each["dataset"]: each for each in told("data", "show")["items"]}
    assert (shown["cwe"]["version"], shown["kev"]["age"]) == ("4.15", "not there")
    for table in (
        ["risk", "show"],
        ["risk", "vulnerability", first["id"]],
        ["risk", "try", "kev=20"],
        ["data", "show"],
    ):
        assert main(table) == 0


async def test_the_age_of_what_others_publish_is_told(client, api) -> None:
    items = {each["dataset"]: each for each in (await client.get("/data")).json()["items"]}
    assert list(items) == ["kev", "epss", "cve", "cwe", "capec", "attack"]
    assert (items["kev"]["facts"], items["kev"]["age_days"]) == (0, None)
    async with httpx.AsyncClient(timeout=60) as anybody:
        health = (await anybody.get(f"{api}/health")).json()
    assert "epss not there" in health["dependencies"]["data"]["detail"]
