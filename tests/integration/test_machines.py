"""Targets that are one machine over HTTP, by the command line and on the console."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from purple.contracts.campaigns import CampaignRef
from tests.integration.db.conftest import Tenant
from tests.integration.test_api import is_problem
from tests.integration.test_console import signed_in

ADDRESS, NAME, URL = "127.31.0.7", "one.machines.example.org", "https://one.machines.example.org/"


@pytest.fixture
async def known(purple):
    """An address, a name that resolved to it and a URL of that name, with one flaw under each."""
    container, organisation = purple.container, purple.organisation
    contract = await container.authorisations.get(organisation, await purple.authorisation("127.31.0.0/24"))
    made = {}
    for value in (ADDRESS, NAME, URL):
        target = made[value] = await container.targets.ensure(organisation, value)
        tenant = Tenant(container.work, organisation, target, contract, datetime.now(UTC) - timedelta(days=2))
        campaign = await tenant.campaign(1)
        scan = await tenant.scan(campaign, target_id=target.id, host=target.address.host, address=ADDRESS)
        await tenant.record(tenant.sight(scan, 443))
        ref = CampaignRef(organisation_id=organisation, campaign_id=campaign.id, round=1)
        await container.analysis.analyse(ref)
    return {value: str(target.id) for value, target in made.items()}


@pytest.fixture
def told(purple_command):
    """What a command that succeeds writes as JSON."""

    def run(*arguments: str) -> dict:
        done = purple_command(*arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


async def shown(browser, rows: list[dict], **asked: str) -> list[str]:
    """Which of these the console's list shows."""
    page = (await browser.get("/vulnerabilities", params=asked)).text
    return [each["id"] for each in rows if f"/vulnerabilities/{each['id']}" in page]


async def test_a_machine_is_told_proposed_joined_and_come_apart(client, api, container, known, told) -> None:
    name, url, address = known[NAME], known[URL], known[ADDRESS]
    machine = (await client.get(f"/targets/{url}/machine")).json()
    assert (machine["machine_id"], machine["count"], machine["rulings"]) == (name, 1, [])
    assert (machine["others"][0]["target"]["value"], machine["others"][0]["because"]) == (NAME, "the same host")
    listed = await client.get("/targets", params={"filter": f"machine_id:{name}"})
    assert {each["id"] for each in listed.json()["items"]} == {name, url}
    proposed = (await client.get("/machines/proposals", params={"limit": 200})).json()["items"]
    (mine,) = [each for each in proposed if each["address"] == ADDRESS]
    assert (mine["target"]["id"], mine["other"]["id"], mine["names"]) == (url, address, 1)
    assert [each["target"] for each in told("target", "proposals", "--limit", "200")["items"]].count(URL) == 1
    joined = told("target", "same", NAME, ADDRESS, "--why", "one box")
    assert (joined["schema"], joined["count"], joined["vulnerabilities"]) == ("purple.machine/1", 2, 1)
    assert "resolved to" in joined["rulings"][0]["evidence"]
    risk = (await client.get(f"/targets/{url}/machine/risk")).json()
    assert (risk["score"], risk["count"], len(risk["worst"])) == (joined["risk"], 1, 1)

    filter_ = f"target_id:{name},{url},{address}"
    whole = (await client.get("/vulnerabilities", params={"filter": filter_})).json()["items"]
    (first,) = (await client.get("/vulnerabilities", params={"filter": filter_, "once": "true"})).json()["items"]
    assert ({each["twin"] for each in whole}, len(whole)) == ({first["twin"]}, 3)
    assert first["id"] == max((each["risk"], each["id"]) for each in whole)[1]
    twins = (await client.get(f"/vulnerabilities/{first['id']}/twins")).json()["items"]
    assert {each["id"] for each in twins} == {each["id"] for each in whole} - {first["id"]}
    assert len(told("vulnerability", "show", first["id"])["also_under"]) == 2
    async with signed_in(api, container) as browser:
        page = (await browser.get(f"/vulnerabilities/{first['id']}")).text
        assert page.count(f"/vulnerabilities/{twins[0]['id']}") == 1
        assert await shown(browser, whole, filter=filter_, once="true") == [first["id"]]
        async with asyncio.timeout(60):  # words are found when the index has been told
            while len(await shown(browser, whole, filter=filter_, q="made")) < len(whole):
                await asyncio.sleep(0.1)
        assert await shown(browser, whole, filter=filter_, q="made", once="true") == [first["id"]]

    undo = f"/machines/rulings/{joined['rulings'][0]['id']}/undo"
    assert (await client.post(undo, json={"why": "it moved"})).json()["undone_by"] == "admin"
    assert (await client.get(f"/targets/{name}/machine")).json()["count"] == 1


async def test_what_cannot_be_said_of_machines_is_refused(client, api, container, known, purple_command) -> None:
    name, url, address = known[NAME], known[URL], known[ADDRESS]
    async with signed_in(api, container) as browser:
        assert f"{URL} and {ADDRESS} are the same machine" in (await browser.get("/targets/machines")).text
        decided = {"target": url, "other": address, "same": "no", "why": "a shared front"}
        assert (await browser.post("/targets/machines", data=decided)).status_code == 303
        assert ADDRESS not in (await browser.get("/targets/machines")).text
        again = await browser.post("/targets/machines", data=decided)
        assert (again.status_code, "not the same machine: a shared front" in again.text) == (409, True)
        said = await browser.post(f"/targets/{name}/machine", data={"other": "nowhere.example.org", "same": "yes"})
        assert (said.status_code, "not registered" in said.text) == (422, True)
        (ruling,) = (await client.get(f"/targets/{url}/machine")).json()["rulings"]
        path = f"/targets/{url}/machine/rulings/{ruling['id']}/undo"
        undone = [await browser.post(path, data={"why": "Undone"}) for _ in range(2)]
        assert [each.status_code for each in undone] == [303, 409]
    split = await client.post(f"/targets/{name}/machine/split", json={"other": url, "why": "behind a balancer"})
    assert (split.status_code, split.json()["count"], len(split.json()["rulings"])) == (201, 0, 1)
    path = f"/targets/{name}/machine/join"
    is_problem(await client.post(path, json={"other": url, "why": "no"}), 409, field="other")
    is_problem(await client.post(path, json={"other": name, "why": "no"}), 422, field="other")
    is_problem(await client.post(path.replace(name, str(uuid4())), json={"other": url, "why": "no"}), 404)
    is_problem(await client.get("/machines/proposals", params={"limit": 0}), 422)
    assert "is not" in purple_command("target", "machine", NAME, COLUMNS="200").stdout
    undo = f"/machines/rulings/{split.json()['rulings'][0]['id']}/undo"
    assert (await client.post(undo, json={"why": "one again"})).status_code == 200
    done = purple_command("target", "apart", NAME, NAME, "--why", "x")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
