"""Results of a tool that ran elsewhere go the way of every scan: observations, sightings, artifacts."""

import json
from pathlib import Path
from typing import Any

import pytest

from purple.contracts.campaigns import CampaignInput
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.errors import InvalidInputError
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import VulnerabilityState

ROOT = Path(__file__).resolve().parents[2]
BANDIT = (ROOT / "purple/tools/sarif/samples/bandit-1.9.4-made-repository.sarif").read_bytes()


async def bring_in(purple, target: str, data: bytes, **options: Any) -> Campaign:
    container = purple.container
    registered = await container.targets.ensure(purple.organisation, target)
    wanted = CampaignInput(
        organisation_id=purple.organisation,
        name="",
        profile="import-sarif",
        target_ids=(registered.id,),
        authorisation_id=await purple.authorisation(f"asset:{target}"),
        options={"sarif": {"artifact": await container.objects.put(data), **options}},
    )
    return await purple.end(await container.campaigns.start(wanted))


def without(rule: str) -> bytes:
    document = json.loads(BANDIT)
    results = document["runs"][0]["results"]
    document["runs"][0]["results"] = [each for each in results if each["ruleId"] != rule]
    return json.dumps(document).encode()


async def test_an_imported_file_gives_its_vulnerabilities_and_twice_adds_only_sightings(purple) -> None:
    target = "https://git.example.org/import-one.git"
    first = await bring_in(purple, target, BANDIT)
    assert first.state is CampaignState.COMPLETED
    scan = await purple.scan(first)
    assert (scan.tool, scan.state, scan.observations, scan.exit_code) == ("sarif", ScanState.COMPLETE, 9, None)
    assert scan.output_artifact == scan.options["artifact"]
    found = {each.fingerprint: each for each in await purple.vulnerabilities(target)}
    assert {each.title for each in found.values()} >= {
        "subprocess call with shell=True identified, security issue.",
        "Use of weak MD5 hash for security. Consider usedforsecurity=False",
    }
    assert len(found) == 8, "two tests of one weakness meet in a line"
    await bring_in(purple, target, BANDIT)
    again = {each.fingerprint: each for each in await purple.vulnerabilities(target)}
    assert {k: each.version for k, each in again.items()} == {k: each.version for k, each in found.items()}
    assert all(len(each.observation_ids) == 2 for each in again.values())


async def test_only_a_whole_file_of_the_same_series_closes(purple) -> None:
    target = "git@git.example.org:acme/import-two.git"
    mended = without("B602")

    async def states() -> dict[str, VulnerabilityState]:
        return {each.title: each.state for each in await purple.vulnerabilities(target)}

    await bring_in(purple, target, BANDIT, series="bandit on main")
    cut = await bring_in(purple, target, mended[: mended.rindex(b'"B608"')], series="bandit on main")
    scan = await purple.scan(cut)
    assert (scan.state, scan.observations) == (ScanState.PARTIAL, 5)
    assert "breaks off" in scan.reason
    assert set((await states()).values()) == {VulnerabilityState.OPEN}
    await bring_in(purple, target, mended, series="another")
    await bring_in(purple, target, mended)
    assert set((await states()).values()) == {VulnerabilityState.OPEN}
    await bring_in(purple, target, mended, series="bandit on main")
    fixed = [title for title, state in (await states()).items() if state is VulnerabilityState.FIXED]
    assert fixed == ["subprocess call with shell=True identified, security issue."]


async def test_an_artifact_that_is_not_there_is_a_failed_scan(purple) -> None:
    registered = await purple.container.targets.ensure(purple.organisation, "https://git.example.org/import-three.git")
    fields = {
        "organisation_id": purple.organisation,
        "name": "",
        "profile": "import-sarif",
        "target_ids": (registered.id,),
        "authorisation_id": await purple.authorisation(f"asset:{registered.value}"),
    }
    for options in ({}, {"sarif": {"artifact": "../../etc/passwd"}}):
        with pytest.raises(InvalidInputError) as refusal:
            await purple.container.campaigns.start(CampaignInput(**fields, options=options))
        assert refusal.value.field == "options.sarif.artifact"
    started = await purple.container.campaigns.start(CampaignInput(**fields, options={"sarif": {"artifact": "0" * 64}}))
    ended = await purple.end(started)
    scan = await purple.scan(ended)
    assert (scan.state, ended.state) == (ScanState.FAILED, CampaignState.COMPLETED_WITH_GAPS)
    assert "does not hold" in scan.reason


def test_a_file_is_brought_in_from_the_command_line(purple_command, tmp_path) -> None:
    path = tmp_path / "bandit.sarif"
    path.write_bytes(BANDIT)
    done = purple_command(
        "scan", "https://git.example.org/import-four.git", "--profile", "import-sarif", "--authorised-by", "test",
        "--option", f"sarif.artifact=@{path}", "-o", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"] == {"critical": 0, "high": 2, "medium": 2, "low": 4, "info": 0}
    path.unlink()
    done = purple_command("scan", "https://git.example.org/import-four.git", "--option", f"sarif.artifact=@{path}")
    assert done.returncode == 2
    assert "is no file" in done.stderr
