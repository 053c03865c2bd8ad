"""Steering while a campaign runs: who asks is believed, and it is written down."""

import asyncio
import hashlib
import secrets
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.client import WorkflowUpdateFailedError

from purple.contracts import names
from purple.contracts.campaigns import CampaignInput, Order, Ordered
from purple.domain.campaigns import Campaign, CampaignState, Scan
from purple.domain.events import Event
from purple.domain.identity import Action, Actor, ApiToken, Permission, User
from purple.domain.pages import Query
from purple.domain.scan_sets import INLINE
from purple.domain.tools import ScanState
from purple.services.ordering import about
from tests.integration.test_campaigns import alive, pids_of
from tests.support.running import Purple, asking, wait_until


@pytest.fixture
async def second(api, container, purple):
    """A client of another person of the same organisation."""
    async with another(api, container, purple) as made:
        yield made


@pytest.fixture
async def third(api, container, purple):
    """Likewise, of one more."""
    async with another(api, container, purple) as made:
        yield made


@asynccontextmanager
async def another(api, container, purple):
    secret, now = secrets.token_hex(32), container.clock.now()
    user = User(uuid4(), purple.organisation, f"second-{secret[:6]}", frozenset(Permission), now)
    token = ApiToken(uuid4(), purple.organisation, user.id, hashlib.sha256(secret.encode()).hexdigest(), now)
    async with container.work(purple.organisation) as uow:
        await uow.users.add(user)
        await uow.tokens.add(token)
    bearer = f"pp_{token.id.hex}_{purple.organisation.hex}_{secret}"
    async with asking(api, bearer) as made:
        yield made


async def start(
    purple: Purple,
    addresses: tuple[str, ...],
    profile: str,
    *,
    include: str = "127.21.0.0/16",
    created_by: UUID | None = None,
    **options: dict[str, object],
) -> Campaign:
    targets = [(await purple.container.targets.ensure(purple.organisation, each)).id for each in addresses]
    return await purple.container.campaigns.start(
        CampaignInput(
            organisation_id=purple.organisation,
            name="ordered",
            profile=profile,
            target_ids=tuple(targets),
            authorisation_id=await purple.authorisation(include),
            options=options,
            created_by=created_by,
        )
    )


async def reached(purple: Purple, campaign: Campaign, condition, seconds: float = 60) -> dict[str, Scan]:
    """The scans by host, once they are as wanted."""
    async with asyncio.timeout(seconds):
        while not condition(found := {scan.host: scan for scan in await purple.scans(campaign)}):
            await asyncio.sleep(0.05)
    return found


def in_state(state: ScanState, number: int):
    return lambda scans: sum(scan.state is state for scan in scans.values()) == number


async def told(purple: Purple, campaign: Campaign, kind: str) -> list[dict[str, object]]:
    """What the events of a kind say, as soon as they are written."""
    async with purple.container.work(purple.organisation) as uow:
        found: tuple[Event, ...] = await uow.events.milestones(campaign.id)
    return [each.data for each in found if each.type == kind]


async def post(client: httpx.AsyncClient, campaign: Campaign, verb: str, status: int = 202, **body: object) -> str:
    answer = await client.post(f"/campaigns/{campaign.id}/{verb}", json=body)
    assert answer.status_code == status, answer.text
    return "" if answer.is_success else str(answer.json()["detail"])


def held(folder: Path) -> dict[str, dict[str, object]]:
    """Options with which the made tool waits at a gate."""
    return {"made-gated": {"mode": "gate", "marker": str(folder)}}


def open_gate(folder: Path) -> None:
    (folder / "open").touch()


@pytest.fixture
def gate(tmp_path) -> Path:
    """The folder of the made tool's mode of that name."""
    folder = tmp_path / "gate"
    folder.mkdir()
    folder.chmod(0o777)
    tmp_path.chmod(0o755)
    return folder


