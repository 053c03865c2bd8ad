"""Profiles: what one would do to a target, and that a campaign keeps the one that it started with."""

import json
from typing import Any

import pytest

from purple.bootstrap import Container
from purple.domain.campaigns import CampaignState
from purple.domain.tools import Intrusiveness
from purple.services.explaining import Explanation, Verdict
from purple.settings import Settings
from tests.support.lab import installed
from tests.support.running import Purple


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    """What is not installed is skipped, whatever else there is to say of it."""
    installed("nmap", "sslyze", "sslscan", "ssh-audit", "whatweb", "wapiti", "arjun")


@pytest.fixture
def explain(purple):
    """What becomes of a profile's steps."""

    async def told(target: str, profile: str, *scope: str, **contract: Any) -> Explanation:
        made = await purple.authorisation(*(scope or ("127.23.0.0/16",)), **contract)
        found: Explanation = await purple.container.explaining.explain(
            purple.organisation, target, profile, authorisation_id=made
        )
        return found

    return told


def by_tool(found: Explanation) -> dict[str, tuple[Verdict, str]]:
    return {each.tool: (each.verdict, each.why) for each in found.steps}


async def test_recon_decides_what_runs_on_a_host(explain) -> None:
    found = await explain("127.23.8.1", "standard")
    assert (found.refused, found.kind, [each.number for each in found.steps]) == ("", "host", [1, 2, 3, 4, 5, 6])
    assert found.steps[0].tool == "nmap"
    told = by_tool(found)
    assert told["nmap"] == (Verdict.RUNS, "recon runs first, once on the target")
    assert told["ssh-audit"] == (Verdict.DEPENDS, "it runs once on each SSH service that recon finds")


async def test_a_web_application_is_known_before_recon(explain) -> None:
    found = await explain("http://127.23.8.2:8080/shop/", "web")
    whatweb = next(each for each in found.steps if each.tool == "whatweb")
    assert (whatweb.verdict, whatweb.places) == (Verdict.RUNS, ("http://127.23.8.2:8080/shop/",))
    assert "itself" in whatweb.why


async def test_what_a_second_person_must_approve_says_so(explain) -> None:
    told = by_tool(await explain("127.23.8.3", "made-approved"))
    assert told["made"][1].endswith("; a second person is asked first")
    assert "second person" not in told["made-noop"][1]


async def test_what_a_target_is_not_is_skipped_and_the_campaign_refused(explain) -> None:
    found = await explain("https://git.example.org/app.git", "standard", "asset:https://git.example.org/app.git")
    assert {each.verdict for each in found.steps} == {Verdict.SKIPPED}
    assert by_tool(found)["nmap"][1] == "nmap takes host, which a repository does not offer"
    assert "no tool of profile standard takes a repository" in found.refused
    code = await explain("https://git.example.org/app.git", "code", "asset:https://git.example.org/app.git")
    assert set(by_tool(code)) == {"gitleaks", "bandit", "semgrep", "checkov", "osv-scanner", "pip-audit"}
    assert not code.refused
    api = await explain("127.23.8.3", "api")
    assert by_tool(api)["wapiti"] == (Verdict.SKIPPED, "it is for targets of the kind api, this is a host")
    full = by_tool(await explain("127.23.8.3", "full"))
    assert full["schemathesis"] == (Verdict.SKIPPED, "it is for targets of the kind api, this is a host")
    assert full["arjun"] == (Verdict.DEPENDS, "it runs once on each web application that recon finds")


async def test_what_the_authorisation_does_not_allow_is_skipped_with_its_rule(explain) -> None:
    found = await explain("127.23.8.4", "standard", max_intrusiveness=Intrusiveness.SAFE)
    verdict, why = by_tool(found)["wapiti"]
    assert (verdict, "(rule intrusiveness)" in why) == (Verdict.SKIPPED, True)
    assert by_tool(found)["sslyze"][0] is Verdict.DEPENDS
    assert "allows at most safe tools" in found.refused
    outside = await explain("192.0.2.1", "quick")
    assert "not included" in outside.refused


