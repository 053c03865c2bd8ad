"""Business units over HTTP, by the command line and in the console."""

import json
import re
from uuid import uuid4

from cli.main import main
from purple.domain.deadlines import SHIPPED, Rule, checked
from purple.domain.severity import Severity
from purple.domain.targets import Exposure
from purple.services.identity import FIRST_ORGANISATION
from tests.integration.test_api import is_problem
from tests.integration.test_console import signed_in


async def test_a_tree_is_made_changed_and_taken_away_by_versions(client) -> None:
    made = await client.post("/business-units", json={"name": "Wholesale", "owner": "admin"})
    assert made.status_code == 201, made.text
    top = made.json()
    below = (await client.post("/business-units", json={"name": "Fruit", "parent_id": top["id"]})).json()
    assert (below["path"], below["parent_id"], top["owner"]) == ("Wholesale/Fruit", top["id"], "admin")
    path = f"/business-units/{top['id']}"
    tag = (await client.get(path)).headers["ETag"]
    is_problem(await client.patch(path, json={"name": "Sale"}), 428, field="If-Match")
    is_problem(await client.patch(path, json={"name": "a/b"}, headers={"If-Match": tag}), 422, field="name")
    is_problem(await client.patch(path, json={"parent_id": below["id"]}, headers={"If-Match": tag}), 422)
    done = await client.patch(path, json={"name": "Sale"}, headers={"If-Match": tag})
    assert (done.json()["path"], done.json()["owner"], done.headers["ETag"]) == ("Sale", "admin", '"v2"')
    is_problem(await client.patch(path, json={"name": "Late"}, headers={"If-Match": tag}), 412)
    listed = (await client.get("/business-units", params={"filter": 'path:~"Sale"'})).json()["items"]
    assert [each["path"] for each in listed] == ["Sale", "Sale/Fruit"]
    is_problem(await client.post("/business-units", json={"name": "sale"}), 409, field="name")
    is_problem(await client.get(f"/business-units/{uuid4()}"), 404)
    is_problem(await client.delete(path, headers={"If-Match": '"v2"'}), 409)
    for each in (below["id"], top["id"]):
        version = (await client.get(f"/business-units/{each}")).headers["ETag"]
        assert (await client.delete(f"/business-units/{each}", headers={"If-Match": version})).status_code == 204


async def test_a_target_is_in_one_unit_and_rules_may_name_it(client) -> None:
    unit = (await client.post("/business-units", json={"name": "Logistics"})).json()
    target = (await client.post("/targets", json={"value": "127.31.1.1", "unit_id": unit["id"]})).json()
    assert target["unit_id"] == unit["id"]
    is_problem(await client.post("/targets", json={"value": "127.31.1.9", "unit_id": str(uuid4())}), 422)
    listed = (await client.get("/targets", params={"filter": "unit:logistics"})).json()["items"]
    assert [each["id"] for each in listed] == [target["id"]]
    assert (await client.get("/vulnerabilities", params={"filter": "unit:logistics"})).json()["items"] == []
    tree = (await client.get("/business-units/tree")).json()["items"]
    (mine,) = (each for each in tree if each["unit"]["id"] == unit["id"])
    assert (mine["targets"], mine["present"], mine["risk"]) == (1, {}, 0)
    assert (await client.get(f"/business-units/{unit['id']}/risk")).json()["score"] == 0
    is_problem(await client.get(f"/business-units/{uuid4()}/risk"), 404)
    before = (await client.get("/sla")).json()
    rule = {"severity": "high", "days": 3, "exposure": None, "unit_id": unit["id"]}
    put = await client.put("/sla", json={"rules": [*before["rules"], rule]})
    assert rule in put.json()["rules"]
    is_problem(await client.put("/sla", json={"rules": [rule | {"unit_id": str(uuid4())}]}), 422, field="rules")
    assert (await client.put("/sla", json={"rules": []})).json() == before
    tag = (await client.get(f"/targets/{target['id']}")).headers["ETag"]
    out = await client.patch(f"/targets/{target['id']}", json={"unit_id": None}, headers={"If-Match": tag})
    assert out.json()["unit_id"] is None
    assert (await client.delete(f"/business-units/{unit['id']}", headers={"If-Match": '"v1"'})).status_code == 204


