"""Which sightings are one vulnerability, over HTTP and by the command line."""

import json
from uuid import uuid4

from tests.integration.test_api import is_problem
from tests.integration.test_life_api import found


async def both(purple, client, host: str) -> tuple[dict, dict]:
    """Two vulnerabilities, each seen by another rule of a tool, at one port."""
    (one,) = await found(purple, client, host, 80)
    campaign = await purple.run(host, made={"flaws": [80], "rule": "made:other"})
    query = {"filter": f"campaign_id:{campaign.id}"}
    (other,) = (await client.get("/vulnerabilities", params=query)).json()["items"]
    assert other["id"] != one["id"]
    return one, other


async def test_what_is_joined_explains_itself_and_is_split_again(client, purple) -> None:
    one, other = await both(purple, client, "127.12.2.1")
    path = f"/vulnerabilities/{one['id']}"
    asked = {"others": [other["id"]], "why": "the same check twice"}
    is_problem(await client.post(f"{path}/join", json=asked), 428, field="If-Match")
    is_problem(await client.post(f"{path}/join", json=asked, headers={"If-Match": '"v7"'}), 412)
    mine = {"If-Match": (await client.get(path)).headers["ETag"]}
    is_problem(await client.post(f"{path}/join", json=asked | {"others": []}, headers=mine), 422, field="others")
    is_problem(await client.post(f"{path}/join", json=asked | {"others": [str(uuid4())]}, headers=mine), 404)
    joined = await client.post(f"{path}/join", json=asked, headers=mine)
    assert joined.status_code == 200, joined.text
    told = (await client.get(f"{path}/correlation")).json()
    assert {each["name"]: each["value"] for each in told["parts"]} == {"weakness": "made:flaw", "port": "80"}
    assert [(each["tool"], each["rule"]) for each in told["witnesses"]] == [
        ("made", "made:flaw"),
        ("made", "made:other"),
    ]
    assert [(each["actor"], each["why"]) for each in told["rulings"]] == [("admin", "the same check twice")]
    gone = (await client.get(f"/vulnerabilities/{other['id']}")).json()
    assert (gone["state"], gone["tools"]) == ("duplicate", [])
    assert (await client.get(f"/vulnerabilities/{other['id']}/correlation")).json()["duplicate_of"] == one["id"]
    was = (await client.get(f"/vulnerabilities/{other['id']}/risk")).json()
    assert was["score"] == other["risk"], "as it was last"
    edit = {"state": "open", "why": "no"}
    tag = {"If-Match": f'"v{gone["version"]}"'}
    refused = is_problem(await client.patch(f"/vulnerabilities/{other['id']}", json=edit, headers=tag), 409)
    assert refused["remedy"] == "undo what joined it with another"
    mine = {"If-Match": joined.headers["ETag"]}
    wrong = {"tool": "made", "rule": "made:nothing", "why": "x"}
    is_problem(await client.post(f"{path}/split", json=wrong, headers=mine), 422, field="rule")
    made = await client.post(f"{path}/split", json=wrong | {"rule": "made:other"}, headers=mine)
    assert made.status_code == 201, made.text
    assert made.headers["Location"].endswith(f"/vulnerabilities/{made.json()['id']}")
    assert made.json()["id"] not in {one["id"], other["id"]}
    (ruling,) = (await client.get(f"/vulnerabilities/{made.json()['id']}/correlation")).json()["rulings"]
    undo = f"/vulnerabilities/rulings/{ruling['id']}/undo"
    undone = await client.post(undo, json={"why": "it is one"})
    assert undone.status_code == 200, undone.text
    assert undone.json()["undone_by"] == "admin"
    is_problem(await client.post(undo, json={"why": "again"}), 409)
    is_problem(await client.post(f"/vulnerabilities/rulings/{uuid4()}/undo", json={"why": "x"}), 404)


async def test_the_command_line_does_the_same(client, purple, purple_command) -> None:
    def told(*arguments: str) -> dict:
        done = purple_command("vulnerability", *arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    one, other = await both(purple, client, "127.12.2.2")
    assert told("join", one["id"], other["id"], "--why", "the same")["tools"] == ["made"]
    shown = told("explain", one["id"])
    assert shown["schema"] == "purple.correlation/1"
    assert shown["parts"] == {"weakness": "made:flaw", "port": "80"}
    assert "made:other" in purple_command("vulnerability", "explain", one["id"]).stdout
    made = told("split", one["id"], "--tool", "made", "--rule", "made:other", "--why", "another")
    assert (made["state"], made["id"] in {one["id"], other["id"]}) == ("open", False)
    assert told("undo-ruling", shown["rulings"][0]["id"], "--why", "they are two")["undone_by"] == "admin"
    assert told("explain", other["id"])["duplicate_of"] is None
    done = purple_command("vulnerability", "join", one["id"], one["id"], "--why", "x")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)


async def test_root_causes_are_listed_and_lead_to_their_vulnerabilities(client, purple, purple_command) -> None:
    rows = await found(purple, client, "127.12.2.3", 80, 81)
    terms = f"target_id:{rows[0]['target_id']}"
    told = (await client.get("/vulnerabilities/causes", params={"filter": terms})).json()
    assert (told["number"], told["items"][0]["cause"], told["items"][0]["vulnerabilities"]) == (1, "made:flaw", 2)
    assert told["items"][0]["total"] == sum(each["risk"] for each in rows)
    listed = await client.get("/vulnerabilities", params={"filter": f"{terms} cause:made:flaw"})
    assert {each["id"] for each in listed.json()["items"]} == {each["id"] for each in rows}
    is_problem(await client.get("/vulnerabilities/causes", params={"filter": "colour:red"}), 422, field="filter")
    is_problem(await client.get("/vulnerabilities/causes", params={"limit": "0"}), 422)
    done = purple_command("vulnerability", "causes", "--filter", terms, "-o", "json")
    assert json.loads(done.stdout)["items"] == told["items"]
    assert "made:flaw" in purple_command("vulnerability", "causes", "--filter", terms).stdout
