"""The console over plain HTTP: sessions, what browsers are told, live events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from purple.domain.errors import NotFoundError, UnauthenticatedError
from purple.domain.identity import LINK_LIFE, SESSION_LIFE, Permission, User
from purple.services.identity import FIRST_ORGANISATION
from purple.services.sessions import Sessions

OURS = {"Sec-Fetch-Site": "same-origin"}
PAGES = [
    "/", "/campaigns", "/campaigns/new", "/campaigns/import", "/schedules", "/schedules/new", "/targets",
    "/targets/units", "/targets/machines", "/targets/import", "/authorisations", "/vulnerabilities",
    "/vulnerabilities/causes", "/vulnerabilities/searches", "/vulnerabilities/triage",
    "/vulnerabilities/false-positives", "/trends", "/reports", "/attack-paths", "/compliance", "/compliance/gdpr",
    "/risk", "/sla", "/targets/analytics", "/health",
]  # fmt: skip


class MovedClock:
    """The container's clock, some time ahead."""

    def __init__(self, clock, ahead: timedelta) -> None:
        self._clock = clock
        self._ahead = ahead

    def now(self):
        return self._clock.now() + self._ahead


@asynccontextmanager
async def signed_in(api: str, container, user_id=None) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{api}/console", headers=OURS, timeout=60) as browser:
        token = await container.sessions.invite(user_id=user_id)
        answer = await browser.post("/sign-in", data={"token": token})
        assert answer.status_code == 303, answer.text
        yield browser


@pytest.fixture
async def client(api, container):
    async with signed_in(api, container) as made:
        yield made


async def test_a_link_signs_in_once_and_looking_at_it_does_not_use_it(api, container) -> None:
    token = await container.sessions.invite()
    async with httpx.AsyncClient(base_url=f"{api}/console", headers=OURS, timeout=60) as browser:
        for _ in range(2):
            assert (await browser.get("/sign-in", params={"token": token})).status_code == 200
        answers = await asyncio.gather(*(browser.post("/sign-in", data={"token": token}) for _ in range(8)))
    assert sorted(each.status_code for each in answers) == [303, *[401] * 7]


async def test_links_and_sessions_end_with_their_time(container) -> None:
    def later(by: timedelta) -> Sessions:
        return Sessions(container.work, MovedClock(container.clock, by), container.ids)

    token = await container.sessions.invite()
    with pytest.raises(UnauthenticatedError):
        await later(LINK_LIFE).sign_in(token)
    session = await later(LINK_LIFE - timedelta(seconds=10)).sign_in(token)
    assert (await later(SESSION_LIFE).authenticate(session)).username == "admin"
    with pytest.raises(UnauthenticatedError):
        await later(LINK_LIFE + SESSION_LIFE).authenticate(session)


async def test_only_hashes_are_kept(container, admin) -> None:
    token = await container.sessions.invite()
    session = await container.sessions.sign_in(token)
    secrets = {token.rpartition("_")[2], session.rpartition("_")[2]}
    assert {len(each) for each in secrets} == {64}
    for look in ("SELECT * FROM sign_in_links", "SELECT * FROM sessions", "SELECT * FROM events"):
        text = str(admin.execute(look).fetchall())
        assert not [each for each in secrets if each in text]


@pytest.mark.parametrize("token", ["", "pl_x", "pl_a_b_c", "ps_" + "0" * 32 + "_" + "0" * 32 + "_" + "0" * 64])
async def test_a_token_that_is_none_lets_nobody_in(container, token) -> None:
    with pytest.raises(UnauthenticatedError):
        await container.sessions.sign_in(token)
    with pytest.raises(UnauthenticatedError):
        await container.sessions.authenticate(token)
    await container.sessions.sign_out(token)


async def test_a_session_of_another_organisation_or_secret_is_none(container) -> None:
    session = await container.sessions.sign_in(await container.sessions.invite())
    prefix, row, organisation, secret = session.split("_")
    for forged in ((prefix, row, uuid4().hex, secret), (prefix, row, organisation, "0" * 64)):
        with pytest.raises(UnauthenticatedError):
            await container.sessions.authenticate("_".join(forged))
    with pytest.raises(NotFoundError):
        await container.sessions.invite(user_id=uuid4())


@pytest.mark.parametrize("path", [*PAGES, "/stream"])
async def test_nothing_is_shown_to_who_is_not_signed_in(api, path) -> None:
    async with httpx.AsyncClient(base_url=f"{api}/console", timeout=60) as stranger:
        answer = await stranger.get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert "purple console" in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_pages_tell_browsers_to_trust_nothing_else(client, path) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "", "Origin": "http://elsewhere.example.org"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "OWN"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
        ({"Origin": "OWN"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
    ],
)
async def test_changes_come_from_our_own_pages_only(api, container, headers, status) -> None:
    async with signed_in(api, container) as browser:
        cookies = dict(browser.cookies)
    sent = {name: api if value == "OWN" else value for name, value in headers.items()}
    value = f"origin-{uuid4().hex[:12]}.example.org"
    async with httpx.AsyncClient(base_url=f"{api}/console", cookies=cookies, timeout=60) as browser:
        answer = await browser.post("/targets", data={"value": value}, headers=sent)
    assert answer.status_code == status
    page = await container.targets.page(FIRST_ORGANISATION, paging())
    assert (value in [each.value for each in page.items]) is (status == 303)


