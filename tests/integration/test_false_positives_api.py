"""What is likely false, over HTTP and by the command line: verdicts teach, the list filters, a policy is off."""

import asyncio
import json
from uuid import uuid4

from tests.integration.test_api import is_problem
from tests.integration.test_search import verified

RULE = "made:often-wrong"


async def test_verdicts_teach_and_what_they_taught_is_told_everywhere(client, purple, purple_command) -> None:
    ports = list(range(1, 41))
    first = await purple.run("127.12.3.1", made={"flaws": ports, "rule": RULE})
    mine = f"campaign_id:{first.id}"
    false = {"filter": mine, "state": "false_positive", "why": "looked at each"}
    assert (await client.post("/vulnerabilities/triage", json=false)).json()["changed"] == len(ports)
    taught = (await client.post("/false-positives/model")).json()
    assert taught["learned"]["verdicts"] >= len(ports)
    assert taught["version"] == taught["learned"]["version"] > 0
    assert 0 <= taught["learned"]["figures"]["brier"] <= 1
    async with asyncio.timeout(60):
        while not (await client.get("/false-positives/model")).json()["scored"]:
            await asyncio.sleep(0.1)
    await purple.run("127.12.3.2", made={"flaws": [80], "rule": RULE})
    listed = await client.get("/vulnerabilities", params={"filter": "false_positive:>0.1 host:127.12.3.2"})
    (one,) = listed.json()["items"]
    assert one["false_positive"] > 0.5
    assert [each["name"] for each in one["doubts"]] == ["prior", "rule"]
    assert one["state"] == "open", "it proposes, and nothing more"
    rows = [*await purple.vulnerabilities("127.12.3.1"), *await purple.vulnerabilities("127.12.3.2")]
    assert len(rows) == len(ports) + 1
    assert not {each.id for each in rows}.intersection((await verified(purple)).difference.ids), (
        "search knows the score"
    )
    why = (await client.get(f"/vulnerabilities/{one['id']}/false-positive")).json()
    assert (why["score"], why["id"]) == (one["false_positive"], one["id"])
    assert why["reasons"][1]["detail"].endswith("verdicts on this rule said false positive")
    proposed = (await client.get("/false-positives", params={"filter": "host:127.12.3.2"})).json()["items"]
    assert [each["id"] for each in proposed] == ([one["id"]] if why["proposed"] else [])
    is_problem(await client.get(f"/vulnerabilities/{uuid4()}/false-positive"), 404)
    is_problem(await client.get("/false-positives", params={"filter": "colour:red"}), 422, field="filter")

    def command(*arguments: str) -> dict:
        done = purple_command("false-positive", *arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    shown = command("explain", one["id"])
    assert (shown["schema"], shown["score"]) == ("purple.false-positive/1", why["score"])
    assert [each["detail"] for each in shown["reasons"]] == [each["detail"] for each in why["reasons"]]
    assert command("model")["learned"]["verdicts"] >= len(ports)
    assert (
        command("list", "--filter", "host:127.12.3.2")["items"]
        == command("list", "--filter", f"id:{one['id']}")["items"]
    )
    assert "verdicts on this rule" in purple_command("false-positive", "explain", one["id"]).stdout


async def test_a_policy_is_off_until_it_is_set(client, purple, purple_command) -> None:
    assert (await client.get("/false-positives/policy")).json() == {"threshold": None, "below": "high"}
    for wrong, field in (({"threshold": 0.2}, "threshold"), ({"threshold": 0.9, "below": "critical"}, "below")):
        is_problem(await client.put("/false-positives/policy", json=wrong), 422, field=field)
    put = await client.put("/false-positives/policy", json={"threshold": 1.0, "below": "low"})
    assert put.json() == {"threshold": 1.0, "below": "low"}
    off = {"threshold": None, "below": "high"}
    late = await client.put("/false-positives/policy", json=off, headers={"If-Match": '"v0"'})
    is_problem(late, 412, field="If-Match")
    assert (await client.get("/false-positives/policy")).headers["ETag"] == put.headers["ETag"]
    done = purple_command("false-positive", "policy", "-o", "json")
    assert json.loads(done.stdout) == {"schema": "purple.false-positive-policy/1", "threshold": 1.0, "below": "low"}
    done = purple_command("false-positive", "policy", "--off", "-o", "json")
    assert json.loads(done.stdout)["threshold"] is None
    done = purple_command("false-positive", "policy", "--from", "0.5")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
    assert (await client.get("/false-positives/policy")).json()["threshold"] is None
