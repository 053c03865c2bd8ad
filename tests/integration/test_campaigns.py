"""Whole campaigns on real servers with a made tool: what becomes of a tool or a worker that fails."""

import asyncio
import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from purple.contracts.campaigns import CampaignInput, CampaignRef
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.errors import ConflictError, InvalidInputError, OutOfScopeError
from purple.domain.pages import Query
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import VulnerabilityState
from purple.services import reporting
from tests.support.running import Purple, process, wait_until

ENDS = [
    ("ok", ScanState.COMPLETE, "", 2),
    ("crash", ScanState.FAILED, "signal 11", 2),
    ("garbage", ScanState.FAILED, "could not be read", 0),
    ("cut", ScanState.PARTIAL, "could not be read", 2),
    ("silent", ScanState.FAILED, "wrote no result", 0),
]


@pytest.fixture(scope="module")
async def ends(container, workers) -> dict[str, Campaign]:
    """A campaign for each mode, at once; one hangs for a while beside the other tests."""
    purple = Purple(container)
    found = {
        mode: await purple.start(f"127.1.0.{number}", made={"mode": mode, "flaws": [1, 2]})
        for number, (mode, *_) in enumerate(ENDS, 1)
    }
    return found | {"hang": await purple.start("127.1.1.2", made={"mode": "hang", "flaws": [7]})}


@pytest.mark.parametrize(("mode", "state", "reason", "seen"), ENDS)
async def test_how_a_tool_ends_is_how_its_scan_ends(purple, ends, mode, state, reason, seen) -> None:
    campaign = await purple.end(ends[mode])
    scan = await purple.scan(campaign)
    assert (scan.state, scan.observations) == (state, seen), scan.reason
    assert reason in scan.reason
    whole = CampaignState.COMPLETED if state is ScanState.COMPLETE else CampaignState.COMPLETED_WITH_GAPS
    assert campaign.state is whole


async def test_a_tool_that_is_missing_is_a_gap_and_the_rest_goes_on(purple) -> None:
    campaign = await purple.run("127.1.1.1", "made-missing", made={"flaws": [1]})
    scans = {scan.tool: scan for scan in await purple.scans(campaign)}
    assert scans["made"].state is ScanState.COMPLETE
    assert scans["made-missing"].state is ScanState.FAILED
    assert "no-such-program-anywhere is not on this machine" in scans["made-missing"].reason
    assert campaign.state is CampaignState.COMPLETED_WITH_GAPS


async def test_a_second_run_adds_sightings_and_closes_only_what_was_looked_at_to_the_end(purple) -> None:
    target = "127.1.1.3"
    await purple.run(target, made={"flaws": [1, 2]})
    first = {each.port: each for each in await purple.vulnerabilities(target)}
    await purple.run(target, made={"flaws": [1, 2]})
    second = {each.port: each for each in await purple.vulnerabilities(target)}
    assert {port: each.version for port, each in second.items()} == {port: each.version for port, each in first.items()}
    assert all(len(each.observation_ids) == 2 for each in second.values())
    assert {port: each.first_seen for port, each in second.items()} == {p: each.first_seen for p, each in first.items()}
    await purple.run(target, made={"flaws": [], "mode": "crash"})
    assert all(each.state is VulnerabilityState.OPEN for each in await purple.vulnerabilities(target))


async def reported(purple, campaign) -> dict[str, bytes]:
    """By format, those of the last round."""
    page = await purple.container.reporting.page(purple.organisation, Query({"campaign_id": campaign.id}))
    newest = sorted(page.items, key=lambda each: each.created_at)
    return {each.format: await purple.container.reporting.content(each) for each in newest}


async def test_the_report_holds_hostile_text_as_text_and_says_what_it_leaves_out(purple, monkeypatch) -> None:
    campaign = await purple.run("127.1.1.4", made={"flaws": [1, 2]})
    bodies = await reported(purple, campaign)
    assert set(bodies) == {"pdf", "html", "json"}
    assert bodies["pdf"].startswith(b"%PDF-")
    assert b"<script>" not in bodies["html"]
    assert b"<img" not in bodies["html"]
    assert b"&lt;script&gt;alert(1)&lt;/script&gt; &amp; made flaw" in bodies["html"]
    told = json.loads(bodies["json"])
    assert (told["counts"]["high"], told["vulnerabilities_seen"], len(told["vulnerabilities"])) == (2, 2, 2)
    assert all(each["evidence"] for each in told["vulnerabilities"])
    assert [scan["state"] for scan in told["coverage"]] == ["complete"]
    assert campaign.summary["notes"]["triage"] == "skipped: no model"
    monkeypatch.setattr(reporting, "MAX_VULNERABILITIES", 1)
    await purple.container.reporting.write(
        CampaignRef(organisation_id=purple.organisation, campaign_id=campaign.id, round=2)
    )
    bodies = await reported(purple, campaign)
    told = json.loads(bodies["json"])
    assert (told["counts"]["high"], told["vulnerabilities_seen"], len(told["vulnerabilities"])) == (2, 2, 1)
    assert b"This campaign saw 2 vulnerabilities" in bodies["html"]


