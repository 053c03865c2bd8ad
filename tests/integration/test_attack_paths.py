"""Attack paths over HTTP, by the command line and in the console: one register, in a zone of its own."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from cli.main import main
from purple.contracts.campaigns import CampaignRef
from purple.domain.attack_paths import Asked
from purple.domain.errors import NotFoundError
from purple.domain.life import Wanted
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.domain.targets import Target
from purple.domain.vulnerabilities import VulnerabilityState
from purple.services.analysis import Analysis
from purple.services.attack_paths import AttackPathsReader
from tests.integration.db.conftest import Tenant, make_tenant
from tests.integration.test_api import is_problem
from tests.integration.test_console import signed_in
from tests.support.running import Purple

ZONE = "paths-made"
MINE = {"filter": f"tags:{ZONE}"}
NOW = datetime.now(UTC) - timedelta(days=2)
NETWORK = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


@dataclass
class Scene:
    """A web server that the internet reaches, a store that matters, and what is open on them."""

    web: Target
    store: Target
    hidden: Target
    entry: UUID
    last: UUID
    tls: UUID


async def see(tenant: Tenant, port: int, **told: object) -> UUID:
    """A vulnerability of its target."""
    scan = await tenant.scan(await tenant.campaign(1), port=port)
    await tenant.record(tenant.sight(scan, port, **told))
    ref = CampaignRef(organisation_id=tenant.id, campaign_id=scan.campaign_id, round=1)
    await Analysis(tenant.work, SimpleNamespace(now=lambda: tenant.start)).analyse(ref)
    async with tenant.work(tenant.id) as uow:
        (found,) = (await uow.findings.vulnerabilities(Query({"campaign_id": scan.campaign_id}))).items
    return found.id


async def attacked(purple: Purple, zone: str = ZONE, net: str = "127.44.1") -> Scene:
    """Three targets with one path, in a zone and under a tag of that name."""
    container = purple.container
    made = [
        await container.targets.create(purple.organisation, value, zone=zone, tags=[zone], **told)
        for value, told in (
            (f"{net}.1", {"exposure": "internet"}),
            (f"{net}.2", {"exposure": "internal", "criticality": "critical", "name": "<b>store</b>"}),
            (f"{net}.3", {}),
        )
    ]
    contract = await container.authorisations.get(purple.organisation, await purple.authorisation(f"{net}.0/24"))
    web, store, hidden = (Tenant(container.work, purple.organisation, each, contract, NOW) for each in made)
    return Scene(
        *made,
        entry=await see(web, 80, weakness="command-execution", severity=Severity.CRITICAL, title="Runs commands"),
        last=await see(store, 5432, weakness="", rule="made:old", cve=("CVE-2126-44",), cvss_vector=NETWORK),
        tls=await see(hidden, 443, weakness="tls-cipher-weak"),
    )


@pytest.fixture(scope="module")
async def scene(container) -> Scene:
    return await attacked(Purple(container))


async def test_a_path_is_told_with_its_steps_and_what_to_mend(client, scene) -> None:
    told = (await client.get("/attack-paths", params=MINE)).json()
    (path,) = told["items"]
    assert [(each["vulnerability_id"], each["where"], each["gain"], each["zones"]) for each in path["steps"]] == [
        (str(scene.entry), "192.0.2.7:80", "control", [ZONE]),
        (str(scene.last), "192.0.2.7:5432", "control", [ZONE]),
    ]
    assert path["steps"][0]["techniques"][0] == {"id": "T1190", "name": "Exploit Public-Facing Application"}
    assert (path["start"], path["goal"]["target_id"], path["weight"]) == ("internet", str(scene.store.id), 84)
    assert (told["number"], told["goals"], told["cut_off"]) == (1, 1, False)
    assert told["facts"]["unknown_exposure"] >= 1
    (fix,) = told["choke_points"]
    assert (fix["vulnerabilities"], fix["ends"], fix["left"]) == (
        1, {"goals": 1, "paths": 1}, {"goals": 0, "paths": 0},
    )  # fmt: skip


async def test_paths_are_chosen_by_goal_technique_and_vulnerability(client, scene) -> None:
    async def number(**asked: str) -> int:
        return (await client.get("/attack-paths", params=MINE | asked)).json()["number"]

    assert [await number(technique=each) for each in ("T1190", "T1210", "T1110")] == [1, 1, 0]
    assert [await number(through=str(each)) for each in (scene.entry, scene.last, scene.tls)] == [1, 1, 0]
    assert await number(through=str(scene.last), technique="T1190") == 0, "a step has both"
    assert await number(filter=f"id:{scene.web.id}") == 0
    is_problem(await client.get("/attack-paths", params={"filter": "colour:red"}), 422, field="filter")
    is_problem(await client.get("/attack-paths", params={"technique": "T9999"}), 422, field="technique")
    is_problem(await client.get("/attack-paths", params={"limit": "0"}), 422)
    is_problem(await client.get("/attack-paths", params={"through": str(uuid4())}), 404)


def test_the_command_line_tells_the_same(scene, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    asked = ("attack-paths", "--filter", f"tags:{ZONE}", "--through", str(scene.last))
    assert main([*asked, "-o", "json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["schema"], made["number"]) == ("purple.attack-paths/1", 1)
    assert [each["vulnerability_id"] for each in made["items"][0]["steps"]] == [str(scene.entry), str(scene.last)]
    assert made["items"][0]["steps"][1]["techniques"] == [{"id": "T1210", "name": "Exploitation of Remote Services"}]
    assert main(list(asked)) == 0
    shown = capsys.readouterr()
    assert "127.44.1.1: Runs commands (control)" in shown.out
    assert "unknown exposure" in shown.err
    assert main([*asked, "--technique", "T9999"]) == 2
    assert "no step of a path has the technique" in capsys.readouterr().err


async def test_the_console_draws_paths_from_the_left_to_the_right(container, api, scene) -> None:
    async with signed_in(api, container) as browser:
        page = (await browser.get("/attack-paths", params=MINE)).text
        assert "&lt;b&gt;store&lt;/b&gt;" in page
        assert "<b>store</b>" not in page
        said = [
            "<strong>The internet",
            "127.44.1.1",
            "Runs commands",
            "Gives control, effort 2",
            "store&lt;/b&gt;</a>",
            "Goal:",
        ]
        drawn = page[page.index('<ol class="path"') :]
        places = [drawn.index(each) for each in said]
        assert places == sorted(places), "in the order in which they are gone through"
        assert f"/console/attack-paths?filter=tags%3A{ZONE}&amp;technique=T1190" in page
        assert "No path begins at" in page
        through = await browser.get("/attack-paths", params=MINE | {"through": str(scene.last)})
        assert "Through <a" in through.text
        assert "No path was found" in (await browser.get("/attack-paths", params={"filter": "tags:nowhere"})).text
        assert (await browser.get("/attack-paths", params={"technique": "T9999"})).status_code == 422
        assert '<option value="T1552" selected>' in (await browser.get("/attack-paths?technique=t1552")).text
        link = f"/console/attack-paths?through={scene.entry}"
        assert link in (await browser.get(f"/vulnerabilities/{scene.entry}")).text
        assert "/console/attack-paths" not in (await browser.get(f"/vulnerabilities/{scene.tls}")).text
        assert (
            f"/console/attack-paths?filter=id%3A{scene.store.id}"
            in (await browser.get(f"/targets/{scene.store.id}")).text
        )
        assert "/console/attack-paths" not in (await browser.get(f"/targets/{scene.web.id}")).text


async def test_what_is_decided_or_hidden_from_an_organisation_is_on_no_path(container, scene, engine) -> None:
    organisation = Purple(container).organisation
    other = await make_tenant(engine)
    async with other.work(other.id) as uow:
        await uow.targets.update(other.target.id, zone=ZONE, exposure="internet")
    theirs = await see(other, 80, weakness="command-execution")
    reader = AttackPathsReader(container.work)
    assert (await reader.find(organisation, Asked(MINE["filter"]))).number == 1
    (path,) = (await reader.find(other.id, Asked())).items
    assert [each.vulnerability_id for each in path.steps] == [theirs]
    with pytest.raises(NotFoundError):
        await reader.find(other.id, Asked(through=scene.entry))
    few = await AttackPathsReader(other.work, 0).find(other.id, Asked())
    assert (few.number, few.cut_off) == (0, True)
    actor = SimpleNamespace(user_id=uuid4(), organisation_id=other.id, username="ann")
    wanted = Wanted(VulnerabilityState.FALSE_POSITIVE, why="made")
    await type(container.life)(other.work, container.clock, container.ids).edit(theirs, 1, wanted, actor)
    assert (await reader.find(other.id, Asked())).number == 0
