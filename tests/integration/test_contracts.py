"""Contracts on real servers: what they say, what they refuse, and that revoking one stops what runs."""

import asyncio
import hashlib
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from bench.trials.counter import Counter, counting
from purple.contracts.campaigns import CampaignInput
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.errors import OutOfScopeError
from purple.domain.pages import Query
from purple.domain.refusals import Refusal
from purple.domain.tools import Intrusiveness, ScanState
from tests.support.running import Purple

WINDOW = "Mon-Fri 22:00-06:00 Europe/Lisbon"


@pytest.fixture
def counter():
    with counting("0.0.0.0") as made:  # noqa: S104 - every address of 127.0.0.0/8 is to be counted
        yield made


async def start(purple: Purple, authorisation: UUID, address: str, counter: Counter, requests: int = 2000) -> Campaign:
    target = await purple.container.targets.ensure(purple.organisation, address)
    wanted = CampaignInput(
        organisation_id=purple.organisation,
        name="contract",
        profile="made-requests",
        target_ids=(target.id,),
        authorisation_id=authorisation,
        options={"made-requests": {"port": counter.port, "requests": requests}},
    )
    return await purple.container.campaigns.start(wanted)


async def running(counter: Counter, address: str, at_least: int = 3) -> None:
    async with asyncio.timeout(60):
        while sum(each[1] == address for each in counter.connections) < at_least:
            await asyncio.sleep(0.05)


async def refusals(purple: Purple, authorisation: UUID) -> tuple[Refusal, ...]:
    query = Query({"authorisation_id": authorisation})
    return (await purple.container.clearance.page(purple.organisation, query)).items


def body(**changes: object) -> dict[str, object]:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return {"name": "n", "signed_by": "s", "include": ["127.22.0.0/24"], "valid_until": until} | changes


async def test_a_contract_says_what_it_forbids_and_when_it_holds(client) -> None:
    digest = hashlib.sha256(b"signed").hexdigest()
    sent = body(forbidden_tools=["made", "sqlmap"], windows=["mon-fri 22:00-6:00 Europe/Lisbon"], document=digest)
    made = await client.post("/authorisations", json=sent)
    assert made.status_code == 201, made.text
    told = (await client.get(f"/authorisations/{made.json()['id']}")).json()
    assert (told["windows"], told["forbidden_tools"], told["document"]) == ([WINDOW], ["made", "sqlmap"], digest)
    for wanted in ("forbidden_tools:sqlmap", 'windows:~"Europe/Lisbon"', f"document:{digest}"):
        found = await client.get("/authorisations", params={"filter": f"{wanted} id:{told['id']}"})
        assert [each["id"] for each in found.json()["items"]] == [told["id"]]
    elsewhere = await client.get(f"/authorisations/{told['id']}/document")
    assert elsewhere.status_code == 404, "its bytes are kept elsewhere"
    without = (await client.post("/authorisations", json=body())).json()["id"]
    assert (await client.get(f"/authorisations/{without}/document")).status_code == 404, "there are none"


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("windows", ["Mon 22:00-06:00 Europe/Nowhere"], "write it as Mon-Fri"),
        ("forbidden_tools", ["made-request"], "did you mean made-requests?"),
        ("forbidden_tools", ["--all"], "the tools here are"),
        ("document", "none", ""),
        ("exclude", ["192.0.2.7/24"], "write it as 192.0.2.0/24"),
    ],
)
async def test_a_contract_that_cannot_be_read_is_refused_with_its_remedy(client, field, value, remedy) -> None:
    refused = await client.post("/authorisations", json=body(**{field: value}))
    assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert remedy in refused.json()["remedy"]


async def test_a_document_is_attached_once_and_changes_the_digest(client) -> None:
    made = (await client.post("/authorisations", json=body())).json()
    path = f"/authorisations/{made['id']}/document"
    signed = b"%PDF-1.7 " + b"x" * 2_000_000
    assert (await client.put(path, content=signed)).status_code == 428
    assert (await client.put(path, content=signed, headers={"If-Match": '"v9"'})).status_code == 412
    headers = {"If-Match": (await client.get(f"/authorisations/{made['id']}")).headers["ETag"]}
    attached = await client.put(path, content=signed, headers=headers)
    assert attached.status_code == 200, attached.text
    assert attached.json()["document"] == hashlib.sha256(signed).hexdigest()
    assert attached.json()["digest"] != made["digest"]
    assert (await client.put(path, content=signed, headers=headers)).json() == attached.json(), "twice is once"
    kept = await client.get(path)
    assert (kept.content, kept.headers["content-type"]) == (signed, "application/octet-stream")
    assert kept.headers["content-disposition"].startswith("attachment")
    other = await client.put(path, content=b"another", headers={"If-Match": attached.headers["ETag"]})
    assert (other.status_code, other.json()["detail"]) == (
        409,
        "this authorisation cannot be changed: it has a document",
    )
    huge = await client.put(path, content=b"x" * (16 * 1024 * 1024 + 1), headers=headers)
    assert huge.status_code == 413