async def test_cancelling_kills_the_tool_and_keeps_what_is_known(purple, tmp_path) -> None:
    marker = tmp_path / "marker"
    campaign = await purple.start("127.1.1.5", made={"mode": "slow", "flaws": [1], "marker": str(marker)})
    pids = await asyncio.to_thread(wait_until, lambda: pids_of(marker), 30, "the tool runs")
    await purple.container.steering.cancel(purple.organisation, campaign.id)
    ended = await purple.end(campaign, 60)
    assert ended.state is CampaignState.CANCELLED
    assert (await purple.scan(ended)).state is ScanState.CANCELLED
    await asyncio.to_thread(wait_until, lambda: not any(map(alive, pids)), 5, "the tool is gone")


async def test_a_worker_that_is_killed_takes_its_tool_along_and_another_takes_over(
    purple, environment, tmp_path
) -> None:
    target, zone, marker = "127.1.1.6", "killed", tmp_path / "marker"
    await purple.container.targets.create(purple.organisation, target, zone=zone)  # so that it is known who runs it
    with process(environment, "workers", "scan", "--zone", zone) as dies:
        undisturbed = await purple.run(target, made={"flaws": [1, 2, 3]})
        before = {each.fingerprint for each in await purple.vulnerabilities(target)}
        victim = await purple.start(target, made={"mode": "slow", "flaws": [1, 2, 3], "marker": str(marker)})
        pids = await asyncio.to_thread(wait_until, lambda: pids_of(marker), 30, "the tool runs")
        with process(environment, "workers", "scan", "--zone", zone):
            dies.send_signal(signal.SIGKILL)
            killed = datetime.now(UTC)
            await asyncio.to_thread(wait_until, lambda: not any(map(alive, pids)), 3, "the tool died with its worker")
            taken = await asyncio.to_thread(wait_until, lambda: new_pids(marker, pids), 30, "another worker runs it")
            assert taken != pids
            taken_up = (await purple.scan(victim)).started_at
            assert taken_up - killed < timedelta(seconds=11), "the heartbeat time-out is 10 s"
            marker.unlink()
            ended = await purple.end(victim)
    assert ended.state is CampaignState.COMPLETED
    scan = await purple.scan(ended)
    assert scan.observations == (await purple.scan(undisturbed)).observations == 3
    assert {each.fingerprint for each in await purple.vulnerabilities(target)} == before


def pids_of(marker: Path) -> list[int]:
    try:
        return [int(each) for each in marker.read_text().split()]
    except FileNotFoundError:
        return []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def new_pids(marker: Path, old: list[int]) -> list[int]:
    found = pids_of(marker)
    return [] if found == old else found


async def test_pausing_starts_nothing_new_until_it_is_resumed(purple) -> None:
    campaign = await purple.start("127.1.1.7", made={"mode": "hang"})
    handle = (await purple.container.orchestrator.client()).get_workflow_handle(campaign.workflow_id)
    await handle.signal("pause")
    progress = await purple.container.campaigns.progress(campaign)
    assert progress is not None
    assert progress["paused"] is True
    await handle.signal("resume")
    await purple.container.steering.cancel(purple.organisation, campaign.id)
    assert (await purple.end(campaign)).state is CampaignState.CANCELLED


async def test_the_temporal_ui_alone_tells_how_it_went(purple) -> None:
    campaign = await purple.run("127.1.1.8", made={"flaws": [1]})
    client = await purple.container.orchestrator.client()
    description = await client.get_workflow_handle(campaign.workflow_id).describe()
    assert await description.static_summary() == campaign.name
    found = description.typed_search_attributes
    told = {pair.key.name: pair.value for pair in found}
    assert told["PurpleCampaignId"] == str(campaign.id)
    assert told["PurpleProfile"] == "made"
    assert told["PurplePhase"] == "notify"
    assert told["PurpleMaxSeverity"] == "high"


async def test_a_repeated_request_starts_one_campaign(purple) -> None:
    target = await purple.container.targets.ensure(purple.organisation, "127.1.1.9")
    fields = {
        "organisation_id": purple.organisation,
        "profile": "made",
        "target_ids": (target.id,),
        "authorisation_id": await purple.authorisation(),
    }
    first = await purple.container.campaigns.start(CampaignInput(name="a", **fields), "key-1")
    again = await purple.container.campaigns.start(CampaignInput(name="a", **fields), "key-1")
    assert first.id == again.id
    with pytest.raises(ConflictError):
        await purple.container.campaigns.start(CampaignInput(name="b", **fields), "key-1")