async def test_pausing_may_stop_what_runs_and_it_runs_again_once_resumed(purple, client, tmp_path) -> None:
    marker = tmp_path / "marker"
    campaign = await start(purple, ("127.21.0.1",), "made", made={"mode": "slow", "marker": str(marker)})
    pids = await asyncio.to_thread(wait_until, lambda: pids_of(marker), 30, "the tool runs")
    await post(client, campaign, "pause", stop_running=True)
    await asyncio.to_thread(wait_until, lambda: not any(map(alive, pids)), 5, "its processes are gone")
    stopped = await reached(purple, campaign, in_state(ScanState.PENDING, 1))
    assert "stopped by admin" in stopped["127.21.0.1"].reason
    async with asyncio.timeout(60):  # the workflow hears of it a little later than the database
        while (progress := await purple.container.campaigns.progress(campaign))["running"]:
            await asyncio.sleep(0.05)
    assert (progress["paused"], progress["done"]) == (True, 0)
    marker.unlink()
    await post(client, campaign, "resume")
    again = await asyncio.to_thread(wait_until, lambda: pids_of(marker), 30, "the tool runs again")
    assert again != pids
    marker.unlink()
    ended = await purple.end(campaign)
    assert ended.state is CampaignState.COMPLETED
    assert (await purple.scan(ended)).attempt == 2
    assert await told(purple, ended, "campaign.paused") == [{"by": "admin", "running": "stop"}]
    assert await told(purple, ended, "campaign.resumed") == [{"by": "admin"}]


async def test_a_scan_or_a_tool_is_skipped_and_one_that_runs_is_ended(purple, client, gate) -> None:
    hosts = ("127.21.1.1", "127.21.1.2", "127.21.1.3", "127.21.1.4")
    campaign = await start(purple, hosts, "made-gated", **held(gate))
    scans = await reached(purple, campaign, in_state(ScanState.RUNNING, 2))
    running = next(scan for scan in scans.values() if scan.state is ScanState.RUNNING)
    assert "no scan" in await post(client, campaign, "skip", 404, scan_id=str(uuid4()))
    assert "does not run" in await post(client, campaign, "skip", 409, tool="nmap")
    assert "one scan or one tool" in await post(client, campaign, "skip", 422)
    await post(client, campaign, "skip", scan_id=str(running.id), reason="the host is fragile")
    skipped = await reached(purple, campaign, in_state(ScanState.SKIPPED, 1))
    assert skipped[running.host].reason == "skipped by admin: the host is fragile"
    await reached(purple, campaign, in_state(ScanState.RUNNING, 2))
    await post(client, campaign, "skip", tool="made-gated")
    ended = await purple.end(campaign)
    assert ended.state is CampaignState.COMPLETED_WITH_GAPS
    over = await reached(purple, campaign, in_state(ScanState.SKIPPED, 4))
    assert {scan.reason for scan in over.values()} == {"skipped by admin: the host is fragile", "skipped by admin"}
    tools = [int(each.name) for each in gate.iterdir()]
    assert tools
    await asyncio.to_thread(wait_until, lambda: not any(map(alive, tools)), 5, "no tool is left")
    assert len(await told(purple, ended, "campaign.skipped")) == 2
    assert "no scan of this campaign has failed" in await post(client, ended, "retry-failed", 409)
    assert "has ended" in await post(client, ended, "skip", 409, tool="made-gated")


async def test_how_many_tools_run_at_once_changes_while_they_run(purple, client, gate) -> None:
    hosts = ("127.21.2.1", "127.21.2.2", "127.21.2.3")
    campaign = await start(purple, hosts, "made-single", **held(gate))
    await reached(purple, campaign, in_state(ScanState.RUNNING, 1))
    assert len((await purple.container.campaigns.progress(campaign))["running"]) == 1
    await post(client, campaign, "concurrency", 422, parallel=65)
    await post(client, campaign, "concurrency", parallel=2)
    await reached(purple, campaign, in_state(ScanState.RUNNING, 2))
    detail = (await client.get(f"/campaigns/{campaign.id}")).json()
    assert (detail["orders"]["parallel"], len(detail["progress"]["running"])) == (2, 2)
    open_gate(gate)
    ended = await purple.end(campaign)
    assert ended.state is CampaignState.COMPLETED
    assert await told(purple, ended, "campaign.parallel_changed") == [{"by": "admin", "parallel": 2}]


