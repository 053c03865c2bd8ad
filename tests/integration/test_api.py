"""The facade from the outside: over HTTP and WebSocket, on real servers."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import websockets

from purple.domain.identity import Permission
from purple.services.identity import FIRST_ORGANISATION


@pytest.fixture(scope="session")
async def token(container) -> str:
    return await container.identity.first_token()


async def authorise(client: httpx.AsyncClient, *include: str) -> str:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"name": "n", "signed_by": "s", "include": list(include), "valid_until": until}
    answer = await client.post("/authorisations", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def is_problem(answer: httpx.Response, status: int, **members: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    assert {name: body.get(name) for name in members} == members
    return body


async def test_a_campaign_from_the_request_to_the_report(client, workers) -> None:
    target = (await client.post("/targets", json={"value": "127.2.0.1", "name": "web", "tags": ["dmz"]})).json()
    authorisation = await authorise(client, "127.2.0.0/24")
    body = {
        "profile": "made",
        "target_ids": [target["id"]],
        "authorisation_id": authorisation,
        "options": {"made": {"flaws": [80, 443]}},
    }
    started = await client.post("/campaigns", json=body, headers={"Idempotency-Key": "api-1"})
    assert started.status_code == 202, started.text
    again = await client.post("/campaigns", json=body, headers={"Idempotency-Key": "api-1"})
    assert again.json()["id"] == started.json()["id"]
    campaign = await ended(client, started.headers["Location"].removeprefix("/api/v1"))
    assert campaign["state"] == "completed"
    assert campaign["summary"]["counts"]["high"] == 2
    found = (await client.get("/vulnerabilities", params={"filter": f"campaign_id:{campaign['id']}"})).json()["items"]
    assert sorted(each["port"] for each in found) == [80, 443]
    one = (await client.get(f"/vulnerabilities/{found[0]['id']}")).json()
    assert one["tools"] == ["made"]
    observation = (await client.get(f"/observations/{one['observation_ids'][0]}")).json()
    assert observation["evidence"] == "<img src=x onerror=alert(1)>"
    reports = (await client.get("/reports", params={"filter": f"campaign_id:{campaign['id']}"})).json()["items"]
    html = next(each for each in reports if each["format"] == "html")
    content = await client.get(f"/reports/{html['id']}/content")
    assert content.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in content.headers["content-security-policy"]
    scans = (await client.get("/scans", params={"filter": f"campaign_id:{campaign['id']}"})).json()["items"]
    assert [(each["tool"], each["state"]) for each in scans] == [("made", "complete")]
    assert len(scans[0]["executable_sha256"]) == 64


async def ended(client: httpx.AsyncClient, path: str) -> dict:
    async with asyncio.timeout(120):
        while (campaign := (await client.get(path)).json())["state"] in {"pending", "running"}:
            await asyncio.sleep(0.2)
    return campaign


async def test_a_scan_is_a_campaign_of_one_and_search_finds_it(client, workers) -> None:
    is_problem(
        await client.post("/scans", json={"target": "192.0.2.1", "scan_type": "made"}), 403, rule="no-authorisation"
    )
    await authorise(client, "127.2.1.1")
    body = {"target": "127.2.1.1", "scan_type": "made", "options": {"made": {"flaws": [8080]}}}
    started = await client.post("/scans", json=body)
    assert started.status_code == 202, started.text
    campaign = await ended(client, f"/campaigns/{started.json()['id']}")
    assert campaign["state"] == "completed"
    async with asyncio.timeout(120):  # search is fed by the relay, first with what tests without one have left
        while True:
            found = (await client.get("/vulnerabilities/search", params={"q": "127.2.1.1"})).json()
            if found["items"]:
                break
            await asyncio.sleep(0.2)
    assert {each["host"] for each in found["items"]} == {"127.2.1.1"}


async def test_events_come_live_and_resume_on_their_position(client, api, token, workers) -> None:
    url = api.replace("http", "ws") + "/api/v1/live"
    await authorise(client, "127.2.2.1")
    async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        started = (await client.post("/scans", json={"target": "127.2.2.1", "scan_type": "made"})).json()
        seen = []
        async with asyncio.timeout(60):
            while not seen or seen[-1]["type"] != "campaign.ended":
                event = json.loads(await socket.recv())
                if event["campaign_id"] == started["id"]:
                    seen.append(event)
    kinds = [each["type"] for each in seen]
    assert kinds[0] == "campaign.created"
    assert {"scan.started", "scan.ended", "triage.ended", "report.written"} <= set(kinds)
    positions = [each["position"] for each in seen]
    assert positions == sorted(set(positions))
    later = f"{url}?after={positions[2]}&campaign_id={started['id']}"
    async with websockets.connect(later) as socket:
        await socket.send(json.dumps({"token": token}))
        async with asyncio.timeout(60):
            resumed = [json.loads(await socket.recv()) for _ in positions[3:]]
    assert [each["position"] for each in resumed] == positions[3:]


async def test_a_live_stream_without_a_token_is_closed(api) -> None:
    async with websockets.connect(api.replace("http", "ws") + "/api/v1/live") as socket:
        await socket.send(json.dumps({"token": "pp_x"}))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


@pytest.mark.parametrize("path", ["/targets", "/campaigns", "/vulnerabilities", "/observations", "/reports", "/scans"])
async def test_nothing_is_told_without_a_token(api, path) -> None:
    async with httpx.AsyncClient(base_url=f"{api}/api/v1", timeout=60) as stranger:
        body = is_problem(await stranger.get(path), 401)
        assert body["remedy"]
        is_problem(await stranger.get(path, headers={"Authorization": "Bearer pp_a_b_c"}), 401)


async def test_every_route_asks_for_a_permission_by_name(api) -> None:
    from fastapi.routing import APIRoute

    from api.app import create_app
    from purple.settings import Settings

    def asked(dependant) -> set[str]:
        own = {p for each in dependant.dependencies for p in asked(each)}
        closure = getattr(dependant.call, "__closure__", None) or ()
        return own | {cell.cell_contents for cell in closure if isinstance(cell.cell_contents, Permission)}

    app = create_app(Settings(_env_file=None))
    async with httpx.AsyncClient(timeout=60) as stranger:
        paths = (await stranger.get(f"{api}/api/openapi.json")).json()["paths"]
    routes = [route for route in all_routes(app.routes) if isinstance(route, APIRoute)]
    checked = 0
    for route in routes:
        if "/health" in route.path or route.path in {"/sign-in", "/sign-out"}:
            continue
        checked += 1
        assert asked(route.dependant), f"{route.path} asks for no permission"
    assert checked >= len(paths) - 1


def all_routes(routes):
    for route in routes:
        yield route
        yield from all_routes(getattr(getattr(route, "original_router", None), "routes", []))


async def test_a_caller_without_the_permission_is_refused(api, container) -> None:
    from purple.domain.errors import ForbiddenError
    from purple.domain.identity import Principal

    nobody = Principal(FIRST_ORGANISATION, FIRST_ORGANISATION, "guest", frozenset({Permission.READ_TARGETS}))
    nobody.require(Permission.READ_TARGETS)
    with pytest.raises(ForbiddenError, match="write:targets"):
        nobody.require(Permission.WRITE_TARGETS)


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/targets", {"value": "http://"}, 422, "value"),
        ("/targets", {"value": "a b"}, 422, "value"),
        ("/targets", {"value": "https://user:secret@host/"}, 422, "value"),
        ("/targets", {"value": "10.0.0.1", "colour": "red"}, 422, "colour"),
        ("/targets", {}, 422, "value"),
        ("/scans", {"target": "192.0.2.9", "scan_type": "no-such"}, 403, "target"),
    ],
)
async def test_bad_input_is_a_problem_that_names_the_field(client, path, body, status, field) -> None:
    told = is_problem(await client.post(path, json=body), status, field=field)
    assert told["remedy"]
    assert "secret" not in json.dumps(told)


async def test_other_errors_are_problems_too(client, api) -> None:
    missing = "00000000-0000-0000-0000-000000000000"
    is_problem(await client.get(f"/campaigns/{missing}"), 404)
    is_problem(await client.get("/nowhere"), 404)
    is_problem(await client.get("/campaigns/not-a-uuid"), 422, field="campaign_id")
    is_problem(await client.get("/campaigns", params={"cursor": "x"}), 422, field="cursor")
    is_problem(await client.get("/campaigns", params={"limit": 9999}), 422, field="limit")
    is_problem(await client.delete("/targets"), 405)
    is_problem(await client.post("/targets", content=b"x" * (1024 * 1024 + 1)), 413)
    await client.post("/targets", json={"value": "twice.example.org"})
    is_problem(await client.post("/targets", json={"value": "TWICE.example.org."}), 409)


async def test_pages_follow_their_cursor_to_the_end(client) -> None:
    made = [(await client.post("/targets", json={"value": f"page{n}.example.org"})).json()["id"] for n in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await client.get("/targets", params={"limit": 2, "cursor": cursor})).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen))
    assert set(made) <= set(seen)


async def test_health_names_the_version_and_each_dependency(api) -> None:
    async with httpx.AsyncClient(timeout=60) as stranger:
        answer = (await stranger.get(f"{api}/health")).json()
    assert answer["status"] == "ok", answer
    assert answer["version"]
    assert set(answer["dependencies"]) == {"database", "temporal", "search", "data"}


async def test_an_edit_needs_the_version_it_was_made_from(client) -> None:
    made = (await client.post("/targets", json={"value": "edit.example.org", "tags": ["a"]})).json()
    path = f"/targets/{made['id']}"
    tag = (await client.get(path)).headers["etag"]
    is_problem(await client.patch(path, json={"name": "x"}), 428, field="If-Match")
    is_problem(await client.patch(path, json={"name": "x"}, headers={"If-Match": "*"}), 412, field="If-Match")
    edited = await client.patch(path, json={"criticality": "critical"}, headers={"If-Match": tag})
    assert edited.status_code == 200, edited.text
    assert (edited.json()["criticality"], edited.json()["tags"]) == ("critical", ["a"])
    is_problem(await client.patch(path, json={"name": "lost"}, headers={"If-Match": tag}), 412)
    again = await client.patch(path, json={"name": "n", "tags": []}, headers={"If-Match": edited.headers["etag"]})
    assert (again.json()["name"], again.json()["criticality"], again.json()["tags"]) == ("n", "critical", [])
    assert (await client.get(path)).headers["etag"] == again.headers["etag"] != tag
    is_problem(await client.patch(path, json={"value": "b"}, headers={"If-Match": tag}), 422, field="value")
    is_problem(await client.patch(path, json={"name": ""}, headers={"If-Match": tag}), 422, field="name")


async def test_of_two_edits_at_once_one_is_refused(client) -> None:
    made = (await client.post("/targets", json={"value": "race.example.org"})).json()
    path = f"/targets/{made['id']}"
    tag = {"If-Match": (await client.get(path)).headers["etag"]}
    answers = await asyncio.gather(*(client.patch(path, json={"name": f"n{n}"}, headers=tag) for n in range(6)))
    assert sorted(each.status_code for each in answers) == [200, 412, 412, 412, 412, 412]


async def test_lists_are_filtered_and_sorted_by_one_grammar(client) -> None:
    for name, level in (("b", "low"), ("a", "high"), ("c", "critical")):
        await client.post("/targets", json={"value": f"{name}.grammar.example", "criticality": level, "tags": ["gr"]})
    found = await client.get("/targets", params={"filter": "tags:gr criticality:>=high", "sort": "value"})
    assert [each["value"] for each in found.json()["items"]] == ["a.grammar.example", "c.grammar.example"]
    first = (await client.get("/targets", params={"filter": "tags:gr", "sort": "-criticality", "limit": 2})).json()
    rest = await client.get(
        "/targets", params={"filter": "tags:gr", "sort": "-criticality", "limit": 2, "cursor": first["next_cursor"]}
    )
    levels = [each["criticality"] for each in (*first["items"], *rest.json()["items"])]
    assert levels == ["critical", "high", "low"]
    told = is_problem(await client.get("/targets", params={"filter": "colour:red"}), 422, field="filter")
    assert "criticality" in told["remedy"]
    is_problem(await client.get("/targets", params={"sort": "colour"}), 422, field="sort")
    is_problem(await client.get("/targets", params={"kind": "host"}), 422, field="kind")
    is_problem(await client.get("/targets", params={"cursor": first["next_cursor"]}), 422, field="cursor")


@pytest.mark.parametrize(
    ("path", "listing"),
    [
        ("targets", "TARGETS"),
        ("authorisations", "AUTHORISATIONS"),
        ("campaigns", "CAMPAIGNS"),
        ("scans", "SCANS"),
        ("reports", "REPORTS"),
        ("vulnerabilities", "VULNERABILITIES"),
        ("observations", "OBSERVATIONS"),
    ],
)
async def test_the_documentation_names_what_a_list_can_be_filtered_by(client, api, path, listing) -> None:
    from purple.db.repositories import listings

    document = (await client.get(f"{api}/api/openapi.json")).json()
    parameters = {each["name"]: each for each in document["paths"][f"/api/v1/{path}"]["get"]["parameters"]}
    for name in ("filter", "sort"):
        told = parameters[name]["description"].rsplit("Fields: ", 1)[1]
        assert set(told.split(", ")) == set(getattr(listings, listing).names)


async def test_events_come_as_server_sent_events_and_a_cut_client_misses_nothing(client, api, token, workers) -> None:
    await authorise(client, "127.2.4.0/24")
    headers = {"Authorization": f"Bearer {token}"}
    started = (await client.post("/scans", json={"target": "127.2.4.1", "scan_type": "made"})).json()
    await ended(client, f"/campaigns/{started['id']}")
    whole = await sse(f"{api}/api/v1/live?after=0&campaign_id={started['id']}", headers, until="campaign.ended")
    assert whole[0]["type"] == "campaign.created"
    pieces: list[dict] = []
    while not pieces or pieces[-1]["type"] != "campaign.ended":  # cut after each three, and connected again
        last = {"Last-Event-ID": str(pieces[-1]["position"])} if pieces else {}
        url = f"{api}/api/v1/live?after=0&campaign_id={started['id']}"
        pieces += await sse(url, headers | last, until="campaign.ended", most=3)
    assert [each["position"] for each in pieces] == [each["position"] for each in whole]
    async with httpx.AsyncClient(timeout=60) as stranger:
        is_problem(await stranger.get(f"{api}/api/v1/live"), 401)


async def sse(url: str, headers: dict[str, str], *, until: str, most: int = 1000) -> list[dict]:
    """Events of a stream up to one of that type, or so many."""
    found: list[dict] = []
    async with (
        asyncio.timeout(60),
        httpx.AsyncClient() as reader,
        reader.stream("GET", url, headers=headers, timeout=60) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
                continue
            if "data" in fields:
                event = json.loads(fields["data"])
                assert fields["id"] == str(event["position"])
                assert fields["event"] == event["type"]
                found.append(event)
                if event["type"] == until or len(found) >= most:
                    return found
            fields = {}
    raise AssertionError("the stream ended")