async def test_a_start_that_was_lost_is_repaired_by_the_relay(purple, monkeypatch) -> None:
    from purple.domain.errors import UnavailableError

    async def away(*_: object, **__: object) -> None:
        raise UnavailableError("Temporal is away")

    with monkeypatch.context() as patch:
        patch.setattr(purple.container.orchestrator, "start", away)
        campaign = await purple.start("127.1.1.10", made={"flaws": [1]})
    assert campaign.state is CampaignState.PENDING
    assert (await purple.end(campaign, 120)).state is CampaignState.COMPLETED


async def test_a_campaign_that_cannot_be_started_keeps_nobody_else_waiting(purple, monkeypatch) -> None:
    from purple.domain.errors import UnavailableError

    async def away(*_: object, **__: object) -> None:
        raise UnavailableError("Temporal is away")

    with monkeypatch.context() as patch:
        patch.setattr(purple.container.orchestrator, "start", away)
        broken = await purple.start("127.1.1.13")
        sound = await purple.start("127.1.1.14")
    async with purple.container.work(purple.organisation) as uow:
        await uow.campaigns.update(broken.id, plan={"written by": "another version"})
    assert (await purple.end(sound, 120)).state is CampaignState.COMPLETED
    async with purple.container.work(purple.organisation) as uow:  # leave nothing behind that is tried for ever
        await uow.campaigns.update(broken.id, state=CampaignState.FAILED)


async def test_what_an_authorisation_does_not_allow_never_runs(purple) -> None:
    container, organisation = purple.container, purple.organisation
    target = await container.targets.ensure(organisation, "127.1.1.11")

    def wanted(authorisation_id) -> CampaignInput:
        return CampaignInput(
            organisation_id=organisation,
            name="",
            profile="made",
            target_ids=(target.id,),
            authorisation_id=authorisation_id,
        )

    now = container.clock.now()
    refusals = {
        "not-included": await purple.authorisation("192.0.2.0/24"),
        "exclude address:127.1.1.0/24": await purple.authorisation("127.0.0.0/8", exclude=["127.1.1.0/24"]),
        "not-yet-valid": await purple.authorisation(valid_from=now + timedelta(minutes=30)),
        "intrusiveness": await purple.authorisation(max_intrusiveness="passive"),
    }
    revoked = await purple.authorisation()
    await container.authorisations.revoke(organisation, revoked)
    refusals["revoked"] = revoked
    for rule, authorisation_id in refusals.items():
        with pytest.raises(OutOfScopeError) as refusal:
            await container.campaigns.start(wanted(authorisation_id))
        assert refusal.value.rule == rule


async def test_revoking_stops_a_campaign_at_its_next_step(purple, tmp_path) -> None:
    container, organisation = purple.container, purple.organisation
    marker = tmp_path / "marker"
    targets = [(await container.targets.ensure(organisation, f"127.1.2.{n}")).id for n in range(1, 5)]
    authorisation = await purple.authorisation()
    campaign = await container.campaigns.start(
        CampaignInput(
            organisation_id=organisation,
            name="",
            profile="made",
            target_ids=tuple(targets),
            authorisation_id=authorisation,
            options={"made": {"mode": "slow", "marker": str(marker)}},
        )
    )
    await asyncio.to_thread(wait_until, lambda: pids_of(marker), 30, "a tool runs")
    await container.authorisations.revoke(organisation, authorisation)
    while not (await container.campaigns.get(organisation, campaign.id)).state.ended:
        marker.unlink(missing_ok=True)
        await asyncio.sleep(0.2)
    ended = await container.campaigns.get(organisation, campaign.id)
    assert ended.state is CampaignState.NOT_ALLOWED
    assert "revoked" in ended.reason
    assert ScanState.SKIPPED in {scan.state for scan in await purple.scans(ended)}


@pytest.mark.parametrize(
    ("profile", "options", "field"),
    [
        ("no-such-profile", {}, "profile"),
        ("made", {"made": {"mode": "explode"}}, "options.made.mode"),
        ("made", {"made": {"shell": "rm"}}, "options.made.shell"),
        ("made", {"nmap": {}}, "options.nmap"),
        ("discovery", {"nmap": {"ports": "80;reboot"}}, "options.nmap.ports"),
        ("discovery", {"nmap": {"ports": "-oN /tmp/x"}}, "options.nmap.ports"),
    ],
)
async def test_bad_input_names_its_field_and_a_remedy(purple, profile, options, field) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        await purple.start("127.1.1.12", profile, **options)
    assert refusal.value.field == field
    assert refusal.value.remedy


async def test_a_tool_that_hangs_is_killed_and_what_it_found_stays(purple, ends) -> None:
    scan = await purple.scan(await purple.end(ends["hang"]))
    assert (scan.state, scan.observations) == (ScanState.TIMED_OUT, 1)
    assert "20 s" in scan.reason


def test_this_suite_leaves_its_servers_on_loopback(servers) -> None:
    assert os.environ["PURPLE_DATABASE__URL"] == servers.database_url
    assert "@127.0.0.1:" in servers.database_url