async def test_targets_are_added_where_the_authorisation_covers_them(purple, client, gate) -> None:
    campaign = await start(purple, ("127.21.3.1",), "made-gated", include="127.21.3.0/24", **held(gate))
    await reached(purple, campaign, in_state(ScanState.RUNNING, 1))
    organisation, targets = purple.organisation, purple.container.targets
    inside = [str((await targets.ensure(organisation, f"127.21.3.{n}")).id) for n in (2, 3)]
    outside = str((await targets.ensure(organisation, "127.21.4.1")).id)
    assert "not included" in await post(client, campaign, "targets", 403, target_ids=[inside[0], outside])
    refused = (await purple.container.clearance.page(organisation, Query({"campaign_id": campaign.id}))).items
    assert [(each.rule, each.target) for each in refused] == [("not-included", "127.21.4.1")]
    assert "there is no target" in await post(client, campaign, "targets", 404, target_ids=[str(uuid4())])
    key = {"Idempotency-Key": f"add-{campaign.id}"}
    for _ in range(2):
        answer = await client.post(f"/campaigns/{campaign.id}/targets", json={"target_ids": inside}, headers=key)
        assert answer.status_code == 202, answer.text
        assert len(answer.json()["target_ids"]) == 3
    open_gate(gate)
    ended = await purple.end(campaign)
    assert ended.state is CampaignState.COMPLETED
    scans = await reached(purple, campaign, in_state(ScanState.COMPLETE, 3))
    assert {scan.attempt for scan in scans.values()} == {1}
    assert await told(purple, ended, "campaign.targets_added") == [{"by": "admin", "scans": 2}]


async def test_adding_targets_asks_the_contract_also_where_none_is_new(purple, client, gate) -> None:
    address = "127.21.10.1"
    campaign = await start(purple, (address,), "made-gated", include=address, **held(gate))
    await reached(purple, campaign, in_state(ScanState.RUNNING, 1))
    same = [str(each) for each in campaign.target_ids]
    await post(client, campaign, "targets", target_ids=same)
    async with purple.container.work(purple.organisation) as uow:
        await uow.authorisations.update(campaign.authorisation_id, forbidden_tools=("made-gated",))
    assert "is not the one the campaign started under" in await post(client, campaign, "targets", 403, target_ids=same)
    refused = (await purple.container.clearance.page(purple.organisation, Query({"campaign_id": campaign.id}))).items
    assert [each.rule for each in refused] == ["changed"]
    open_gate(gate)
    await purple.end(campaign)
    assert len(await purple.scans(campaign)) == 1


async def test_a_held_tool_runs_once_a_second_person_approves_it(purple, client, second) -> None:
    admin = (await purple.container.identity.authenticate(client.headers["Authorization"][7:])).user_id
    artifact = await purple.container.objects.put(b"")
    options = {"made-noop": {"artifact": artifact}}
    campaign = await start(purple, ("127.21.5.1",), "made-approved", created_by=admin, **options)
    async with asyncio.timeout(60):  # the row is read before the workflow is asked, which may begin between the two
        while not (detail := (await client.get(f"/campaigns/{campaign.id}")).json())["orders"]["approvals"]:
            await asyncio.sleep(0.1)
    assert detail["orders"]["approvals"]["made"]["state"] == "waiting"
    async with asyncio.timeout(60):
        while not (progress := await purple.container.campaigns.progress(campaign)) or not progress["held"]:
            await asyncio.sleep(0.1)
    assert progress["held"] == {"made": 1}
    assert "second person" in await post(client, campaign, "approve", 403, tool="made")
    assert "does not wait" in await post(second, campaign, "approve", 409, tool="made-noop")
    await reached(purple, campaign, lambda scans: len(scans) == 1)
    by_tool = {scan.tool: scan.state for scan in await purple.scans(campaign)}
    assert by_tool["made"] is ScanState.PENDING
    await post(second, campaign, "approve", tool="made", reason="agreed with the owner")
    ended = await purple.end(campaign)
    assert ended.state is CampaignState.COMPLETED
    (answer,) = await told(purple, ended, "campaign.approved")
    assert (answer["by"][:7], answer["tool"], answer["reason"]) == ("second-", "made", "agreed with the owner")
    assert [each["tool"] for each in await told(purple, ended, "campaign.approval_asked")] == ["made"]


