"""The search index on real servers: it says what the database says, and is built anew while it answers."""

import asyncio
import json
import os
from uuid import UUID, uuid4

import httpx
import pytest

from purple.db.repositories.searching import SOURCES
from purple.domain.errors import ConflictError, UnavailableError
from purple.domain.search import VULNERABILITIES
from purple.domain.targets import Criticality
from purple.search.elastic import alias_of
from purple.search.fallback import FullText
from purple.search.mapping import schema
from purple.services.identity import ADMINISTRATOR
from purple.services.indexing import Indexing
from tests.integration.test_api import is_problem
from tests.integration.test_life_api import found

ALIAS = alias_of(VULNERABILITIES)
SCHEMA = schema(SOURCES[VULNERABILITIES].index)


@pytest.fixture
def elastic(environment) -> httpx.Client:
    with httpx.Client(base_url=environment["PURPLE_SEARCH__URL"], trust_env=False, timeout=60) as made:
        yield made


@pytest.fixture(autouse=True)
async def whole(container, workers) -> None:
    """The index holds what other tests wrote without telling anybody, also where the test before lost it."""
    await container.indexing[VULNERABILITIES].rebuild(lambda _: None)


async def verified(purple):
    """What verifying finds once all is fed."""
    await purple.told()
    async with asyncio.timeout(60):
        while True:
            compared = await purple.container.indexing[VULNERABILITIES].verify(lambda _: None)
            if not compared.behind:
                return compared
            await asyncio.sleep(0.1)


