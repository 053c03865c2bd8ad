"""Campaigns that share a host: what it sees of them, and what becomes of them when it is gone."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import time, timedelta
from typing import Any

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from purple.contracts.campaigns import CampaignInput
from purple.contracts.gates import GateRef
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.gates import GateRules, LeaseState
from purple.domain.tools import ScanState
from purple.domain.windows import Window
from purple.services.gatekeeping import Gatekeeping, Standing
from purple.toolkit.world import TcpProber
from tests.gates.conftest import BUDGET, TOOLS_AT_ONCE, working
from tests.gates.host import Host, listening
from tests.support.running import Purple, process
from workers.runner import sandbox
from workflows.campaign import CampaignWorkflow
from workflows.gate import GateWorkflow


async def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """The first true answer of something that may have to be awaited."""
    found = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                found = condition()
                if isinstance(found, Awaitable):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None


async def start(purple: Purple, host: Host, *ports: int, profile: str = "visit") -> Campaign:
    """A campaign with a scan a port."""
    values = [f"{host.address}:{port}" for port in ports or host.ports]
    targets = [(await purple.container.targets.ensure(purple.organisation, each)).id for each in values]
    return await purple.container.campaigns.start(
        CampaignInput(
            organisation_id=purple.organisation,
            name=f"{profile} {host.address}",
            profile=profile,
            target_ids=tuple(targets),
            authorisation_id=await purple.authorisation(),
        )
    )


async def standing(purple: Purple, host: Host) -> Standing:
    target = await purple.container.targets.ensure(purple.organisation, f"{host.address}:{host.ports[0]}")
    return await purple.container.gatekeeping.standing(purple.organisation, target.id)


async def waiting(purple: Purple, host: Host, number: int) -> bool:
    return len((await standing(purple, host)).waiting) == number


def gate(purple: Purple, host: Host) -> str:
    return f"gate/{purple.organisation}/{host.address}"


async def closed(purple: Purple, host: Host) -> bool:
    client = await purple.container.orchestrator.client()
    described = await client.get_workflow_handle(gate(purple, host)).describe()
    return described.status is not None and described.status.name == "COMPLETED"


async def results(purple: Purple, campaign: Campaign) -> set[tuple[Any, ...]]:
    return {(each.host, each.port, each.state, each.observations) for each in await purple.scans(campaign)}


async def replays(purple: Purple, workflow_id: str) -> None:
    client = await purple.container.orchestrator.client()
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    await Replayer(
        workflows=[CampaignWorkflow, GateWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=sandbox(),
    ).replay_workflow(history)


async def test_two_campaigns_on_one_host_never_exceed_its_limits(purple, tool_workers) -> None:
    with listening("127.27.1.1", *range(7001, 7006)) as host:
        campaigns = [await start(purple, host), await start(purple, host)]
        ended = [await purple.end(each) for each in campaigns]
        assert [each.state for each in ended] == [CampaignState.COMPLETED] * 2
        assert len(host.visits) == 10, "each tool came once"
        assert host.most == TOOLS_AT_ONCE, "as many as may, and no more"
        assert {each.rate for each in host.visits} == {BUDGET // TOOLS_AT_ONCE}
        there = await standing(purple, host)
        assert (there.running, there.waiting, there.breakers) == ((), (), ())
        await until(lambda: closed(purple, host), "the gate is closed when nobody waits")
    for workflow in (gate(purple, host), *(each.workflow_id for each in campaigns)):
        await replays(purple, workflow)


async def test_an_intruder_is_alone_and_everybody_comes_in_order(purple, tool_workers) -> None:
    with listening("127.27.1.2", *range(7001, 7008)) as host:
        host.hold()
        first = await start(purple, host, 7001, 7002)
        await until(lambda: len(host.inside) == TOOLS_AT_ONCE, "two are there")
        later = []
        for number, (port, profile) in enumerate(
            [(7003, "intrude"), (7004, "visit"), (7005, "intrude"), (7006, "visit"), (7007, "visit")]
        ):
            later.append(await start(purple, host, port, profile=profile))
            await until(lambda n=number: waiting(purple, host, n + 1), f"{port} waits")
        running = await purple.scans(later[0])
        assert running[0].state is ScanState.PENDING
        assert running[0].reason.startswith("waiting: intruder needs 127.27.1.2 to itself")
        line = f"intruder 127.27.1.2:7003: {running[0].reason}"
        await until(lambda: says(purple, later[0], line), "its progress says so")
        await purple.container.steering.cancel(purple.organisation, later[2].id)  # it leaves the queue
        assert (await purple.end(later[2])).state is CampaignState.CANCELLED
        host.let_go()
        ended = [await purple.end(each) for each in (first, later[0], later[1], later[3], later[4])]
    assert {each.state for each in ended} == {CampaignState.COMPLETED}
    assert host.alone_broken == []
    came = [each.port for each in host.visits[2:]]
    assert (came[0], set(came[1:3]), came[3:]) == (7003, {7004, 7006}, [7007]), "in the order in which they asked"
    assert host.visits[2].rate == BUDGET, "who is alone has the whole budget"


async def test_a_worker_that_is_killed_frees_its_places(purple, told) -> None:
    async def next_ones() -> list[str]:
        """For whom the gate keeps a place; of the two that died one may still have its own for a moment."""
        return [each.endpoint for each in (await standing(purple, host)).running if each.state is LeaseState.RESERVED]

    with listening("127.27.1.3", 7001, 7002, 7003) as host:
        host.hold()
        with process(told, "workers", "scan") as victim:
            held = await start(purple, host, 7001, 7002)
            await until(lambda: len(host.inside) == TOOLS_AT_ONCE, "two are there")
            other = await start(purple, host, 7003)
            # once it says so, the gate was told too: a worker that dies before that has its scan tried again first
            await until(lambda: says(purple, other, "waiting: 2 tools run"), "the third waits")
            victim.send_signal(signal.SIGKILL)
            victim.wait(10)
        # no worker is there that could take a place: what the gate keeps for the third nobody has before it
        assert await until(next_ones, "its turn comes") == ["127.27.1.3:7003"]
        assert not host.inside, "the tools died with their worker"
        async with working(purple.container, "scan"):
            await until(lambda: len(host.inside) == TOOLS_AT_ONCE, "the third, and one of the two again")
            await until(lambda: waiting(purple, host, 1), "the other one waits")
            inside = {each.port for each in host.inside}
            host.let_go()
            ended = [await purple.end(other), await purple.end(held)]
    assert [each.state for each in ended] == [CampaignState.COMPLETED] * 2
    (last,) = {7001, 7002} - inside
    assert 7003 in inside
    assert [each.port for each in host.visits[4:]] == [last], "nobody came a third time"
    assert host.most == TOOLS_AT_ONCE
    found = {row for each in ended for row in await results(purple, each)}
    assert found == {("127.27.1.3", port, ScanState.COMPLETE, 1) for port in host.ports}


async def test_a_host_that_is_gone_stops_its_tools_and_they_go_on_when_it_is_back(
    purple, tool_workers, told, client
) -> None:
    with listening("127.27.1.4", 7001, 7002, 7003) as host:
        undisturbed = await purple.end(await start(purple, host))
        host.hold()
        campaign = await start(purple, host)
        await until(lambda: len(host.inside) == TOOLS_AT_ONCE, "two are there")
        host.close()
        there = await until(lambda: gone(purple, host), "the breaker is open")
        assert there.running == ()
        assert there.breakers[0].port in host.ports
        said = f"127.27.1.4 stopped answering on port {there.breakers[0].port}"
        scans = await purple.scans(campaign)
        assert {each.state for each in scans} == {ScanState.PENDING}
        assert all(each.reason.startswith(("waiting: 2 tools run", f"waiting: {said}")) for each in scans)
        await until(lambda: says(purple, campaign, said), "its progress says so")
        newcomer = await start(purple, host, 7003)
        await until(lambda: waiting(purple, host, 4), "who comes now waits too")
        shown = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cli", "target", "gate", f"{host.address}:7001", "-o", "json"],
            env=os.environ | told,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        document = json.loads(shown.stdout)
        assert document["schema"] == "purple.gate/1"
        assert (len(document["waiting"]), document["breakers"][0]["host"]) == (4, host.address)
        answer = await client.get(f"/targets/{campaign.target_ids[0]}/gate")
        assert [each["scan_id"] for each in answer.json()["waiting"]] == [
            each["scan_id"] for each in document["waiting"]
        ]
        assert (answer.json()["running"], answer.json()["tools_at_once"]) == ([], TOOLS_AT_ONCE)
        host.let_go()
        host.open()
        assert (await purple.end(campaign)).state is CampaignState.COMPLETED
        assert (await purple.end(newcomer)).state is CampaignState.COMPLETED
        assert await results(purple, campaign) == await results(purple, undisturbed)
        assert host.most == TOOLS_AT_ONCE
        await until(lambda: closed(purple, host), "the gate is closed when nobody waits")
    async with purple.container.work(purple.organisation) as uow:
        kinds = [each.type for each in await uow.events.milestones(campaign.id)]
    assert [each for each in kinds if each.startswith("target.")] == ["target.unreachable", "target.back"]
    for workflow in (gate(purple, host), campaign.workflow_id):
        await replays(purple, workflow)


async def says(purple: Purple, campaign: Campaign, words: str) -> bool:
    progress = await purple.container.campaigns.progress(campaign)
    return any(words in each for each in (progress or {}).get("waiting", ()))


async def gone(purple: Purple, host: Host) -> Standing | None:
    there = await standing(purple, host)
    return there if there.breakers and len(there.waiting) == len(host.ports) else None


async def test_a_host_that_does_not_come_back_is_given_up(purple, tool_workers) -> None:
    container = purple.container
    with listening("127.27.1.5", 7001) as host:
        host.hold()
        campaign = await start(purple, host)
        await until(lambda: host.inside, "it is there")
        host.close()
        await until(lambda: gone(purple, host), "the breaker is open")
    impatient = GateRules(most=TOOLS_AT_ONCE, give_up=container.gate_rules.give_up * 0)
    keeper = Gatekeeping(container.work, container.orchestrator, container.clearance, TcpProber(), impatient)

    async def ended() -> bool:
        await keeper.turn(GateRef(organisation_id=purple.organisation, host=host.address))
        return (await container.campaigns.get(purple.organisation, campaign.id)).state.ended

    await until(ended, "it ends")
    scan = await purple.scan(campaign)
    assert scan.state is ScanState.FAILED
    assert scan.reason.startswith("127.27.1.5 stopped answering on port 7001 at ")
    assert scan.reason.endswith("and was not back within 0 s")
    assert (await purple.end(campaign)).state is CampaignState.COMPLETED_WITH_GAPS


@pytest.mark.parametrize("when", ["expired", "revoked", "closed"])
async def test_nobody_probes_what_nobody_may_touch(purple, tool_workers, when) -> None:
    container = purple.container
    port = {"expired": 7001, "revoked": 7002, "closed": 7003}[when]
    with listening("127.27.1.6", port) as host:
        host.hold()
        campaign = await start(purple, host)
        await until(lambda: host.inside, "it is there")
        host.close()
        await until(lambda: gone(purple, host), "the breaker is open")
        now = container.clock.now()
        later = now + timedelta(hours=12)
        window = Window(tuple(range(7)), time(later.hour), time((later.hour + 1) % 24), "UTC")
        changes = {
            "expired": {"valid_until": now},
            "revoked": {"revoked_at": now},
            "closed": {"windows": (window,)},
        }[when]
        async with container.work(purple.organisation) as uow:
            stored = await uow.campaigns.get(campaign.id)
            await uow.authorisations.update(stored.authorisation_id, **changes)
        host.knocks = 0
        host.open()
        ended = await purple.end(campaign)
    assert ended.state is CampaignState.NOT_ALLOWED
    assert when in ended.reason or "is not the one" in ended.reason
    assert host.knocks == 0
