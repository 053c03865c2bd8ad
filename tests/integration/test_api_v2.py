"""Version 2 of the API: the graph of sightings, sparse fields, risk and compliance, and batches."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from fastapi import Depends, FastAPI

from api.succession import succession
from tests.integration.test_api import is_problem
from tests.support.running import Purple


@pytest.fixture(scope="module")
async def client(api, container):
    headers = {"Authorization": f"Bearer {await container.identity.first_token()}"}
    async with httpx.AsyncClient(base_url=f"{api}/api", headers=headers, timeout=60) as made:
        yield made


@pytest.fixture(scope="module")
async def found(container, workers):
    """What two campaigns saw of one target; the second does not see the third flaw."""
    purple = Purple(container)
    first = await purple.run("127.42.0.1", "made", made={"flaws": [7, 8, 9]})
    second = await purple.run("127.42.0.1", "made", made={"flaws": [7, 8]})
    rows = await purple.vulnerabilities("127.42.0.1")
    return {each.port: each for each in rows}, (first.id, second.id)


async def test_a_vulnerability_has_its_target_and_all_that_saw_it(client, found) -> None:
    rows, campaigns = found
    answer = await client.get(f"/v2/vulnerabilities/{rows[7].id}")
    told = answer.json()
    assert answer.headers["ETag"] == f'"v{told["version"]}"'
    assert (told["target"]["id"], told["target"]["value"]) == (str(rows[7].target_id), "127.42.0.1")
    assert [each["campaign_id"] for each in told["sightings"]] == [str(each) for each in reversed(campaigns)]
    seen = told["sightings"][0]
    assert (seen["tool"], seen["scan_state"], seen["title"]) == ("made", "complete", told["title"])
    for each in told["sightings"]:
        observation = (await client.get(f"/v1/observations/{each['observation_id']}")).json()
        assert (observation["scan_id"], observation["rule"]) == (each["scan_id"], each["rule"])
    once = (await client.get(f"/v2/vulnerabilities/{rows[9].id}", params={"fields": "port,sightings"})).json()
    assert set(once) == {"id", "port", "sightings"}
    assert [each["campaign_id"] for each in once["sightings"]] == [str(campaigns[0])]
    is_problem(await client.get(f"/v2/vulnerabilities/{uuid4()}"), 404)


async def test_a_list_has_the_fields_that_are_asked_for(client, found) -> None:
    rows, _ = found
    mine = {"filter": f"target_id:{rows[7].target_id}", "sort": "port"}
    usual = (await client.get("/v2/vulnerabilities", params=mine)).json()["items"]
    assert [each["port"] for each in usual] == [7, 8, 9]
    assert {"title", "risk", "tools"} <= set(usual[0])
    assert not {"sightings", "target"} & set(usual[0])
    few = (await client.get("/v2/vulnerabilities", params=mine | {"fields": " port ,target"})).json()["items"]
    assert [set(each) for each in few] == [{"id", "port", "target"}] * 3
    assert {each["target"]["value"] for each in few} == {"127.42.0.1"}
    page = (await client.get("/v2/vulnerabilities", params=mine | {"limit": 2, "fields": "sightings"})).json()
    assert [len(each["sightings"]) for each in page["items"]] == [2, 2]
    rest = {"cursor": page["next_cursor"], "limit": 2, "fields": "port"}
    assert [each["port"] for each in (await client.get("/v2/vulnerabilities", params=mine | rest)).json()["items"]] == [
        9
    ]
    wrong = is_problem(await client.get("/v2/vulnerabilities", params={"fields": "colour"}), 422, field="fields")
    assert "sightings" in wrong["remedy"]


async def test_each_edit_of_a_batch_has_its_own_result(client, found) -> None:
    rows, _ = found
    now = {port: (await client.get(f"/v2/vulnerabilities/{each.id}")).json()["version"] for port, each in rows.items()}
    items = [
        {"id": str(rows[7].id), "version": now[7], "state": "confirmed", "why": "seen by hand"},
        {"id": str(rows[8].id), "version": now[8] + 5, "owner": "admin"},
        {"id": str(uuid4()), "version": 1, "owner": "admin"},
        {"id": str(rows[8].id), "version": now[8], "state": "confirmed"},
        {"id": str(rows[8].id), "version": now[8], "owner": "admin"},
    ]
    answer = await client.post("/v2/vulnerabilities/batch", json={"items": items})
    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert (told["done"], told["failed"]) == (2, 3)
    assert [each["status"] for each in told["results"]] == [200, 412, 404, 422, 200]
    assert [each["index"] for each in told["results"]] == [0, 1, 2, 3, 4]
    assert "problem" not in told["results"][0]
    assert told["results"][3]["problem"]["field"] == "why"
    one = (await client.get(f"/v2/vulnerabilities/{rows[7].id}", params={"fields": "state,version"})).json()
    assert (one["state"], one["version"]) == ("confirmed", told["results"][0]["version"])
    assert (await client.get(f"/v2/vulnerabilities/{rows[8].id}")).json()["owner"] == "admin"
    is_problem(await client.post("/v2/vulnerabilities/batch", json={"items": []}), 422, field="items")


async def test_targets_have_risk_and_compliance_where_they_are_asked_for(client, found) -> None:
    rows, _ = found
    path = f"/targets/{rows[7].target_id}"
    version = (await client.get(f"/v1{path}")).headers["ETag"]
    changes = {"frameworks": ["cis", "gdpr"], "custom": {"rack": "7"}}
    assert (await client.patch(f"/v1{path}", json=changes, headers={"If-Match": version})).status_code == 200
    whole = (await client.get(f"/v2{path}")).json()
    assert whole["risk"] == (await client.get(f"/v1{path}/risk")).json()["score"]
    assert (set(whole["compliance"]), whole["custom"]) == ({"cis", "gdpr"}, {"rack": "7"})
    standing = (await client.get("/v1/compliance/cis", params={"filter": f"id:{whole['id']}"})).json()
    counts = {"met": 0, "not_met": 0, "not_tested": 0}
    for control in standing["controls"]:
        for status, number in control["targets"].items():
            counts[status] += number
    assert whole["compliance"]["cis"] == counts
    mine = {"filter": "value:127.42.0.1"}
    (usual,) = (await client.get("/v2/targets", params=mine)).json()["items"]
    assert not {"risk", "compliance"} & set(usual)
    (few,) = (await client.get("/v2/targets", params=mine | {"fields": "risk,value"})).json()["items"]
    assert few == {"id": whole["id"], "value": "127.42.0.1", "risk": whole["risk"]}


async def test_targets_are_made_and_changed_each_by_itself(client) -> None:
    items = [{"value": "127.42.1.1", "custom": {"row": "1"}}, {"value": "a b"}, {"value": "127.42.1.1"}]
    made = (await client.post("/v2/targets/batch", json={"items": items})).json()
    assert [each["status"] for each in made["results"]] == [201, 422, 409]
    first = made["results"][0]
    edits = [
        {"id": first["id"], "version": first["version"], "name": "one", "custom": {"row": "2"}},
        {"id": first["id"], "version": first["version"], "name": "two"},
    ]
    told = (await client.patch("/v2/targets/batch", json={"items": edits})).json()
    assert [each["status"] for each in told["results"]] == [200, 412]
    one = (await client.get(f"/v2/targets/{first['id']}", params={"fields": "name,custom,version,tags"})).json()
    assert one == {"id": first["id"], "name": "one", "custom": {"row": "2"}, "version": 2, "tags": []}


async def test_version_1_says_what_came_after_it(client, found) -> None:
    rows, _ = found
    for path, succeeded in (
        ("/vulnerabilities", True), (f"/vulnerabilities/{rows[7].id}", True), ("/targets", True), ("/campaigns", False),
        ("/vulnerabilities/causes", False),
    ):  # fmt: skip
        headers = (await client.get(f"/v1{path}")).headers
        assert ("Deprecation" in headers) is succeeded, path
        assert "Sunset" not in headers, "no end is planned"
        if succeeded:
            at = datetime.fromtimestamp(int(headers["Deprecation"].removeprefix("@")), UTC)
            assert at <= datetime.now(UTC) + timedelta(days=1)
            assert headers["Link"] == f'</api/v2{path}>; rel="successor-version"'
    assert "Deprecation" not in (await client.get("/v2/targets")).headers
    is_problem(await client.get("/v1/targets/ßü€"), 422)  # no header holds such a path


async def test_an_end_that_is_planned_is_told() -> None:
    app = FastAPI(dependencies=[Depends(succession(date(2028, 2, 29)))])

    @app.get("/api/v1/targets", name="list_targets")
    async def targets() -> list[str]:
        return []

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://purple") as made:
        assert (await made.get("/api/v1/targets")).headers["Sunset"] == "Tue, 29 Feb 2028 00:00:00 GMT"
