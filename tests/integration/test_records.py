"""What happened is searched as what was found is: scans, the log of actions, samples of health; on real servers."""

import asyncio
import json
from dataclasses import replace

import httpx
import pytest

from purple.domain.queries import parse_query
from purple.domain.search import AUDIT_LOGS, SCAN_RESULTS, SYSTEM_METRICS, Wanted
from purple.search.elastic import alias_of
from purple.services.identity import FIRST_ORGANISATION
from tests.integration.test_api import is_problem
from tests.integration.test_life_api import found

INDICES = (SCAN_RESULTS, AUDIT_LOGS, SYSTEM_METRICS)


@pytest.fixture(scope="module", autouse=True)
async def whole(container, workers) -> None:
    """The indices hold what other tests wrote into the database without telling anybody."""
    await container.sampling.keep()
    for index in INDICES:
        await container.indexing[index].rebuild(lambda _: None)


async def verified(purple, index: str) -> tuple:
    """What verifying finds once all is fed."""
    await purple.told()
    async with asyncio.timeout(60):
        while True:
            compared = await purple.container.indexing[index].verify(lambda _: None)
            if not compared.behind:
                return compared.difference.ids
            await asyncio.sleep(0.1)


async def both(purple, index: str, text: str) -> tuple:
    """What each of the two finds and counts."""
    container = purple.container
    written = parse_query(text)
    known = container.indices[index]
    wanted = Wanted(known.fields.conditions(written.terms), written.phrases, 200, known.facets)
    async with container.work(FIRST_ORGANISATION) as uow:
        mine = await uow.documents.find(index, wanted)
    theirs = await container.searches[index].find(FIRST_ORGANISATION, wanted)
    return replace(mine, bounded=False), theirs


async def test_scans_are_found_by_what_came_of_them_and_the_same_by_both(purple, client, purple_command) -> None:
    rows = await found(purple, client, "127.13.3.1", 80, 81)
    assert await verified(purple, SCAN_RESULTS) == ()
    for text in (
        "127.13.3.1",
        "127.13.3.1 tool:made",
        "127.13.3.1 -state:complete",
        "host:127.13.3.1 observations:>=2 seconds:>=0 seconds:<600",
        "host:127.13.3.1 ended_at:<1h -exit_code:none",
        "host:127.13.3.1 reason:none",
    ):
        mine, theirs = await both(purple, SCAN_RESULTS, text)
        assert (set(mine.ids), mine.total, mine.counts) == (set(theirs.ids), theirs.total, theirs.counts), text
    asked = {"q": f"127.13.3.1 target_id:{rows[0]['target_id']}", "facet": ["tool", "state"]}
    answer = (await client.get("/search/scan-results", params=asked)).json()
    (one,) = answer["items"]
    assert (one["tool"], one["state"], one["observations"], answer["engine"]) == (
        "made",
        "complete",
        2,
        "elasticsearch",
    )
    assert one["seconds"] > 0
    assert [(each["name"], each["buckets"][0]["value"]) for each in answer["facets"]] == [
        ("tool", "made"),
        ("state", "complete"),
    ]
    told = purple_command("search", "find", asked["q"], "--in", "scan_results", "-o", "json")
    assert told.returncode == 0, told.stderr
    assert [each["id"] for each in json.loads(told.stdout)["items"]] == [one["id"]]
    assert "complete" in purple_command("search", "find", asked["q"], "--in", "scan_results").stdout


async def test_the_log_says_who_did_what_when_and_to_which_object(purple, client) -> None:
    (one,) = await found(purple, client, "127.13.3.2", 80)
    edit = {"state": "confirmed", "why": "seen"}
    path = f"/vulnerabilities/{one['id']}"
    assert (await client.patch(path, json=edit, headers={"If-Match": '"v1"'})).is_success
    assert await verified(purple, AUDIT_LOGS) == ()
    query = f"subject_id:{one['id']} actor:admin type:vulnerability.changed"
    (entry,) = (await client.get("/search/audit-logs", params={"q": f"{query} confirmed at:<1h"})).json()["items"]
    assert (entry["object"], entry["actor"], entry["subject_id"]) == ("vulnerability", "admin", one["id"])
    for text in (query, f"subject_id:{one['id']}", f"subject_id:{one['id']} -actor:none", "object:campaign at:<1h"):
        mine, theirs = await both(purple, AUDIT_LOGS, text)
        assert (mine.total, mine.counts) == (theirs.total, theirs.counts), text
    is_problem(await client.get("/search/audit-logs", params={"q": "colour:red"}), 422, field="filter")


async def test_samples_of_health_are_taken_once_in_their_time_and_found(purple, client) -> None:
    container = purple.container
    assert await verified(purple, SYSTEM_METRICS) == ()
    answer = (
        await client.get("/search/system-metrics", params={"q": "at:<1h database_ms:>0 queues_served:<=7"})
    ).json()
    assert answer["items"], "the relay takes samples"
    newest = answer["items"][0]
    assert newest["database_ms"] > 0
    assert newest["events"] >= newest["events_behind"] >= 0
    async with container.work(FIRST_ORGANISATION) as uow:
        before = await uow.documents.ids(SYSTEM_METRICS, None, 500)
    await container.sampling.keep()
    async with container.work(FIRST_ORGANISATION) as uow:
        assert len(await uow.documents.ids(SYSTEM_METRICS, None, 500)) <= len(before) + 1


async def test_each_is_built_anew_and_verified_by_its_name(purple, environment, purple_command) -> None:
    with httpx.Client(base_url=environment["PURPLE_SEARCH__URL"], trust_env=False, timeout=60) as elastic:
        before = {index: set(elastic.get(f"/{alias_of(index)}/_alias").json()) for index in INDICES}
        built = purple_command("search", "rebuild", "all")
        assert built.returncode == 0, built.stderr
        assert len(built.stderr.strip().splitlines()) == 4
        for index in INDICES:
            assert await verified(purple, index) == ()
            after = set(elastic.get(f"/{alias_of(index)}/_alias").json())
            assert len(after) == 1
            assert after != before[index]
            assert elastic.get(f"/_index_template/{alias_of(index)}").is_success
        (name,) = elastic.get(f"/{alias_of(AUDIT_LOGS)}/_alias").json()
        (lost,) = elastic.post(f"/{name}/_search", json={"size": 1, "sort": ["at"]}).json()["hits"]["hits"]
        assert elastic.delete(f"/{name}/_doc/{lost['_id']}", params={"refresh": "true"}).is_success
    told = purple_command("search", "verify", AUDIT_LOGS, "-o", "json")
    assert (told.returncode, json.loads(told.stdout)["missing"]) == (3, [lost["_id"]])
    whole = purple_command("search", "verify", "all", "-o", "json")
    assert whole.returncode == 3
    assert json.loads(whole.stdout)["indices"][AUDIT_LOGS]["missing"] == [lost["_id"]]
    assert f"`purple search rebuild {AUDIT_LOGS}` mends it" in whole.stderr
    assert purple_command("search", "rebuild", AUDIT_LOGS).returncode == 0
    kept = purple_command("search", "find", "--in", AUDIT_LOGS, "--saved", "x")
    assert (kept.returncode, len(kept.stderr.strip().splitlines())) == (2, 1)
    assert purple_command("search", "verify", "nothing").returncode == 2
