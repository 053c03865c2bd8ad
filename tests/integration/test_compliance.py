"""Compliance and what targets mean over HTTP, by the command line and in the console."""

import json
from uuid import uuid4

from cli.main import main
from tests.integration.test_api import is_problem
from tests.integration.test_console import signed_in

MEANING = {
    "environment": "production",
    "category": "payment",
    "frameworks": ["gdpr", "cis"],
    "custom": {"cost-centre": "4711", "rack": "7"},
}


async def test_a_target_says_what_it_is_for_and_what_it_must_comply_with(client) -> None:
    made = (await client.post("/targets", json={"value": "127.41.1.1", **MEANING})).json()
    assert {name: made[name] for name in MEANING} == MEANING | {"frameworks": ["cis", "gdpr"]}
    for wanted in ("environment:production", "category:payment", "frameworks:gdpr", 'custom:"rack=7"', "custom:~rack"):
        found = (await client.get("/targets", params={"filter": f"value:127.41.1.1 {wanted}"})).json()["items"]
        assert [each["id"] for each in found] == [made["id"]], wanted
        found = (await client.get("/targets", params={"filter": f"value:127.41.1.1 -{wanted}"})).json()["items"]
        assert found == [], wanted
    path = f"/targets/{made['id']}"
    version = (await client.get(path)).headers["ETag"]
    changes = {"environment": "test", "category": "", "frameworks": [], "custom": {"rack": "8"}}
    edited = (await client.patch(path, json=changes, headers={"If-Match": version})).json()
    assert {name: edited[name] for name in changes} == changes
    for field, wrong in (
        ("frameworks", ["soc-2"]), ("custom", {"A b": "1"}), ("custom", {"a=b": "1"}), ("category", "none"),
        ("environment", "moon"),
    ):  # fmt: skip
        is_problem(await client.post("/targets", json={"value": "127.41.1.2", field: wrong}), 422, field=field)


async def test_a_framework_stands_as_its_targets_show(client) -> None:
    made = (await client.post("/targets", json={"value": "127.41.2.1", **MEANING})).json()
    listed = {each["name"]: each for each in (await client.get("/compliance")).json()["items"]}
    assert set(listed) >= {"pci-dss", "iso-27001", "nist-csf", "cis", "lgpd", "gdpr"}
    assert listed["gdpr"]["targets"] >= 1
    assert listed["gdpr"]["controls"]["not_tested"] >= 1
    mine = {"filter": "value:127.41.2.1"}
    standing = (await client.get("/compliance/gdpr", params=mine)).json()
    controls = {each["id"]: each for each in standing["controls"]}
    assert standing["targets"] == 1
    assert controls["Art. 32(1)(a)"]["status"] == "not_tested"
    assert controls["Art. 25(1)"]["status"] == "not_applicable"
    (gap,) = controls["Art. 30(1)"]["evidence"]
    assert (gap["target_id"], gap["status"]) == (made["id"], "not_met")
    assert gap["gaps"] == ["the register does not say its data class", "the register does not say its business unit"]
    few = (await client.get("/compliance/gdpr", params=mine | {"gaps": 0})).json()
    assert [(each["evidence"], each["left_out"]) for each in few["controls"] if each["id"] == "Art. 30(1)"] == [([], 1)]
    one = (await client.get("/compliance/gdpr/controls/Art. 30(1)", params=mine)).json()
    assert (one["status"], one["evidence"]) == ("not_met", [gap])
    assert (await client.get("/compliance/gdpr/history")).json()["name"] == "gdpr"
    is_problem(await client.get("/compliance/soc-2"), 404)
    is_problem(await client.get("/compliance/gdpr/controls/x"), 404)
    is_problem(await client.get("/compliance/gdpr", params={"filter": "colour:red"}), 422, field="filter")


def test_the_command_line_shows_gaps_and_fails_on_them(container, capsys) -> None:
    def told(*arguments: str, code: int = 0) -> dict:
        assert main([*arguments, "-o", "json"]) == code, arguments
        return json.loads(capsys.readouterr().out)

    asked = ("--environment", "staging", "--category", "shop", "--framework", "cis", "--set", "rack=7")
    (added,) = told("target", "add", "127.41.3.1", *asked)["items"]
    assert (added["environment"], added["category"], added["frameworks"], added["custom"]) == (
        "staging", "shop", ["cis"], {"rack": "7"},
    )  # fmt: skip
    more = ("--framework", "lgpd", "--no-framework", "cis", "--set", "row=3", "--unset", "rack", "--category", "")
    edited = told("target", "edit", "127.41.3.1", *more)
    assert (edited["frameworks"], edited["custom"], edited["category"]) == (["lgpd"], {"row": "3"}, "")
    mine = ("--filter", "value:127.41.3.1")
    assert {each["name"] for each in told("compliance", "list")["items"]} >= {"lgpd", "cis"}
    standing = told("compliance", "show", "lgpd", *mine)
    assert {each["id"]: each["status"] for each in standing["controls"]}["Art. 46"] == "not_tested"
    assert told("compliance", "show", "lgpd", *mine, "--fail-on-gaps", code=3) | {"at": ""} == standing | {"at": ""}
    assert told("compliance", "show", "cis", *mine, "--fail-on-gaps")["targets"] == 0
    one = told("compliance", "control", "lgpd", "art. 37", *mine)
    assert (one["status"], one["evidence"][0]["value"]) == ("not_met", "127.41.3.1")
    assert told("compliance", "history", "lgpd")["schema"] == "purple.compliance-history/1"
    assert main(["compliance", "show", "soc-2"]) == 1
    assert "there is no framework 'soc-2'" in capsys.readouterr().err
    assert main(["compliance", "control", "lgpd", "art. 37", *mine]) == 0
    assert "127.41.3.1" in capsys.readouterr().out