def test_the_command_line_keeps_the_tree(container, capsys) -> None:
    def told(*arguments: str) -> dict:
        assert main([*arguments, "-o", "json"]) == 0, arguments
        return json.loads(capsys.readouterr().out)

    assert told("unit", "add", "Fleet")["path"] == "Fleet"
    assert told("unit", "add", "Fleet/Ships", "--owner", "admin")["path"] == "Fleet/Ships"
    added = told("target", "add", "127.31.2.1", "--unit", "Fleet/Ships")["items"][0]
    assert (added["unit"], added["unit_id"]) == ("Fleet/Ships", told("unit", "show", "fleet/ships")["id"])
    assert [each["unit"] for each in told("target", "list", "--filter", "unit:Fleet")["items"]] == ["Fleet/Ships"]
    standings = {each["path"]: each for each in told("unit", "tree")["items"]}
    assert (standings["Fleet"]["targets"], standings["Fleet"]["risk"]) == (1, 0)
    assert told("risk", "show", "--unit", "Fleet")["count"] == 0
    put = told("sla", "set", "high=30", "Fleet/Ships:high@internet=2")["rules"]
    assert [(each["unit"], each["exposure"], each["days"]) for each in put] == [
        ("", None, 30), ("Fleet/Ships", "internet", 2),
    ]  # fmt: skip
    assert told("sla", "show")["rules"] == put
    assert main(["sla", "set", "Nowhere:high=2"]) == 1
    assert main(["sla", "set", "high"]) == 2
    told("sla", "set", "--shipped")
    assert told("unit", "edit", "Fleet/Ships", "--under", "", "--name", "Boats")["path"] == "Boats"
    assert main(["unit", "delete", "Boats"]) == 1
    assert "1 target in it" in capsys.readouterr().err
    assert told("target", "edit", "127.31.2.1", "--unit", "")["unit"] == ""
    assert [main(["unit", "delete", each]) for each in ("Boats", "Fleet", "Fleet")] == [0, 0, 1]
    assert main(["unit", "edit", "Fleet"]) == 2
    for table in (["unit", "list"], ["unit", "tree"], ["sla", "show"]):
        assert main(table) == 0


async def test_the_console_shows_the_tree_and_takes_its_forms(api, container, client) -> None:
    async with signed_in(api, container) as browser:
        made = await browser.post("/targets/units", data={"name": "Hotels <b>", "owner": "admin"})
        assert made.status_code == 303
        page = (await browser.get("/targets/units")).text
        assert "Hotels &lt;b&gt;" in page
        refused = await browser.post("/targets/units", data={"name": "hotels <b>"})
        assert refused.status_code == 409
        assert "already" in refused.text
        (unit,) = (await client.get("/business-units", params={"filter": 'name:~"Hotels"'})).json()["items"]
        at = f"/targets/units/{unit['id']}"
        form = {"value": "127.31.3.1", "unit_id": unit["id"]}
        assert (await browser.post("/targets", data=form)).status_code == 303
        (target,) = (await client.get("/targets", params={"filter": f"unit:{unit['id']}"})).json()["items"]
        shown = (await browser.get(f"/targets/{target['id']}")).text
        assert f'href="/console{at}"' in shown
        assert "127.31.3.1" in (await browser.get("/targets", params={"filter": f"unit:{unit['id']}"})).text
        changed = await browser.post(f"{at}/edit", data={"version": "1", "name": "Inns", "parent_id": "", "owner": ""})
        assert changed.status_code == 303, changed.text
        assert "Inns" in (await browser.get(at)).text
        assert (await browser.post(f"{at}/edit", data={"version": "1", "name": "Late"})).status_code == 412
        assert (await browser.post(f"{at}/edit", data={"version": "2", "parent_id": "x"})).status_code == 422
        assert (await browser.post(f"{at}/delete", data={"version": "2"})).status_code == 409
        form = {"version": "1", "name": "n", "unit_id": "", "criticality": "low", "exposure": "unknown"}
        form |= {"data_class": "unknown", "environment": "unknown"}
        assert (await browser.post(f"/targets/{target['id']}/edit", data=form)).status_code == 303
        assert (await browser.post(f"{at}/delete", data={"version": "2"})).status_code == 303
        assert (await browser.get(at)).status_code == 404


async def test_the_console_changes_the_rules_of_due_dates(api, container) -> None:
    unit = await container.units.create(FIRST_ORGANISATION, "Harbour")
    edition = re.compile(r'name="edition" value="(\w+)"')

    def form(*rules: tuple[str, str, str, str], **more: str) -> dict[str, object]:
        columns = zip(*rules, strict=True)
        return dict(zip(("severity", "exposure", "unit_id", "days"), map(list, columns), strict=True)) | more

    async with signed_in(api, container) as browser:
        (first,) = edition.findall((await browser.get("/sla")).text)
        lines = (("high", "", "", "9"), ("high", "internet", str(unit.id), "2"), ("low", "", "", ""))
        assert (await browser.post("/sla", data=form(*lines, edition=first))).status_code == 303
        wanted = [Rule(Severity.HIGH, 9), Rule(Severity.HIGH, 2, Exposure.INTERNET, unit.id)]
        assert list(await container.deadlines.rules(FIRST_ORGANISATION)) == wanted
        late = await browser.post("/sla", data=form(("high", "", "", "77"), edition=first))
        assert (late.status_code, 'value="77"' in late.text) == (412, True), "what was typed stays"
        assert edition.findall(late.text) == [first], "and so does what it was made from"
        (now,) = edition.findall((await browser.get("/sla")).text)
        for days, status in (("soon", 422), ("0", 422), ("", 422)):
            told = await browser.post("/sla", data=form(("high", "", "", days), edition=now))
            assert (told.status_code, "What to do" in told.text) == (status, True)
        assert (await browser.post("/sla", data={"edition": now, "do": "reset"})).status_code == 303
        assert await container.deadlines.rules(FIRST_ORGANISATION) == checked(SHIPPED)
    await container.units.delete(FIRST_ORGANISATION, unit.id, unit.version)
