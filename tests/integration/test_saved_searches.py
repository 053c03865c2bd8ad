"""Searches that people keep: over HTTP, by the command line, and as alerts that tell of each new match once."""

import asyncio
import json
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from purple.db.repositories import alerts
from purple.domain.errors import ForbiddenError, InvalidInputError, NotFoundError
from purple.domain.events import Event
from purple.domain.identity import Actor
from purple.domain.pages import Query
from purple.domain.search import VULNERABILITIES
from purple.integrations.apprise import apprise_notifiers
from purple.services import saved_searches
from purple.services.alerting import FEED
from purple.services.event_notices import SEARCHES, EventNotices
from purple.services.identity import ADMINISTRATOR
from purple.services.saved_searches import wanted_of
from purple.settings.app import NotifySettings
from purple.toolkit.world import SystemResolver
from tests.integration.test_api import is_problem
from tests.integration.test_life_api import found
from tests.integration.test_schedule_notices import receiver  # noqa: F401 - a fixture

HOSTILE = "<script>alert(1)</script> [bold]"


async def test_they_are_kept_changed_and_forgotten_by_their_version(client) -> None:
    body = {"name": f"  {HOSTILE}  ", "query": 'kev:yes "sql injection"', "shared": True}
    made = await client.post("/saved-searches", json=body)
    assert made.status_code == 201, made.text
    kept = made.json()
    assert (kept["name"], kept["owner"], kept["shared"], kept["alert"]) == (HOSTILE, "admin", True, False)
    is_problem(await client.post("/saved-searches", json=body), 409, field="name")
    path = f"/saved-searches/{kept['id']}"
    tag = (await client.get(path)).headers["ETag"]
    is_problem(await client.patch(path, json={"query": "kev:no"}), 428, field="If-Match")
    is_problem(await client.patch(path, json={"query": "colour:red"}, headers={"If-Match": tag}), 422, field="filter")
    done = await client.patch(path, json={"query": "kev:no"}, headers={"If-Match": tag})
    assert (done.json()["query"], done.json()["name"], done.headers["ETag"]) == ("kev:no", HOSTILE, '"v2"')
    is_problem(await client.patch(path, json={"query": "kev:no"}, headers={"If-Match": tag}), 412)
    listed = (await client.get("/saved-searches", params={"filter": f"id:{kept['id']} shared:yes alert:no"})).json()
    assert [each["query"] for each in listed["items"]] == ["kev:no"]
    is_problem(await client.delete(path, headers={"If-Match": tag}), 412)
    assert (await client.delete(path, headers={"If-Match": '"v2"'})).status_code == 204
    is_problem(await client.get(path), 404)
    for wrong in ({"name": "x", "query": " "}, {"name": " ", "query": "x"}, {"name": "x", "query": "severity:"}):
        is_problem(await client.post("/saved-searches", json=wrong), 422)


async def test_others_see_what_is_shared_and_change_nothing(container) -> None:
    organisation = (await container.identity.authenticate(await container.identity.first_token())).organisation_id
    jo, kim = (Actor(uuid4(), organisation, f"{name}-{uuid4()}") for name in ("jo", "kim"))
    saved = container.saved_searches
    own = await saved.create(jo, "mine", "kev:yes", shared=False, alert=False)
    shared = await saved.create(jo, "ours", "kev:yes", shared=True, alert=False)
    seen = [each.id for each in (await saved.page(kim, Query(filter=f"owner:{jo.username}"))).items]
    assert seen == [shared.id]
    with pytest.raises(NotFoundError):
        await saved.get(kim, own.id)
    with pytest.raises(NotFoundError):
        await saved.edit(kim, own.id, 1, name="theirs")
    with pytest.raises(ForbiddenError):
        await saved.edit(kim, shared.id, 1, name="theirs")
    with pytest.raises(ForbiddenError):
        await saved.delete(kim, shared.id, 1)