async def waiting(purple: Purple, campaign: Campaign, held: dict[str, int]) -> None:
    async with asyncio.timeout(60):
        while not (progress := await purple.container.campaigns.progress(campaign)) or progress["held"] != held:
            await asyncio.sleep(0.1)


async def test_who_adds_targets_does_not_approve_and_what_comes_later_is_asked_for_anew(
    purple, client, second, third
) -> None:
    admin = (await purple.container.identity.authenticate(client.headers["Authorization"][7:])).user_id
    artifact = await purple.container.objects.put(b"")
    options = {"made-noop": {"artifact": artifact}}
    campaign = await start(purple, ("127.21.5.2",), "made-approved", created_by=admin, **options)
    await waiting(purple, campaign, {"made": 1})
    later = await purple.container.targets.ensure(purple.organisation, "127.21.5.3")
    await post(second, campaign, "targets", target_ids=[str(later.id)])
    for asked in (client, second):
        assert "started this campaign or added targets" in await post(asked, campaign, "approve", 403, tool="made")
    await post(third, campaign, "approve", tool="made")
    async with asyncio.timeout(60):
        while len(await told(purple, campaign, "campaign.approval_asked")) < 2:
            await asyncio.sleep(0.1)
    await waiting(purple, campaign, {"made": 1})
    states = {scan.host: scan.state for scan in await purple.scans(campaign) if scan.tool == "made"}
    assert states == {"127.21.5.2": ScanState.COMPLETE, "127.21.5.3": ScanState.PENDING}
    await post(third, campaign, "approve", tool="made")
    assert (await purple.end(campaign)).state is CampaignState.COMPLETED


async def test_nobody_approves_where_it_is_not_known_who_started(purple, second) -> None:
    artifact = await purple.container.objects.put(b"")
    campaign = await start(purple, ("127.21.5.4",), "made-approved", **{"made-noop": {"artifact": artifact}})
    await waiting(purple, campaign, {"made": 1})
    assert "may have started this campaign" in await post(second, campaign, "approve", 403, tool="made")
    await post(second, campaign, "reject", tool="made")
    await purple.end(campaign)


async def test_a_held_tool_is_skipped_where_it_is_rejected_or_nobody_answers(purple, second) -> None:
    artifact = await purple.container.objects.put(b"")
    rejected = await start(purple, ("127.21.6.1",), "made-approved", **{"made-noop": {"artifact": artifact}})
    forgotten = await start(purple, ("127.21.6.2",), "made-hurried")
    async with asyncio.timeout(60):
        while not ((told_ := await purple.container.campaigns.progress(rejected)) and told_["held"]):
            await asyncio.sleep(0.1)
    await post(second, rejected, "reject", tool="made", reason="not in business hours")
    for campaign, reason in ((rejected, "not in business hours"), (forgotten, "nobody approved made until")):
        ended = await purple.end(campaign)
        assert ended.state is CampaignState.COMPLETED_WITH_GAPS
        (scan,) = (scan for scan in await purple.scans(ended) if scan.tool == "made")
        assert (scan.state, scan.attempt) == (ScanState.SKIPPED, 0)
        assert reason in scan.reason
    await purple.retry(forgotten)
    again = await purple.end(await purple.container.campaigns.get(purple.organisation, forgotten.id))
    assert (again.round, (await purple.scan(again)).state) == (2, ScanState.SKIPPED), "it is asked for anew, not run"
    assert len(await told(purple, again, "campaign.approval_asked")) == 2