async def test_the_console_keeps_what_is_written_of_a_target(container, api) -> None:
    async with signed_in(api, container) as browser:
        posted = await browser.post("/targets", data={"value": "127.41.4.1", "environment": "test", "category": "lab"})
        assert posted.status_code == 303, posted.text
        organisation = (await container.identity.authenticate(await container.identity.first_token())).organisation_id
        target = await container.targets.ensure(organisation, "127.41.4.1")
        assert (target.environment, target.category) == ("test", "lab")
        path = f"/targets/{target.id}"
        form = {
            "version": "1", "name": "lab", "criticality": "low", "exposure": "internal", "data_class": "public",
            "environment": "staging", "category": "lab", "frameworks": ["cis", "gdpr"], "custom": "rack=7\r\nrow=3",
        }  # fmt: skip
        assert (await browser.post(f"{path}/edit", data=form)).status_code == 303
        page = (await browser.get(path)).text
        assert all(each in page for each in ("staging", "CIS Critical", ">7<", "rack=7\nrow=3"))
        wrong = await browser.post(f"{path}/edit", data=form | {"version": "2", "custom": "Rack"})
        assert wrong.status_code == 422
        assert "is no custom field" in wrong.text
        overview = (await browser.get("/compliance")).text
        assert "/console/compliance/gdpr" in overview
        one = await browser.get("/compliance/gdpr", params={"filter": "value:127.41.4.1"})
        assert "the register does not say its business unit" in one.text
        assert (await browser.get(f"/compliance/{uuid4()}")).status_code == 404


async def test_a_target_that_is_retired_is_kept_and_is_tested_no_more(client, container, api, capsys) -> None:
    made = (await client.post("/targets", json={"value": "127.41.5.1", "frameworks": ["lgpd"]})).json()
    path, version = f"/targets/{made['id']}", {"If-Match": '"v1"'}
    is_problem(await client.delete(path, params={"why": "sold"}), 428)
    is_problem(await client.delete(path, headers=version), 422, field="why")
    gone = await client.delete(path, params={"why": "sold"}, headers=version)
    assert (gone.status_code, gone.headers["ETag"]) == (200, '"v2"')
    assert (await client.get(path)).json()["retired_at"] == gone.json()["retired_at"]
    mine = {"filter": "value:127.41.5.1"}
    assert (await client.get("/targets", params=mine)).json()["items"] == []
    every = {"filter": "value:127.41.5.1 -retired_at:none"}
    assert len((await client.get("/targets", params=every)).json()["items"]) == 1
    assert (await client.get("/compliance/lgpd", params=mine)).json()["targets"] == 0
    asked = {"target": "127.41.5.1", "scan_type": "made"}
    contract = {"name": "c", "signed_by": "s", "include": ["127.41.5.0/24"], "valid_until": "2126-01-01T00:00:00Z"}
    await client.post("/authorisations", json=contract)
    is_problem(await client.post("/scans", json=asked), 422, field="target_ids")
    async with signed_in(api, container) as browser:
        assert "It is tested no more" in (await browser.get(path)).text
        assert (await browser.post(f"{path}/restore", data={"version": "2"})).status_code == 303
        assert (await browser.post(f"{path}/retire", data={"version": "3", "why": ""})).status_code == 422
        assert (await browser.post(f"{path}/retire", data={"version": "3", "why": "sold"})).status_code == 303
    restored = await client.post(f"{path}/restore", headers={"If-Match": '"v4"'})
    assert (restored.status_code, restored.json()["retired_at"]) == (200, None)


def test_the_command_line_retires_and_restores(container, capsys) -> None:
    assert main(["target", "add", "127.41.6.1"]) == 0
    assert main(["target", "retire", "127.41.6.1"]) == 2
    assert main(["target", "retire", "127.41.6.1", "--why", "sold", "-o", "json"]) == 0
    assert "purple target restore" in capsys.readouterr().err
    assert main(["target", "retire", "127.41.6.1", "--why", "sold"]) == 1
    assert main(["target", "restore", "127.41.6.1"]) == 0
    capsys.readouterr()