async def test_what_is_refused_is_written_down_with_its_rule(purple, client) -> None:
    allowed = await purple.authorisation("127.22.1.0/24", forbidden_tools=["made-requests"])
    gentle = await purple.authorisation("127.22.1.0/24", max_intrusiveness=Intrusiveness.PASSIVE)
    with counting("127.22.1.1") as counter:
        for contract, address in ((allowed, "127.22.1.1"), (gentle, "127.22.1.1")):
            with pytest.raises(OutOfScopeError):
                await start(purple, contract, address, counter)
        outside = await purple.authorisation("127.22.1.0/25", "*.example.org")
        with pytest.raises(OutOfScopeError):
            await start(purple, outside, "127.22.1.200", counter)
        assert counter.count == 0
    assert [(each.rule, each.tool) for each in await refusals(purple, allowed)] == [("forbidden-tool", "made-requests")]
    assert [each.rule for each in await refusals(purple, gentle)] == ["intrusiveness"]
    assert [(each.rule, each.target) for each in await refusals(purple, outside)] == [("not-included", "127.22.1.200")]
    listed = await client.get(
        f"/authorisations/{outside}/refusals", params={"filter": "rule:not-included target:~22.1"}
    )
    assert listed.status_code == 200, listed.text
    (one,) = listed.json()["items"]
    assert "not included in authorisation" in one["detail"]
    assert (await client.get(f"/authorisations/{uuid4()}/refusals")).status_code == 404
    await client.post("/scans", json={"target": "uncovered.example", "scan_type": "made-requests"})
    uncovered = (
        await client.get("/refusals", params={"filter": "authorisation_id:none target:uncovered.example"})
    ).json()
    assert {each["rule"] for each in uncovered["items"]} == {"no-authorisation"}


async def test_refusals_come_in_pages(purple, client) -> None:
    contract = await purple.authorisation("127.22.2.0/25")
    with counting("127.22.2.1") as counter:
        for number in (201, 202, 203):
            with pytest.raises(OutOfScopeError):
                await start(purple, contract, f"127.22.2.{number}", counter)
    seen, cursor = [], ""
    while True:
        query = {"sort": "target", "limit": 2, "cursor": cursor}
        page = (await client.get(f"/authorisations/{contract}/refusals", params=query)).json()
        seen += [each["target"] for each in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == ["127.22.2.201", "127.22.2.202", "127.22.2.203"]


async def test_a_refusal_is_never_changed(servers, purple) -> None:
    import psycopg

    from purple.db.outbox import libpq_url

    with psycopg.connect(libpq_url(servers.database_url), autocommit=True) as connection:
        for wanted in ("UPDATE refusals SET rule = 'x'", "DELETE FROM refusals"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(wanted)


async def test_revoking_a_contract_stops_real_traffic_within_five_seconds(purple, client, counter) -> None:
    contract = await purple.authorisation("127.22.3.0/24")
    kept = await purple.authorisation("127.22.4.0/24")
    campaigns = [await start(purple, contract, "127.22.3.1", counter)]
    second = await start(purple, kept, "127.22.4.1", counter, requests=200)
    for address in ("127.22.3.1", "127.22.4.1"):
        await running(counter, address)
    campaigns.append(await start(purple, contract, "127.22.3.2", counter))  # the worker runs two at once: it waits
    async with asyncio.timeout(60):
        while not await purple.scans(campaigns[-1]):
            await asyncio.sleep(0.05)
    answer = await client.post(f"/authorisations/{contract}/revoke")
    revoked = time.time()
    assert answer.status_code == 200, answer.text
    ended = [await purple.end(campaign, 60) for campaign in campaigns]
    unconcerned = await purple.end(second, 60)
    last = max(at for at, address in counter.connections if address.startswith("127.22.3."))
    assert last - revoked < 5, "a request came later than 5 s after the contract was revoked"
    for campaign in ended:
        assert campaign.state is CampaignState.NOT_ALLOWED
        assert "was revoked on" in campaign.reason
        assert "(rule revoked)" in campaign.reason
        scan = await purple.scan(campaign)
        assert scan.state in {ScanState.CANCELLED, ScanState.SKIPPED}
        assert "(rule revoked)" in scan.reason
    assert unconcerned.state is CampaignState.COMPLETED
    assert {each.rule for each in await refusals(purple, contract)} == {"revoked"}
    with pytest.raises(OutOfScopeError, match="was revoked"):
        await start(purple, contract, "127.22.3.1", counter)


async def test_what_runs_is_stopped_before_its_contract_ends(purple, counter) -> None:
    until = datetime.now(UTC) + timedelta(seconds=20)
    contract = await purple.authorisation("127.22.10.0/24", valid_until=until)
    campaign = await start(purple, contract, "127.22.10.1", counter)
    await running(counter, "127.22.10.1")
    scan = await purple.scan(await purple.end(campaign, 60))
    last = max(at for at, address in counter.connections if address.startswith("127.22.10."))
    assert last < until.timestamp(), "connected to after its contract had ended"
    assert (scan.state, scan.reason) == (ScanState.TIMED_OUT, "it was stopped when its authorisation ended")
    assert 0 < scan.observations < 2_000


async def test_a_telling_that_was_lost_is_repaired_by_the_relay(purple, admin, counter) -> None:
    contract = await purple.authorisation("127.22.5.0/24")
    campaign = await start(purple, contract, "127.22.5.1", counter)
    await running(counter, "127.22.5.1")
    # the process that revoked it died between its commit and its call
    admin.execute("UPDATE authorisations SET revoked_at = now() - interval '1 minute' WHERE id = %s", [contract])
    ended = await purple.end(campaign, 60)
    assert ended.state is CampaignState.NOT_ALLOWED
    assert "(rule revoked)" in (await purple.scan(ended)).reason


async def test_who_only_says_that_a_contract_was_revoked_does_no_more_than_cancel(purple, counter) -> None:
    contract = await purple.authorisation("127.22.6.0/24")
    campaign = await start(purple, contract, "127.22.6.1", counter)
    await running(counter, "127.22.6.1")
    client = await purple.container.orchestrator.client()
    await client.get_workflow_handle(campaign.workflow_id).signal("revoked")
    ended = await purple.end(campaign, 60)
    assert ended.state is CampaignState.CANCELLED
    assert ended.reason == "told that its authorisation was revoked, which it is not"
    assert await refusals(purple, contract) == ()