async def test_the_command_line_does_the_same(purple, client, purple_command) -> None:
    name = f"by hand {uuid4()}"

    def told(*arguments: str) -> dict:
        done = purple_command("search", *arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    (one,) = await found(purple, client, "127.13.2.1", 80)
    kept = told("save", name, f"id:{one['id']}", "--shared")
    assert (kept["schema"], kept["shared"], kept["alert"]) == ("purple.saved-search/1", True, False)
    assert told("edit", name, "--query", f"id:{one['id']} port:80")["version"] == 2
    assert [each["name"] for each in told("list", "--filter", f"id:{kept['id']}")["items"]] == [name]
    assert told("find", "--saved", name, "--facet", "tool")["total"] in {0, 1}  # the index may be a moment late
    assert purple_command("search", "delete", kept["id"]).returncode == 0
    assert purple_command("search", "edit", name, "--alert").returncode == 1


async def matched(purple, search_id: UUID) -> list[Event]:
    """What the alert told, once the relay has seen everything up to now."""
    container = purple.container
    await purple.told()
    async with container.work(purple.organisation) as uow:
        last = await uow.events.last()
    async with asyncio.timeout(60):
        while True:
            async with container.work(purple.organisation) as uow:
                feeds = await uow.events.feeds(FEED)
            if FEED in feeds and feeds[FEED].position >= last:
                break
            await asyncio.sleep(0.2)
    await purple.told()  # what the alert told has its place only now
    async with container.work(purple.organisation) as uow:
        events = await uow.events.after(0, 1_000_000)
    return [each for each in events if each.type == "search.matched" and each.subject_id == search_id]


async def test_an_alert_tells_of_what_newly_matches_once(purple, client, receiver) -> None:  # noqa: F811 - the fixtures
    old = await found(purple, client, "127.13.2.2", 80)
    target = old[0]["target_id"]
    body = {"name": f"new {uuid4()}", "query": f"target_id:{target} state:open,triaged", "alert": True}
    made = await client.post("/saved-searches", json=body)
    assert made.status_code == 201, made.text
    key = UUID(made.json()["id"])
    assert await matched(purple, key) == [], "what matches already is no news"
    found_now = await found(purple, client, "127.13.2.2", 80, 81, 82)
    new = {each["id"] for each in found_now} - {old[0]["id"]}
    (told,) = await matched(purple, key)
    assert (told.data["count"], set(told.data["vulnerability_ids"])) == (2, new)
    assert (told.data["owner"], told.data["name"]) == ("admin", body["name"])
    for one in (old[0]["id"], *new):  # what was told, or found before, is not told again
        for version, state in enumerate(("false_positive", "open", "triaged"), 1):
            edit = {"state": state, "why": "a lab"}
            tag = {"If-Match": f'"v{version}"'}
            assert (await client.patch(f"/vulnerabilities/{one}", json=edit, headers=tag)).is_success
    assert len(await matched(purple, key)) == 1

    room, url = receiver
    settings = NotifySettings(apprise_urls=(url,), allow_networks=("127.0.0.1/32",))
    notifiers = apprise_notifiers(settings, SystemResolver())
    parts = (purple.container.outbox, purple.container.work, notifiers, purple.container.clock)
    for feed in (f"notices/{uuid4()}", f"notices/{uuid4()}"):
        await EventNotices(*parts, replace(SEARCHES, feed=feed), "http://api.example").tell()
    (notice,) = [each for each in room.told if body["name"] in each["title"]]
    assert notice["title"] == f"Purple: 2 new in {body['name']}"
    assert "http://api.example/console/vulnerabilities?state=all&q=target_id" in notice["message"]

    off = await client.patch(f"/saved-searches/{key}", json={"alert": False}, headers={"If-Match": '"v1"'})
    assert off.status_code == 200, off.text
    async with purple.container.work(purple.organisation) as uow:
        known = [UUID(each["id"]) for each in found_now]
        everything = wanted_of(purple.container.indices[VULNERABILITIES], f"target_id:{target}")
        assert len(await uow.alerts.news(key, everything, known, purple.container.clock.now())) == 3, "it forgot"


async def test_an_alert_that_finds_too_much_is_refused(purple, client, monkeypatch) -> None:
    rows = await found(purple, client, "127.13.2.3", 80, 81)
    for module in (alerts, saved_searches):
        monkeypatch.setattr(module, "MAX_MATCHES", 1)
    saved = purple.container.saved_searches
    wide = f"target_id:{rows[0]['target_id']}"
    with pytest.raises(InvalidInputError) as refused:
        await saved.create(ADMINISTRATOR, f"wide {uuid4()}", wide, shared=False, alert=True)
    assert refused.value.field == "alert"
    kept = await saved.create(ADMINISTRATOR, f"narrow {uuid4()}", f"{wide} port:80", shared=False, alert=True)
    await saved.delete(ADMINISTRATOR, kept.id, 1)
