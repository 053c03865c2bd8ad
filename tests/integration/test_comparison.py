"""Two campaigns side by side, over HTTP and by the command line."""

import json
from uuid import uuid4

from purple.domain.comparisons import Became
from tests.integration.test_api import is_problem
from tests.integration.test_import import bring_in, without

SHOWN = ("-o", "json")
KINDS = [str(each) for each in Became]


async def test_a_campaign_beside_an_earlier_one(purple, client, purple_command) -> None:
    target = "https://git.example.org/compared.git"
    first = await bring_in(purple, target, without("B324"), series="nightly")
    second = await bring_in(purple, target, without("B602"), series="nightly")
    path = f"/campaigns/{second.id}/comparison"
    told = (await client.get(path, params={"before": str(first.id)})).json()
    assert {(each["became"], each["looked_before"]) for each in told["items"]} == {("new", True), ("fixed", False)}
    titles = {each["became"]: each["title"] for each in told["items"]}
    assert "MD5" in titles["new"]
    assert "shell=True" in titles["fixed"]
    assert {kind: sum(row.values()) for kind, row in told["counts"].items()} == {
        "new": 1,
        "reopened": 0,
        "still_there": 6,
        "fixed": 1,
        "not_tested": 0,
    }
    chosen = {"before": str(first.id), "became": ["still_there", "new"], "limit": 1}
    assert len((await client.get(path, params=chosen)).json()["items"]) == 1
    for filter_, number in ((f"value:{target}", 8), (f"-value:{target}", 0)):
        some = (await client.get(path, params={"before": str(first.id), "filter": filter_, "became": KINDS})).json()
        assert sum(sum(row.values()) for row in some["counts"].values()) == len(some["items"]) == number
    is_problem(await client.get(path, params={"before": str(first.id), "filter": "nothing:x"}), 422, field="filter")
    is_problem(await client.get(path), 422, field="before")
    is_problem(await client.get(path, params={"before": str(uuid4())}), 404)
    back = await client.get(f"/campaigns/{first.id}/comparison", params={"before": str(second.id)})
    is_problem(back, 422, field="before")
    compare = ("campaign", "compare", str(first.id), str(second.id))
    done = purple_command(*compare, "--all", *SHOWN)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["schema"], seen["counts"]["fixed"]) == ("purple.comparison/1", told["counts"]["fixed"])
    assert sorted(each["became"] for each in seen["items"]) == ["fixed", "new", *["still_there"] * 6]
    none = purple_command(*compare, "--fail-on-new", "--filter", f"-value:{target}")
    assert none.returncode == 0, none.stderr
    gated = purple_command(*compare, "--fail-on-new")
    assert gated.returncode == 3, gated.stderr
    assert "MD5" in gated.stdout
    swapped = purple_command("campaign", "compare", str(second.id), str(first.id))
    assert (swapped.returncode, len(swapped.stderr.strip().splitlines())) == (2, 1), swapped.stderr
