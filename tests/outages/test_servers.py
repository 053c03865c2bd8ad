"""A server goes away for twenty seconds in the middle of campaigns, or stays away throughout."""

import json
import signal
import time
from uuid import uuid4

import httpx
import pytest
from websockets.sync.client import connect

from bench.trials.facade import PATIENCE_S
from bench.trials.house import stopped
from bench.trials.search import refusing
from tests.outages.house import Disturbed, House
from tests.support.running import wait_until

pytestmark = pytest.mark.timeout(900)

AWAY_S = 20.0
BACK_S = 5.0
"""So long after PostgreSQL's return the facade may still refuse."""


def routes(house: House) -> list[tuple[str, str, dict[str, str]]]:
    """Every data route with its method and the queries it cannot do without."""
    described = httpx.get(f"{house.url}/api/openapi.json", trust_env=False).json()
    found = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            needed = [each for each in operation.get("parameters", ()) if each["in"] == "query" and each["required"]]
            if path.startswith("/api/v1"):
                filled = "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/"))
                found.append((method.upper(), filled.removeprefix("/api/v1"), {each["name"]: "x" for each in needed}))
    assert len(found) > 15
    return found


def refuses(answer: httpx.Response) -> None:
    """A part is away, said as a problem with a time to come back."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert answer.json()["remedy"]


def until(moment: float) -> None:
    """An outage lasts its time, whatever was looked at meanwhile."""
    time.sleep(max(0.0, moment - time.monotonic()))


def test_postgresql_stopped_in_the_middle(house, parts, place) -> None:
    known = routes(house)
    url = house.url.replace("http", "ws") + "/api/v1/live"
    with connect(url, additional_headers={"Authorization": f"Bearer {house.token}"}) as socket:
        campaigns = Disturbed(house, place / "gate-postgres", "127.60.1")
        with stopped(parts["postgres"], "postgres", signal.SIGQUIT):  # its immediate shutdown
            began = time.monotonic()
            wait_until(lambda: house.parts_away() == {"database"}, 5, "health says what is away")
            for method, path, params in known:
                refuses(house.ask(method, path, timeout=10, params=params))
            campaigns.let_go()
            until(began + AWAY_S)
        wait_until(lambda: house.ask("GET", "/campaigns").is_success, BACK_S, "the facade answers again")
        ended = _ends(socket, campaigns)
    campaigns.check()
    assert sorted(ended) == sorted(campaigns.asked), "each end was told once, over the stream that was open before"


def _ends(socket, campaigns: Disturbed) -> list[str]:
    ended: list[str] = []
    while set(campaigns.asked) - set(ended):
        event = json.loads(socket.recv(timeout=PATIENCE_S))
        ended += [event["campaign_id"]] if event["type"] == "campaign.ended" else []
    return ended


def test_temporal_killed_in_the_middle(house, parts, place) -> None:
    campaigns = Disturbed(house, place / "gate-temporal", "127.60.2")
    later = house.targets("127.60.2.100")
    with stopped(parts["temporal"], "temporal"):
        began = time.monotonic()
        wait_until(lambda: house.parts_away() == {"temporal"}, 5, "health says what is away")
        for method, path, params in routes(house):
            if method == "GET":
                assert house.ask(method, path, timeout=10, params=params).status_code < 500, path
        assert house.get(f"/campaigns/{campaigns.held}")["state"] == "running"
        refuses(house.ask("POST", f"/campaigns/{campaigns.held}/cancel", timeout=10))
        accepted = house.ask("POST", "/campaigns", timeout=10, json=house.wanted(later))
        assert accepted.status_code == 202, accepted.text
        campaigns.let_go()
        until(began + AWAY_S)
    campaigns.asked[accepted.json()["id"]] = later
    campaigns.check()


def test_a_start_that_waits_for_temporal_can_be_cancelled_when_it_is_back(house, parts) -> None:
    targets = house.targets("127.60.3.1")
    with stopped(parts["temporal"], "temporal"):
        campaign = house.start(targets, mode="hang")
    assert wait_until(
        lambda: house.ask("POST", f"/campaigns/{campaign}/cancel").status_code == 202, PATIENCE_S, "cancel is taken"
    )
    assert house.end(campaign)["state"] == "cancelled"


@pytest.fixture
def index(house, parts):
    url = parts["elasticsearch"].search_url

    def indexed() -> set[str]:
        query = {"query": {"match_all": {}}, "size": 1000, "_source": False}
        found = httpx.post(f"{url}/purple-vulnerabilities/_search", json=query, trust_env=False)
        return {hit["_id"] for hit in found.json()["hits"]["hits"]} if found.is_success else set()

    return indexed


def known(house: House) -> set[str]:
    found, cursor = set(), ""
    while True:
        page = house.get("/vulnerabilities", limit=200, cursor=cursor)
        found |= {each["id"] for each in page["items"]}
        if not (cursor := page["next_cursor"]):
            return found


def agrees(house: House) -> bool:
    verified = house.command("search", "verify", "all", "-o", "json")
    told = json.loads(verified.stdout)["indices"]
    assert told["vulnerabilities"]["rows"] == len(known(house))
    assert told["scan_results"]["rows"]
    assert told["audit_logs"]["rows"]
    return verified.returncode == 0 and not any(each["behind"] for each in told.values())


def test_elasticsearch_and_redis_away_throughout(house, parts, index) -> None:
    with stopped(parts["elasticsearch"], "elasticsearch"), stopped(parts["valkey"], "valkey"):
        wait_until(lambda: house.parts_away() == {"search"}, 5, "health says what is away")
        targets = house.targets("127.60.5.1", "127.60.5.2")
        campaign = house.start(targets)
        assert house.end(campaign)["state"] == "completed"
        outcome = house.outcome(campaign)
        assert (outcome.observations, outcome.ended_events, outcome.notices) == (6, 1, 1)
        found = house.get("/vulnerabilities/search", q="127.60.5.2")
        assert {each["host"] for each in found["items"]} == {"127.60.5.2"}
        assert "PostgreSQL searched" in found["note"]
        for method, path, params in routes(house):
            if method == "GET":
                assert house.ask(method, path, timeout=10, params=params).status_code < 500, path
    again = house.start(house.targets("127.60.5.3", "127.60.5.4"))
    with stopped(parts["elasticsearch"], "elasticsearch"):  # in the middle of filling up and of another campaign
        assert house.end(again)["state"] == "completed"
    wait_until(lambda: index() == known(house), 60, "the index holds what PostgreSQL holds")
    wait_until(lambda: agrees(house), 60, "each document is what its row is")
    found = house.get("/vulnerabilities/search", q="127.60.5.2")
    assert {each["host"] for each in found["items"]} == {"127.60.5.2"}
    assert found["note"] == ""
    lag = house.health()["dependencies"]["search"]
    assert (lag["lag_events"], lag["lag_s"]) == (0, 0.0)


def test_elasticsearch_that_answers_429_fails_nothing_and_is_fed_when_it_takes_writes_again(house, parts) -> None:
    wait_until(lambda: agrees(house), 60, "each document is what its row is")
    url = parts["elasticsearch"].search_url
    with refusing(url):
        one = known(house).pop()
        busy = httpx.post(f"{url}/purple-vulnerabilities/_doc/{one}", json={}, trust_env=False)
        assert busy.status_code == 429, busy.text
        assert house.end(house.start(house.targets("127.60.5.5")))["state"] == "completed"
        assert house.parts_away() == set(), "it is there"
        wait_until(lambda: house.health()["dependencies"]["search"]["lag_events"], 30, "health says that it lags")
    wait_until(lambda: agrees(house), 60, "each document is what its row is")


def test_an_index_that_was_lost_is_made_again_from_nothing(house, parts, index) -> None:
    house.end(house.start(house.targets("127.60.6.1")))
    wait_until(lambda: index() == known(house), 60, "the index holds what PostgreSQL holds")
    url = parts["elasticsearch"].search_url
    (name,) = httpx.get(f"{url}/purple-vulnerabilities/_alias", trust_env=False).json()
    assert httpx.delete(f"{url}/{name}", trust_env=False).is_success
    assert index() == set()
    wait_until(lambda: index() == known(house), 60, "the index holds what PostgreSQL holds")
    mapping = httpx.get(f"{url}/purple-vulnerabilities/_mapping", trust_env=False).json()
    assert [each["mappings"]["dynamic"] for each in mapping.values()] == ["strict"]