def paging():
    from purple.domain.pages import Query

    return Query({}, "", 20)


async def test_a_permission_that_is_missing_is_said_as_a_page(api, container) -> None:
    now = container.clock.now()
    guest = User(uuid4(), FIRST_ORGANISATION, f"guest-{uuid4()}", frozenset({Permission.READ_TARGETS}), now)
    async with container.work(FIRST_ORGANISATION) as uow:
        await uow.users.add(guest)
    async with signed_in(api, container, guest.id) as browser:
        shown = await browser.get("/targets")
        assert shown.status_code == 200
        assert "Register a target" not in shown.text
        refused = await browser.get("/reports")
        assert refused.status_code == 403
        assert "read:reports" in refused.text
        assert (await browser.post("/targets", data={"value": "guest.example.org"})).status_code == 403


async def test_a_policy_on_false_positives_is_off_until_its_form_says_otherwise(client, container) -> None:
    path = "/vulnerabilities/false-positives"
    assert "Off: nothing is marked" in (await client.get(path)).text
    for wrong in ({"threshold": "20"}, {"threshold": "many"}, {"threshold": "95", "below": "critical"}):
        refused = await client.post(f"{path}/policy", data=wrong)
        assert (refused.status_code, "Off: nothing is marked" in refused.text) == (422, True)
    version = str((await container.false_positives.state(FIRST_ORGANISATION)).standing.version)
    done = await client.post(f"{path}/policy", data={"threshold": "100", "below": "low", "version": version})
    assert (done.status_code, done.headers["Location"]) == (303, f"/console{path}#policy")
    assert "What is 100% or more likely false" in (await client.get(path)).text
    assert (await client.post(f"{path}/policy", data={"threshold": ""})).status_code == 412, "it was changed meanwhile"
    version = str((await container.false_positives.state(FIRST_ORGANISATION)).standing.version)
    assert (await client.post(f"{path}/policy", data={"threshold": "", "version": version})).status_code == 303
    assert (await container.false_positives.state(FIRST_ORGANISATION)).standing.policy.threshold is None


async def test_assets_are_kept_and_everything_else_is_not_found(api) -> None:
    async with httpx.AsyncClient(base_url=f"{api}/console", timeout=60) as stranger:
        sheet = await stranger.get("/assets/console.css")
        assert sheet.status_code == 200
        assert "immutable" in sheet.headers["cache-control"]
        assert (await stranger.get("/assets/../mount.py")).status_code == 404
        missing = await stranger.get("/nowhere")
        assert missing.status_code == 404
        assert missing.headers["content-type"].startswith("text/html")
    async with httpx.AsyncClient(base_url=api, timeout=60) as stranger:
        answer = await stranger.get("/api/v1/nowhere")
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_form_starts_one_campaign_however_often_it_is_sent(client, container, workers) -> None:
    target = await container.targets.ensure(FIRST_ORGANISATION, "127.6.2.1")
    contract = await container.authorisations.create(
        FIRST_ORGANISATION,
        name="form",
        signed_by="test",
        include=["127.6.2.1"],
        valid_until=container.clock.now() + timedelta(hours=1),
    )
    form = {
        "key": str(uuid4()),
        "target_ids": str(target.id),
        "authorisation_id": str(contract.id),
        "profile": "made",
        "options": '{"made": {"flaws": [80]}}',
    }
    answers = [await client.post("/campaigns", data=form) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]
    assert len({each.headers["location"] for each in answers}) == 1
    for changed, said in (
        ({"options": "[1]"}, "JSON object"),
        ({"target_ids": ""}, "No target is chosen"),
        ({"profile": "x"}, "x"),
    ):
        refused = await client.post("/campaigns", data=form | {"key": str(uuid4())} | changed)
        assert refused.status_code == 422
        assert said in refused.text


async def test_the_stream_resumes_on_the_last_event_and_ends_with_the_session(client, container, workers) -> None:
    async with container.work(FIRST_ORGANISATION) as uow:
        before = await uow.events.last()
    values = [f"stream-{uuid4().hex[:12]}.example.org" for _ in range(3)]
    for value in values:
        await container.targets.create(FIRST_ORGANISATION, value)
    async with client.stream("GET", "/stream", headers={"Last-Event-ID": str(before)}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        seen: list[int] = []
        async with asyncio.timeout(60):
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    seen.append(int(line.removeprefix("id: ")))
                if len(seen) == len(values):
                    await client.post("/sign-out")
    assert seen == sorted(set(seen))
    assert seen[0] > before