async def test_what_is_not_installed_is_skipped_and_so_is_what_its_recon_would_find(explain, purple, tmp_path) -> None:
    found = await explain("127.23.8.5", "made-missing")
    verdict, why = by_tool(found)["made-missing"]
    assert verdict is Verdict.SKIPPED
    assert why.startswith("made-missing is not installed here:")
    (tmp_path / "blind.yaml").write_text(
        "{name: blind, version: 1, title: t, recon: [{tool: made-missing}], tools: [{tool: ssh-audit, when: ssh}]}"
    )
    with_it = Container(Settings(_env_file=None, profiles={"extra": [str(tmp_path)]}))
    blind = await with_it.explaining.explain(purple.organisation, "127.23.8.5", "blind")
    await with_it.close()
    assert by_tool(blind)["ssh-audit"] == (Verdict.SKIPPED, "no recon runs that could find a SSH service")


async def test_explaining_registers_nothing_and_says_when_nobody_allows_it(purple) -> None:
    found = await purple.container.explaining.explain(purple.organisation, "198.51.100.23", "quick")
    assert found.authorisation is None
    assert "no authorisation covers 198.51.100.23 now" in found.refused
    async with purple.container.work(purple.organisation) as uow:
        assert await uow.targets.all(value="198.51.100.23") == ()


async def test_a_campaign_keeps_the_profile_that_it_started_with(container, purple, tmp_path) -> None:
    """The workers do not know this profile at all, and its file changes while the campaign runs."""
    file = tmp_path / "kept.yaml"
    file.write_text("{name: kept, version: 3, title: First, tools: [{tool: made, options: {flaws: [7]}}]}")
    with_it = Container(Settings(_env_file=None, profiles={"extra": [str(tmp_path)]}))
    marker = tmp_path / "marker"
    tmp_path.chmod(0o755)
    started = await Purple(with_it).start("127.23.8.6", "kept", made={"mode": "fragile-slow", "marker": str(marker)})
    file.write_text("{name: kept, version: 4, title: Second, tools: [{tool: made, options: {flaws: [7, 8]}}]}")
    await with_it.close()
    ended = await purple.end(started)
    assert (ended.state, ended.profile_version) == (CampaignState.COMPLETED, 3)
    assert (ended.plan["title"], ended.plan["tools"][0]["options"]["flaws"]) == ("First", [7])
    assert (await purple.scan(ended)).observations == 1


async def test_over_http(client) -> None:
    listed = (await client.get("/profiles")).json()["items"]
    assert {"quick", "web", "network", "api", "code", "full", "standard"} <= {each["name"] for each in listed}
    one = (await client.get("/profiles/quick")).json()
    assert [each["tool"] for each in one["tools"]] == ["sslscan", "ssh-audit", "whatweb"]
    missing = await client.get("/profiles/none")
    assert (missing.status_code, "use one of" in missing.json()["remedy"]) == (404, True)
    told = (await client.post("/profiles/explain", json={"target": "198.51.100.24", "profile": "quick"})).json()
    assert [each["number"] for each in told["steps"]] == [1, 2, 3, 4]
    assert "no authorisation" in told["refused"]
    wrong = await client.post("/profiles/explain", json={"target": "a b", "profile": "quick"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "value")


def test_by_the_command_line(purple_command, tmp_path) -> None:
    listed = json.loads(purple_command("profile", "list", "-o", "json").stdout)
    assert "full" in {each["name"] for each in listed["items"]}
    assert json.loads(purple_command("profile", "show", "quick", "-o", "json").stdout)["limits"]["parallel"] == 4
    assert json.loads(purple_command("profile", "schema").stdout)["properties"]["recon"]
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nversion: 1\ntitle: t\ntools:\n  - tool: nmpa\n")
    wrong = purple_command("profile", "lint", str(file))
    assert wrong.returncode == 2
    assert "unknown tool 'nmpa'" in wrong.stdout
    assert len(wrong.stderr.strip().splitlines()) == 1
    file.write_text(file.read_text().replace("nmpa", "nmap"))
    assert purple_command("profile", "lint", str(file)).returncode == 0
    table = purple_command("profile", "explain", "198.51.100.25", "--profile", "quick", COLUMNS="160")
    assert table.returncode == 0
    assert "recon runs first" in table.stdout
    assert "a campaign would not start: no authorisation covers" in table.stderr
