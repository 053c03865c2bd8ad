"""The life of vulnerabilities over HTTP and by the command line."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.integration.test_api import is_problem

HOSTILE = "<script>alert(1)</script> [bold]"


async def found(purple, client, host: str, *ports: int) -> list[dict]:
    campaign = await purple.run(host, made={"flaws": list(ports)})
    query = {"filter": f"campaign_id:{campaign.id}", "sort": "port"}
    return (await client.get("/vulnerabilities", params=query)).json()["items"]


async def test_an_edit_needs_the_version_and_a_why_and_is_in_the_history(client, purple) -> None:
    (one,) = await found(purple, client, "127.12.1.1", 80)
    path = f"/vulnerabilities/{one['id']}"
    tag = (await client.get(path)).headers["ETag"]
    confirmed = {"state": "confirmed", "why": "seen by hand", "owner": "admin"}
    is_problem(await client.patch(path, json=confirmed), 428, field="If-Match")
    is_problem(await client.patch(path, json=confirmed, headers={"If-Match": '"v99"'}), 412)
    mine = {"If-Match": tag}
    is_problem(await client.patch(path, json={"state": "confirmed"}, headers=mine), 422, field="why")
    is_problem(await client.patch(path, json={"state": "fixed", "why": "x"}, headers=mine), 409, field="state")
    is_problem(await client.patch(path, json={"owner": "nobody"}, headers=mine), 422, field="owner")
    is_problem(await client.patch(path, json={"colour": "red"}, headers=mine), 422)
    is_problem(await client.patch(path, json={"due_at": "2026-01-01T00:00:00"}, headers=mine), 422, field="due_at")
    done = await client.patch(path, json=confirmed, headers=mine)
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["owner"], done.headers["ETag"]) == ("confirmed", "admin", '"v2"')
    is_problem(await client.patch(path, json=confirmed, headers=mine), 412)
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    accepted = {"state": "risk_accepted", "why": "later", "accepted_until": until, "due_at": until}
    done = await client.patch(path, json=accepted, headers={"If-Match": '"v2"'})
    assert datetime.fromisoformat(done.json()["accepted_until"]) == datetime.fromisoformat(until)
    assert done.json()["due_by_hand"]
    longer = {**accepted, "why": "not yet", "accepted_until": (datetime.now(UTC) + timedelta(days=9)).isoformat()}
    done = await client.patch(path, json=longer, headers={"If-Match": '"v3"'})
    assert (done.status_code, done.json()["state"]) == (200, "risk_accepted"), done.text
    told = (await client.get(f"{path}/history")).json()["items"]
    assert [(each["actor"], each["cause"], each["why"], each["version"]) for each in told] == [
        ("admin", "person", "not yet", 4),
        ("admin", "person", "later", 3),
        ("admin", "person", "seen by hand", 2),
    ]
    assert told[2]["before"] == {"state": "open", "owner": ""}
    page = (await client.get(f"{path}/history", params={"limit": 1})).json()
    rest = (await client.get(f"{path}/history", params={"cursor": page["next_cursor"]})).json()["items"]
    assert [each["version"] for each in rest] == [3, 2]
    listed = (await client.get("/vulnerabilities", params={"filter": f"id:{one['id']} owner:admin"})).json()["items"]
    assert [each["version"] for each in listed] == [4]


async def test_comments_are_kept_as_they_are(client, purple) -> None:
    (one,) = await found(purple, client, "127.12.1.2", 80)
    path = f"/vulnerabilities/{one['id']}/comments"
    said = await client.post(path, json={"body": HOSTILE})
    assert said.status_code == 201, said.text
    assert [(each["author"], each["body"]) for each in (await client.get(path)).json()["items"]] == [("admin", HOSTILE)]
    is_problem(await client.post(path, json={"body": ""}), 422, field="body")
    is_problem(await client.post(f"/vulnerabilities/{uuid4()}/comments", json={"body": "x"}), 404)


async def test_many_are_triaged_after_a_look_once_a_key_and_put_back(client, purple) -> None:
    rows = await found(purple, client, "127.12.1.3", 80, 81, 82)
    terms = f"target_id:{rows[0]['target_id']}"
    asked = {"filter": terms, "state": "false_positive", "why": "a lab"}
    seen = (await client.post("/vulnerabilities/triage", json=asked | {"preview": True})).json()
    assert (seen["operation_id"], seen["changed"], seen["changes"]) == (None, 3, {"open": 3})
    done = await client.post("/vulnerabilities/triage", json=asked, headers={"Idempotency-Key": "life-1"})
    assert done.status_code == 200, done.text
    again = await client.post("/vulnerabilities/triage", json=asked, headers={"Idempotency-Key": "life-1"})
    assert again.json() == done.json()
    other = asked | {"why": "other"}
    is_problem(await client.post("/vulnerabilities/triage", json=other, headers={"Idempotency-Key": "life-1"}), 409)
    refused = (await client.post("/vulnerabilities/triage", json=asked)).json()
    assert (refused["changed"], [each["state"] for each in refused["refused"]]) == (0, ["false_positive"])
    back = {"state": "open", "why": "it is real"}
    await client.patch(f"/vulnerabilities/{rows[0]['id']}", json=back, headers={"If-Match": '"v2"'})
    undone = await client.post(f"/vulnerabilities/triage/{done.json()['operation_id']}/undo")
    assert undone.status_code == 200, undone.text
    assert (undone.json()["restored"], [each["id"] for each in undone.json()["left"]]) == (2, [rows[0]["id"]])
    is_problem(await client.post(f"/vulnerabilities/triage/{done.json()['operation_id']}/undo"), 409)
    terms_of = {"filter": "actor:admin undone_by:admin", "limit": 1}
    (past,) = (await client.get("/vulnerabilities/triage", params=terms_of)).json()["items"]
    assert (past["id"], past["why"], past["changed"]) == (done.json()["operation_id"], "a lab", 3)
    assert past["asked"]["filter"] == terms
    is_problem(await client.post(f"/vulnerabilities/triage/{uuid4()}/undo"), 404)
    states = (await client.get("/vulnerabilities", params={"filter": terms})).json()["items"]
    assert {each["state"] for each in states} == {"open"}
    due = {"filter": terms, "due_at": "2126-01-31T12:00:00Z", "why": "an audit"}
    for key, changed in (("life-2", due), ("life-3", due | {"due_at": None})):
        dated = await client.post("/vulnerabilities/triage", json=changed, headers={"Idempotency-Key": key})
        assert dated.json()["changed"] == 3, dated.text
        found_now = (await client.get("/vulnerabilities", params={"filter": terms})).json()["items"]
        assert {each["due_at"] == due["due_at"] for each in found_now} == {key == "life-2"}
    without = {"filter": terms, "why": "an audit"}
    is_problem(await client.post("/vulnerabilities/triage", json=without, headers={"Idempotency-Key": "life-2"}), 409)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "triaged", "why": "x"}, "ids"),
        ({"state": "triaged", "why": "x", "ids": [str(uuid4())], "filter": "state:open"}, "ids"),
        ({"why": "x", "filter": "state:open"}, "state"),
        ({"state": "triaged", "why": " ", "filter": "state:open"}, "why"),
        ({"state": "triaged", "why": "x", "filter": "colour:red"}, "filter"),
        ({"state": "risk_accepted", "why": "x", "filter": "state:open"}, "accepted_until"),
        ({"state": "triaged", "why": "x", "ids": [str(uuid4())] * 5001}, "ids"),
    ],
)
async def test_a_triage_that_cannot_be_names_the_field(client, body, field) -> None:
    is_problem(await client.post("/vulnerabilities/triage", json=body), 422, field=field)


async def test_the_command_line_does_the_same(client, purple, purple_command) -> None:
    def told(*arguments: str) -> dict:
        done = purple_command("vulnerability", *arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    rows = await found(purple, client, "127.12.1.4", 80, 81)
    terms = f"target_id:{rows[0]['target_id']}"
    one = rows[0]["id"]
    assert told("assign", one, "admin")["owner"] == "admin"
    accepted = told("edit", one, "--to", "risk_accepted", "--until", "7d", "--why", "behind a firewall")
    assert (accepted["state"], accepted["version"]) == ("risk_accepted", 3)
    longer = told("edit", one, "--to", "risk_accepted", "--until", "90d", "--why", "until the move")
    assert (longer["version"], longer["accepted_until"] > accepted["accepted_until"]) == (4, True)
    assert told("comment", one, HOSTILE)["body"] == HOSTILE
    assert HOSTILE in purple_command("vulnerability", "comments", one).stdout
    assert [each["cause"] for each in told("history", one)["items"]] == ["person", "person", "person"]
    asked = ("triage", "--filter", terms, "--to", "confirmed", "--due", "3d", "--why", "seen")
    assert told(*asked, "--preview")["changed"] == 1
    done = told(*asked)
    assert (done["schema"], done["changed"], done["refused"][0]["state"]) == ("purple.triage/1", 1, "risk_accepted")
    assert told("undo", done["operation_id"])["restored"] == 1
    (past,) = told("triages", "--limit", "1")["items"]
    assert (past["id"], past["changes"], past["undone_by"]) == (done["operation_id"], {"open": 1}, "admin")
    refused = purple_command("vulnerability", "edit", one, "--to", "fixed", "--why", "x")
    assert (refused.returncode, len(refused.stderr.strip().splitlines())) == (1, 1)
    assert purple_command("vulnerability", "triage", "--to", "open", "--why", "x").returncode == 2


async def test_the_rules_of_due_dates_are_read_and_put(client, purple, purple_command) -> None:
    shipped = (await client.get("/sla")).json()
    assert {"severity": "critical", "days": 7, "exposure": "internet", "unit_id": None} in shipped["rules"]
    rules = [{"severity": "high", "days": 5}, {"severity": "high", "days": 2, "exposure": "partner"}]
    before = {"If-Match": (await client.get("/sla")).headers["ETag"]}
    put = await client.put("/sla", json={"rules": rules}, headers=before)
    assert put.status_code == 200, put.text
    assert [each["days"] for each in put.json()["rules"]] == [5, 2]
    assert put.headers["ETag"] == (await client.get("/sla")).headers["ETag"] != before["If-Match"]
    is_problem(await client.put("/sla", json={"rules": []}, headers=before), 412, field="If-Match")
    is_problem(await client.put("/sla", json={"rules": [rules[0], rules[0]]}), 422, field="rules")
    is_problem(await client.put("/sla", json={"rules": [{"severity": "high", "days": 0}]}), 422)
    (one,) = await found(purple, client, "127.12.1.5", 80)
    path = f"/targets/{one['target_id']}"
    tag = (await client.get(path)).headers["ETag"]

    async def days() -> int:
        now = (await client.get(f"/vulnerabilities/{one['id']}")).json()
        return (datetime.fromisoformat(now["due_at"]) - datetime.fromisoformat(now["first_seen"])).days

    assert await days() == 5
    edited = await client.patch(path, json={"exposure": "partner"}, headers={"If-Match": tag})
    assert edited.json()["exposure"] == "partner"
    assert await days() == 2
    shown = json.loads(purple_command("sla", "show", "-o", "json").stdout)
    assert [each["days"] for each in shown["rules"]] == [5, 2]
    assert purple_command("sla", "set", "high@nowhere=3").returncode == 2
    assert purple_command("sla", "set").returncode == 2
    done = purple_command("sla", "set", "medium=9", "high@internet=3", "-o", "json")
    assert [each["severity"] for each in json.loads(done.stdout)["rules"]] == ["high", "medium"]
    back = purple_command("sla", "set", "--shipped", "-o", "json")
    assert json.loads(back.stdout)["rules"] == [each | {"unit": ""} for each in shipped["rules"]]


async def test_the_relay_ends_what_is_over_and_tells_what_is_overdue(client, purple) -> None:
    (one,) = await found(purple, client, "127.12.1.6", 80)
    path = f"/vulnerabilities/{one['id']}"
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    body = {"state": "risk_accepted", "accepted_until": soon, "due_at": soon, "why": "for a second"}
    assert (await client.patch(path, json=body, headers={"If-Match": '"v1"'})).status_code == 200

    async def told() -> list[str]:
        async with purple.container.work(purple.organisation) as uow:
            events = await uow.events.after(0, 100_000)
            return [each.type for each in events if str(each.subject_id) == one["id"]]

    async with asyncio.timeout(60):
        while "vulnerability.overdue" not in await told():
            await asyncio.sleep(0.2)
    now = (await client.get(path)).json()
    assert (now["state"], now["accepted_until"], now["version"]) == ("open", None, 3)
    assert (await told()).count("vulnerability.overdue") == 1