async def test_what_is_not_as_the_database_has_it_is_named_and_a_new_index_mends_it(
    purple,
    client,
    elastic,
    purple_command,
) -> None:
    rows = await found(purple, client, "127.13.1.1", 80, 81, 82)
    assert (await verified(purple)).difference.ids == ()
    first, second, _ = sorted(each["id"] for each in rows)
    before = list(elastic.get(f"/{ALIAS}/_alias").json())
    stranger = str(uuid4())
    document = elastic.get(f"/{ALIAS}/_doc/{first}").json()["_source"]
    for path, body in (
        (f"/{ALIAS}/_update/{first}", {"doc": {"risk": document["risk"] + 1}}),
        (f"/{ALIAS}/_doc/{stranger}", document | {"id": stranger}),
    ):
        assert elastic.post(path, json=body).is_success
    assert elastic.delete(f"/{ALIAS}/_doc/{second}", params={"refresh": "true"}).is_success
    told = purple_command("search", "verify", "-o", "json")
    assert told.returncode == 3, told.stderr
    assert "`purple search rebuild` mends it" in told.stderr
    seen = json.loads(told.stdout)
    assert (seen["missing"], seen["left_over"], seen["other"]) == ([second], [stranger], [first])
    rebuilt = purple_command("search", "rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    after = list(elastic.get(f"/{ALIAS}/_alias").json())
    assert (len(before), len(after), before == after) == (1, 1, False)
    assert list(elastic.get(f"/{ALIAS}-*").json()) == after, "the old one is gone"
    assert (await verified(purple)).difference.ids == ()
    await found(purple, client, "127.13.1.2", 80)  # the relay feeds the new one
    assert (await verified(purple)).difference.ids == ()
    hits = (await client.get("/vulnerabilities/search", params={"q": "127.13.1.2"})).json()
    assert (len(hits["items"]), hits["note"]) == (1, "")


async def test_a_risk_that_moves_reaches_the_index(purple, client) -> None:
    (one,) = await found(purple, client, "127.13.1.3", 80)
    target = await purple.container.targets.get(purple.organisation, one["target_id"])
    edited = await purple.container.targets.edit(
        purple.organisation, target.id, target.version, criticality=Criticality.CRITICAL
    )
    assert edited.criticality is Criticality.CRITICAL
    moved = (await client.get(f"/vulnerabilities/{one['id']}")).json()
    assert moved["risk"] > one["risk"]
    assert (await verified(purple)).difference.ids == ()


async def test_a_rebuild_that_breaks_leaves_the_old_index_in_force(purple, client, elastic) -> None:
    await found(purple, client, "127.13.1.4", 80)
    before = elastic.get(f"/{ALIAS}-*").json().keys()

    def tired(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await purple.container.indexing[VULNERABILITIES].rebuild(tired)
    assert elastic.get(f"/{ALIAS}-*").json().keys() == before
    assert (await verified(purple)).difference.ids == ()


async def test_of_two_rebuilds_one_is_refused_and_a_lost_index_stays_lost(purple, client, elastic) -> None:
    await found(purple, client, "127.13.1.6", 80)
    before = elastic.get(f"/{ALIAS}-*").json().keys()
    indexing, search = purple.container.indexing[VULNERABILITIES], purple.container.searches[VULNERABILITIES]
    async with purple.container.outbox.alone(f"rebuild {VULNERABILITIES}"):
        with pytest.raises(ConflictError, match="is being built anew already"):
            await indexing.rebuild(lambda _: None)
    index = await search.renew()
    await search.discard(index)
    async with purple.container.work(purple.organisation) as uow:
        ids = await uow.documents.ids(VULNERABILITIES, None, 5)
        some = await uow.documents.some(VULNERABILITIES, ids)
    with pytest.raises(UnavailableError, match="index_not_found"):
        await search.index(some, index)
    with pytest.raises(UnavailableError):
        await search.put_in_force(index)
    assert elastic.get(f"/{ALIAS}-*").json().keys() == before
    assert (await verified(purple)).difference.ids == ()


async def test_of_documents_of_which_one_is_refused_the_reason_is_told(purple, client, elastic) -> None:
    rows = await found(purple, client, "127.13.1.7", 80, 81, 82)
    search = purple.container.searches[VULNERABILITIES]
    async with purple.container.work(purple.organisation) as uow:
        first, second, third = await uow.documents.some(VULNERABILITIES, sorted(UUID(each["id"]) for each in rows))
    index = await search.renew()
    with pytest.raises(UnavailableError, match=r"strict_dynamic_mapping_exception.*\[made\]"):
        await search.index([first, {**second, "made": "up"}, third], index)
    await search.discard(index)
    assert (await verified(purple)).difference.ids == ()


async def test_an_index_of_an_older_schema_gives_way(purple, client, elastic) -> None:
    await found(purple, client, "127.13.1.5", 80)
    await verified(purple)
    (present,) = elastic.get(f"/{ALIAS}-*").json()
    old = f"{ALIAS}-0"
    assert elastic.put(f"/{old}", json={"mappings": {"dynamic": "strict"}}).is_success
    swap = [{"add": {"index": old, "alias": ALIAS}}, {"remove_index": {"index": present}}]
    assert elastic.post("/_aliases", json={"actions": swap}).is_success
    missing = (await verified(purple)).difference.ids
    assert not {each.id for each in await purple.vulnerabilities("127.13.1.5")}.intersection(missing)
    assert list(elastic.get(f"/{ALIAS}-*").json()) == [f"{ALIAS}-{SCHEMA}"]


async def test_of_several_that_put_an_old_index_away_none_fails(container, elastic) -> None:
    await container.indexing[VULNERABILITIES].verify(lambda _: None)
    for turn in range(5):
        old = f"{ALIAS}-{turn}"
        assert elastic.put(f"/{old}", json={"mappings": {"dynamic": "strict"}}).is_success
        others = [{"remove_index": {"index": each}} for each in elastic.get(f"/{ALIAS}-*").json() if each != old]
        swap = [{"add": {"index": old, "alias": ALIAS}}, *others]
        assert elastic.post("/_aliases", json={"actions": swap}).is_success
        told = await asyncio.gather(*(container.searches[VULNERABILITIES].generation() for _ in range(8)))
        assert len(set(told)) == 1
        assert told[0]
    await container.indexing[VULNERABILITIES].rebuild(lambda _: None)


async def test_without_elasticsearch_there_is_nothing_to_build(purple) -> None:
    container = purple.container
    full_text = FullText(container.work, VULNERABILITIES)
    plain = Indexing(container.outbox, container.work, VULNERABILITIES, full_text)
    with pytest.raises(ConflictError, match="PostgreSQL searches"):
        await plain.rebuild(lambda _: None)
    assert (await plain.verify(lambda _: None)).difference.ids == ()


async def test_health_says_how_far_search_is_behind(purple, api) -> None:
    await verified(purple)
    async with httpx.AsyncClient(timeout=60) as stranger:
        parts = (await stranger.get(f"{api}/health")).json()["dependencies"]
    assert parts["search"]["lag_events"] is not None
    assert parts["search"]["lag_s"] >= 0
    assert parts["temporal"]["lag_events"] is None
    assert all(0 < each["latency_ms"] < 3_000 for each in parts.values())


async def test_what_changes_without_a_word_of_the_flaw_itself_reaches_the_index(purple, client) -> None:
    """It is seen again; its target moves to a unit and gets a tag, the unit moves; due dates follow other rules."""
    (one,) = await found(purple, client, "127.13.1.6", 80)
    again = await purple.run("127.13.1.6", made={"flaws": [80]})
    container, organisation = purple.container, purple.organisation
    target = await container.targets.get(organisation, one["target_id"])
    unit = await container.units.create(organisation, f"Searched {one['id']}")
    await container.targets.edit(organisation, target.id, target.version, tags=("searched",), unit_id=unit.id)
    await container.units.edit(organisation, unit.id, unit.version, name=f"Renamed {one['id']}")
    assert (await client.put("/sla", json={"rules": [{"severity": "low", "days": 77}]})).is_success
    try:
        assert (await verified(purple)).difference.ids == ()
        for query in (f"campaign_id:{again.id}", f'unit:"Renamed {one["id"]}"', f"tags:searched id:{one['id']}"):
            hits = (await client.get("/vulnerabilities/search", params={"q": query})).json()
            assert ([each["id"] for each in hits["items"]], hits["engine"]) == ([one["id"]], "elasticsearch")
    finally:
        await container.deadlines.set_rules([], ADMINISTRATOR)


async def test_words_terms_facets_and_marks_in_api_and_command_line(purple, client, purple_command) -> None:
    rows = await found(purple, client, "127.13.1.7", 80, 81, 82)
    await verified(purple)
    query = f"127.13.1.7 target_id:{rows[0]['target_id']} -port:82"
    asked = {"q": query, "facet": ["severity", "target_id"]}
    hits = (await client.get("/vulnerabilities/search", params=asked)).json()
    assert (sorted(each["port"] for each in hits["items"]), hits["total"], hits["bounded"]) == ([80, 81], 2, False)
    facets = {each["name"]: each["buckets"] for each in hits["facets"]}
    assert facets.keys() == {"severity", "target_id"}
    (of_target,) = facets["target_id"]
    assert (of_target["label"], of_target["count"]) == ("127.13.1.7", 2)
    assert of_target["term"] == f'target_id:"{rows[0]["target_id"]}"'
    narrowed = {"q": f"{query} {facets['severity'][0]['term']}"}
    assert (await client.get("/vulnerabilities/search", params=narrowed)).json()["total"] == 2
    marks = [each for each in hits["marks"] if each["field"] == "host"]
    assert {(each["start"], each["end"]) for each in marks} == {(0, len("127.13.1.7"))}
    every = (await client.get("/vulnerabilities/search", params={"q": query, "facet": "all"})).json()
    names = ["severity", "state", "kev", "tool", "weakness", "target_id", "unit", "tags"]
    assert [each["name"] for each in every["facets"]] == names
    told = json.loads(purple_command("search", "find", query, "--facet", "all", "-o", "json").stdout)
    assert (told["schema"], told["engine"], told["total"]) == ("purple.search-result/1", "elasticsearch", 2)
    assert [each["id"] for each in told["items"]] == [each["id"] for each in every["items"]]
    assert told["facets"] == {each["name"]: each["buckets"] for each in every["facets"]}
    plain = purple_command("search", "find", query, "--facet", "all", PURPLE_SEARCH__URL="")
    assert plain.returncode == 0, plain.stderr
    assert "By target id" in plain.stdout
    assert "2 of 2" in plain.stderr


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"q": "colour:red"}, "filter"),
        ({"q": "severity:"}, "filter"),
        ({"q": "&&"}, "q"),
        ({"q": "x", "facet": "colour"}, "facet"),
        ({"q": "x", "limit": 201}, "limit"),
    ],
)
async def test_a_search_that_cannot_be_read_names_the_field(client, params, field) -> None:
    is_problem(await client.get("/vulnerabilities/search", params=params), 422, field=field)


async def test_its_java_has_the_options_of_the_settings(servers) -> None:
    async with httpx.AsyncClient(timeout=60) as stranger:
        (node,) = (await stranger.get(f"{servers.search_url}/_nodes/jvm")).json()["nodes"].values()
    wanted = {"-Xmx512m", *os.environ["PURPLE_STACK__ELASTICSEARCH_JAVA_OPTIONS"].split()}
    assert wanted <= set(node["jvm"]["input_arguments"])
