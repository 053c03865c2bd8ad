"""Targets from files over HTTP, by the command line and in the console."""

import json
import re
from html import unescape

from cli.main import main
from purple.domain.target_files import MAX_BYTES
from tests.integration.test_api import is_problem
from tests.integration.test_console import signed_in

FORMULA = '=HYPERLINK("http://127.0.0.1/")'


async def test_a_file_is_looked_at_and_then_taken_in(client) -> None:
    rows = [{"value": f"127.32.1.{n}", "name": FORMULA, "tags": ["bulk"]} for n in (1, 2)]
    data = json.dumps(rows).encode()
    seen = (await client.post("/targets/import", params={"preview": True}, content=data)).json()
    assert (seen["created"], seen["lines"][0]["target_id"], seen["preview"]) == (2, None, True)
    assert (await client.get("/targets", params={"filter": "tags:bulk"})).json()["items"] == []
    done = await client.post("/targets/import", content=data)
    assert done.status_code == 200, done.text
    listed = (await client.get("/targets", params={"filter": "tags:bulk", "sort": "value"})).json()["items"]
    assert [each["id"] for each in listed] == [each["target_id"] for each in done.json()["lines"]]
    assert {each["name"] for each in listed} == {FORMULA}
    again = (await client.post("/targets/import", content=data)).json()
    assert (again["created"], again["changed"], again["unchanged"], again["lines"]) == (0, 0, 2, [])
    text = "value,criticality\n127.32.1.1,low\n127.32.1.2,huge\n"
    told = is_problem(await client.post("/targets/import", content=text), 422, field="rows.3.criticality", value="huge")
    assert "medium" in told["remedy"]
    seen = (await client.post("/targets/import", params={"preview": True}, content=text)).json()
    assert [(each["row"], each["field"], each["value"]) for each in seen["refused"]] == [(3, "criticality", "huge")]
    change = {"field": "criticality", "before": "medium", "after": "low"}
    assert seen["lines"] == [
        {
            "row": 2,
            "becomes": "changed",
            "target_id": listed[0]["id"],
            "kind": "host",
            "value": "127.32.1.1",
            "changes": [change],
        }
    ]
    is_problem(await client.post("/targets/import", content=b"nothing"), 422, field="file")
    is_problem(await client.post("/targets/import", content=b" " * (MAX_BYTES + 1)), 413)


def test_the_command_line_takes_what_it_wrote(container, capsys, tmp_path) -> None:
    file = tmp_path / "targets.csv"

    def told(*arguments: str, code: int = 0) -> dict:
        assert main([*arguments, "-o", "json"]) == code, arguments
        return json.loads(capsys.readouterr().out)

    file.write_text(
        f'value,name,tags,criticality\n127.32.2.1,"{FORMULA.replace(chr(34), chr(34) * 2)}","cli,+1",high\n'
    )
    assert told("target", "import", str(file), "--dry-run")["created"] == 1
    made = told("target", "import", str(file))
    assert (made["schema"], made["dry_run"], made["created"]) == ("purple.target-import/1", False, 1)
    out = tmp_path / "out.csv"
    assert main(["target", "export", "--filter", "tags:cli", "--to", str(out)]) == 0
    assert f"'{FORMULA[:5]}" in out.read_text()
    assert told("target", "import", str(out))["unchanged"] == 1
    assert told("target", "show", "127.32.2.1")["tags"] == ["+1", "cli"]
    assert main(["target", "export", "--filter", "tags:cli"]) == 0
    assert capsys.readouterr().out.encode() == out.read_bytes()
    file.write_text("value,criticality\n127.32.2.1,low\n127.32.2.2,huge\n")
    assert told("target", "import", str(file), "--dry-run", code=2)["refused"][0]["row"] == 3
    assert main(["target", "import", str(file)]) == 2
    assert "row 3" in capsys.readouterr().err
    assert main(["target", "import", str(file), "--dry-run"]) == 2
    assert "criticality: high → low" in capsys.readouterr().out
    assert told("target", "show", "127.32.2.1")["criticality"] == "high"
    assert main(["target", "import", str(tmp_path)]) == 2


async def test_the_console_shows_what_would_change_and_then_changes_it(api, container, client) -> None:
    async with signed_in(api, container) as browser:
        assert (await browser.get("/targets/import")).status_code == 200
        text = '\nvalue,name,tags\n127.32.3.1,"<b>&quot;",console\n'.lstrip()
        seen = await browser.post("/targets/import", files={"file": ("t.csv", text.encode())})
        assert seen.status_code == 200
        assert "&lt;b&gt;&amp;quot;" in seen.text
        assert (await client.get("/targets", params={"filter": "tags:console"})).json()["items"] == []
        carried = re.search(r'<textarea name="file" hidden>\n(.*?)</textarea>', seen.text, re.DOTALL)
        assert carried
        sent = unescape(carried[1]).replace("\n", "\r\n")  # as a browser sends it
        done = await browser.post("/targets/import", data={"do": "import"}, files={"file": (None, sent.encode())})
        assert done.status_code == 200, done.text
        assert "What was changed" in done.text
        (target,) = (await client.get("/targets", params={"filter": "tags:console"})).json()["items"]
        assert target["name"] == "<b>&quot;"
        wrong = await browser.post("/targets/import", files={"file": ("t.csv", b"value,zone\n127.32.3.2,A b\n")})
        assert wrong.status_code == 200
        assert "What is wrong" in wrong.text
        assert "<textarea" not in wrong.text
        assert (await browser.post("/targets/import", files={"file": ("t.csv", b"")})).status_code == 422
