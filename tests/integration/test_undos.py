"""Clean-up on real servers: a tool leaves an entry in a server, and whatever becomes of it, the entry is taken back."""

import asyncio
import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from purple.contracts.campaigns import CampaignInput, CampaignRef
from purple.contracts.undos import UndoAlarm
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.tools import ScanState
from purple.domain.undos import Undo, UndoState, undo_id_of
from purple.services.undoing import acted
from tests.integration.test_console import signed_in
from tests.integration.test_notices import chat, notifying  # noqa: F401 - a fixture
from tests.support.running import Purple, process, wait_until

ADDRESS = "127.28.0.1"


class Register:
    """A server's entries, and what was asked of it."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.entries: set[str] = set()
        self.asked: list[str] = []
        self.broken = False
        self.address, self.port = str(server.server_address[0]), int(server.server_address[1])


@contextmanager
def serving(address: str) -> Iterator[Register]:
    """A server with a register, for the length of the block."""

    class Entries(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self, status: int) -> None:
            made.asked.append(self.command)
            self.send_response(status)
            self.end_headers()

        def do_PUT(self) -> None:
            made.entries.add(self.path)
            self._answer(204)

        def do_DELETE(self) -> None:
            if made.broken:
                self._answer(503)
                return
            known = self.path in made.entries
            made.entries.discard(self.path)
            self._answer(204 if known else 404)

    server = ThreadingHTTPServer((address, 0), Entries)
    made = Register(server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def register() -> Iterator[Register]:
    with serving(ADDRESS) as made:
        yield made


async def start(purple: Purple, register: Register, *targets: str, **options: Any) -> Campaign:
    chosen = {"port": register.port} | options
    registered = [await purple.container.targets.ensure(purple.organisation, each) for each in targets or (ADDRESS,)]
    return await purple.container.campaigns.start(
        CampaignInput(
            organisation_id=purple.organisation,
            name="changes",
            profile="made-changing",
            target_ids=tuple(each.id for each in registered),
            authorisation_id=await purple.authorisation(f"{ADDRESS}/24".replace(".1/", ".0/")),
            options={"made-changing": chosen},
        )
    )


async def undos(purple: Purple, campaign: Campaign) -> tuple[Undo, ...]:
    return await purple.container.undos.of_campaign(campaign)


async def held(marker: Path, besides: str = "") -> int:
    """The process of the tool that waits."""

    def waiting() -> int:
        text = marker.read_text() if marker.exists() else ""
        return int(text) if text and text != besides else 0

    return int(await asyncio.to_thread(wait_until, waiting, 90, "the tool holds"))


@pytest.mark.parametrize(("mode", "state"), [("ok", CampaignState.COMPLETED), ("crash", "completed_with_gaps")])
async def test_what_a_tool_changed_is_taken_back_however_it_ends(purple, register, mode, state) -> None:
    campaign = await purple.end(await start(purple, register, mode=mode))
    assert (campaign.state, campaign.reason) == (state, "")
    assert register.entries == set()
    assert register.asked == ["PUT", "DELETE"]
    (undo,) = await undos(purple, campaign)
    assert (undo.state, undo.attempts, undo.done_by) == (UndoState.DONE, 1, "")
    scan = await purple.scan(campaign)
    assert scan.started_at is not None
    assert scan.started_at >= undo.created_at, "registered before the tool began"
    assert undo.instructions == f"Send DELETE /entries/{undo.id} to {ADDRESS}."
    assert campaign.summary["undos"] == {"done": 1}


@pytest.mark.parametrize("way", ["facade", "temporal"])
async def test_cancelling_takes_it_back_after_the_tool_has_ended(purple, register, tmp_path, way) -> None:
    marker = tmp_path / "marker"
    campaign = await start(purple, register, mode="hold-after", marker=str(marker))
    await held(marker)
    assert len(register.entries) == 1
    if way == "facade":
        await purple.container.steering.cancel(purple.organisation, campaign.id)
    else:
        client = await purple.container.orchestrator.client()
        await client.get_workflow_handle(campaign.workflow_id).cancel()
    ended = await purple.end(campaign)
    assert ended.state is CampaignState.CANCELLED
    assert (register.entries, register.asked) == (set(), ["PUT", "DELETE"])
    assert [each.state for each in await undos(purple, ended)] == [UndoState.DONE]


@pytest.fixture
def registers() -> Iterator[dict[str, Register]]:
    """Of other addresses, by when the tool there holds."""
    with serving("127.28.0.3") as before, serving("127.28.0.4") as after:
        yield {"hold-before": before, "hold-after": after}


async def test_a_worker_that_dies_before_the_tool_acts_or_after(purple, registers, environment, tmp_path) -> None:
    """Both at once, each with workers of a zone of its own, so that it is known which of them has the tool."""
    before, after = (dies(purple, register, environment, mode, tmp_path / mode) for mode, register in registers.items())
    await asyncio.gather(before, after)


async def dies(purple: Purple, register: Register, environment: dict[str, str], mode: str, marker: Path) -> None:
    zone, address = f"{mode}-28", register.address
    await purple.container.targets.create(purple.organisation, address, zone=zone)
    with ExitStack() as stack:

        async def hire() -> subprocess.Popen[bytes]:
            worker = process(environment, "workers", "scan", "--zone", zone)
            return await asyncio.to_thread(stack.enter_context, worker)

        victim = await hire()
        campaign = await start(purple, register, address, mode=mode, marker=str(marker))
        pid = await held(marker)
        victim.send_signal(signal.SIGKILL)
        await asyncio.to_thread(victim.wait, 10)
        assert register.asked == ([] if mode == "hold-before" else ["PUT"])
        assert [each.state for each in await undos(purple, campaign)] == [UndoState.OPEN]
        await hire()
        if mode == "hold-before":
            await purple.container.steering.cancel(purple.organisation, campaign.id)
        else:
            await held(marker, besides=str(pid))
            marker.unlink()
        ended = await purple.end(campaign)
    assert ended.state is (CampaignState.CANCELLED if mode == "hold-before" else CampaignState.COMPLETED)
    assert register.asked == (["DELETE"] if mode == "hold-before" else ["PUT", "PUT", "DELETE"])
    assert register.entries == set()
    assert [each.state for each in await undos(purple, ended)] == [UndoState.DONE]


async def test_a_workflow_that_is_ended_from_outside_leaves_nothing_behind(purple, register, tmp_path) -> None:
    marker = tmp_path / "marker"
    campaign = await start(purple, register, mode="hold-after", marker=str(marker))
    await held(marker)
    client = await purple.container.orchestrator.client()
    await client.get_workflow_handle(campaign.workflow_id).terminate()
    ended = await purple.end(campaign)
    assert (ended.state, ended.reason) == (CampaignState.FAILED, "its workflow was ended from outside")
    assert register.entries == set()
    assert [each.state for each in await undos(purple, ended)] == [UndoState.DONE]


async def test_a_workflow_that_is_ended_from_outside_leaves_no_campaign_running(purple, admin, tmp_path) -> None:
    tmp_path.chmod(0o777)
    marker = {"mode": "gate", "marker": str(tmp_path)}
    campaign = await purple.start("127.46.9.1", made=marker)
    await asyncio.to_thread(wait_until, lambda: any(tmp_path.iterdir()), 90, "the tool waits")
    client = await purple.container.orchestrator.client()
    await client.get_workflow_handle(campaign.workflow_id).terminate()
    # it has been silent for a minute
    admin.execute("UPDATE events SET at = at - interval '1 minute' WHERE campaign_id = %s", [campaign.id])
    ended = await purple.end(campaign)
    assert (ended.state, ended.reason) == (CampaignState.FAILED, "its workflow was ended from outside")
    assert (await purple.scan(ended)).state.ended


async def test_an_undo_is_allowed_where_its_run_was(purple, register, tmp_path) -> None:
    marker = tmp_path / "marker"
    campaign = await start(purple, register, mode="hold-after", marker=str(marker))
    await held(marker)
    await purple.container.authorisations.revoke(purple.organisation, campaign.authorisation_id)
    marker.unlink()
    await purple.end(campaign)
    assert register.entries == set()
    assert [each.state for each in await undos(purple, campaign)] == [UndoState.DONE]


async def test_a_tool_that_acts_after_its_undo_is_undone_again(purple, register) -> None:
    campaign = await purple.end(await start(purple, register))
    scan = await purple.scan(campaign)
    spec = purple.container.tools.spec(scan.tool)
    register.entries.add(f"/entries/{undo_id_of(scan.id, scan.attempt)}")
    async with purple.container.work(purple.organisation) as uow:
        await acted(uow, scan, spec, purple.container.clock.now())
    async with asyncio.timeout(90):  # the relay finds it
        while register.entries:
            await asyncio.sleep(0.1)
    async with asyncio.timeout(90):
        while (await undos(purple, campaign))[0].state is not UndoState.DONE:
            await asyncio.sleep(0.1)
    assert (await undos(purple, campaign))[0].round == 2


async def test_an_undo_that_keeps_failing_is_an_alarm_until_it_is_mended(
    purple,
    register,
    api,
    client,
    purple_command,
    chat,  # noqa: F811 - the fixture
) -> None:
    register.broken = True
    campaign = await purple.end(await start(purple, register, ADDRESS, "127.28.0.2", mode="ok"))
    # the second target has no such server: its tool fails, and so does its undo
    assert campaign.state is CampaignState.COMPLETED_WITH_GAPS
    assert "2 changes could not be undone: " in campaign.reason
    assert campaign.summary["undos"] == {"failed": 2}
    by_host = {each.place.host: each for each in await undos(purple, campaign)}
    assert {each.attempts for each in by_host.values()} == {3}
    assert by_host[ADDRESS].last_error.endswith("the server answered 503")
    first, second = by_host[ADDRESS], by_host["127.28.0.2"]
    told, url = chat
    for _ in range(2):  # each receiver is told once
        ref = CampaignRef(organisation_id=purple.organisation, campaign_id=campaign.id)
        await notifying(purple, url).alarm(UndoAlarm(ref=ref, undo_id=first.id))
    assert [each["title"] for each in told] == ["Purple: a change of changes could not be undone"]
    assert first.instructions in told[0]["message"]
    async with signed_in(api, purple.container) as browser:
        page = (await browser.get(f"/campaigns/{campaign.id}")).text
    assert first.instructions in page
    shown = purple_command("run", "undo", str(first.id), "-o", "json")
    assert json.loads(shown.stdout)["instructions"] == first.instructions
    listed = purple_command("run", "undos", "--campaign", str(campaign.id), "-o", "json")
    assert {each["state"] for each in json.loads(listed.stdout)["items"]} == {"failed"}

    register.broken = False
    answer = await client.post(f"/undos/{first.id}/retry")
    assert answer.status_code == 202, answer.text
    async with asyncio.timeout(90):
        while (found := (await client.get(f"/undos/{first.id}")).json())["state"] != "done":
            await asyncio.sleep(0.1)
    assert found["registered_at"]
    assert (await client.post(f"/undos/{first.id}/retry")).status_code == 409
    assert (await client.post(f"/undos/{second.id}/done", json={"why": ""})).status_code == 422
    assert register.entries == set()
    assert "1 change could not be undone: " in (await reload(purple, campaign)).reason

    assert purple_command("run", "undo", str(second.id), "--done").returncode == 2
    by_hand = purple_command("run", "undo", str(second.id), "--done", "--why", "no such server, nothing was made")
    assert by_hand.returncode == 0, by_hand.stderr
    mended = await purple.container.undos.get(purple.organisation, second.id)
    assert (mended.state, mended.done_by) == (UndoState.DONE, "admin")
    assert mended.done_why == "no such server, nothing was made"
    healed = await reload(purple, campaign)
    assert (healed.reason, healed.summary["undos"]) == ("", {"done": 2})
    assert "without_undos" not in healed.summary
    assert {scan.state for scan in await purple.scans(campaign)} == {ScanState.COMPLETE, ScanState.FAILED}


async def reload(purple: Purple, campaign: Campaign) -> Campaign:
    return await purple.container.campaigns.get(purple.organisation, campaign.id)