async def test_an_order_needs_the_signed_word_of_an_actor_for_this_very_order(purple, gate) -> None:
    campaign = await start(purple, ("127.21.7.1",), "made-gated", **held(gate))
    await reached(purple, campaign, in_state(ScanState.RUNNING, 1))
    container = purple.container
    handle = (await container.orchestrator.client()).get_workflow_handle(campaign.workflow_id)
    admin = Actor(uuid4(), purple.organisation, "admin")
    another = Order(action=Action.SKIP, tool="nmap")
    borrowed = container.actors.sign(admin, Action.SKIP, campaign.workflow_id, about(another))
    for token in ("", "nonsense", borrowed):
        order = Order(action=Action.SKIP, tool="made-gated", token=token)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(names.UPDATE_STEER, order, result_type=Ordered)
    assert (await purple.scan(campaign)).state is ScanState.RUNNING
    open_gate(gate)
    assert (await purple.end(campaign)).state is CampaignState.COMPLETED


async def running(purple: Purple, campaign: Campaign, number: int) -> None:
    """Once so many of hundreds run."""
    async with asyncio.timeout(60):
        while True:
            async with purple.container.work(purple.organisation) as uow:
                if (await uow.scan_sets.counts(campaign.id)).get(ScanState.RUNNING, 0) == number:
                    return
            await asyncio.sleep(0.1)


async def test_orders_reach_the_children(purple, tmp_path) -> None:
    tmp_path.chmod(0o755)
    hold = tmp_path / "hold"
    hold.touch()
    artifact = await purple.container.objects.put(str(hold).encode())
    addresses = tuple(f"127.21.8.{n + 1}" for n in range(INLINE + 10))
    campaign = await start(purple, addresses, "made-recon", **{"made-noop": {"artifact": artifact}})
    await running(purple, campaign, 8)  # as many as the profile says, for no program needs room
    admin = Actor(uuid4(), purple.organisation, "admin")
    steering, organisation = purple.container.steering, purple.organisation
    await steering.stop(organisation, campaign.id, admin)
    await running(purple, campaign, 0)
    await steering.set_parallel(organisation, campaign.id, admin, 1)
    await steering.resume(organisation, campaign.id)
    await running(purple, campaign, 1)
    await steering.skip(organisation, campaign.id, admin, "made-noop", reason="enough")
    ended = await purple.end(campaign)
    async with purple.container.work(organisation) as uow:
        assert await uow.scan_sets.counts(campaign.id) == {ScanState.SKIPPED: INLINE + 10}
    assert ended.state is CampaignState.COMPLETED_WITH_GAPS
    hold.unlink()


async def test_the_command_line_steers(purple, purple_command, gate) -> None:
    hosts = ("127.21.9.1", "127.21.9.2", "127.21.9.3")
    campaign = await start(purple, hosts, "made-single", **held(gate))
    await reached(purple, campaign, in_state(ScanState.RUNNING, 1))

    async def purple_campaign(*arguments: str) -> tuple[int, str]:
        done = await asyncio.to_thread(purple_command, "campaign", arguments[0], str(campaign.id), *arguments[1:])
        return done.returncode, done.stderr

    assert (await purple_campaign("concurrency", "2"))[0] == 0
    await reached(purple, campaign, in_state(ScanState.RUNNING, 2))
    code, said = await purple_campaign("approve", "made")
    assert (code, "does not wait for approval" in said) == (1, True), said
    assert (await purple_campaign("add-targets", "127.21.9.4"))[0] == 0
    code, said = await purple_campaign("skip", "--tool", "made-gated", "--reason", "x" * 501)
    assert (code, "longer than 500 characters" in said) == (2, True), said
    assert (await purple_campaign("skip", "--tool", "made-gated", "--reason", "enough"))[0] == 0
    ended = await purple.end(campaign)
    scans = await reached(purple, ended, in_state(ScanState.SKIPPED, 4))
    assert {scan.reason for scan in scans.values()} == {"skipped by admin: enough"}
