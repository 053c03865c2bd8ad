"""Files of tools that ran elsewhere, from their upload to the vulnerabilities of the right targets."""

import http.client
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from purple.contracts.campaigns import CampaignRef
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.imports import MAX_IMPORT
from purple.domain.tools import Intrusiveness, ScanState
from purple.domain.vulnerabilities import VulnerabilityState
from purple.services.importing import Wanted

TOOLS = Path(__file__).resolve().parents[2] / "purple/tools"
BURP = (TOOLS / "burp/samples/burp-1.6.05-bodgeit.xml").read_bytes()
LAB = (TOOLS / "nmap/samples/nmap-7.93-lab-scripts.xml").read_bytes()
NESSUS = (TOOLS / "nessus/samples/nessus-10.1.1-testphp.nessus").read_bytes()


def nmap_of(*hosts: str) -> bytes:
    """The lab's scan as if several hosts had answered so."""
    begin, end = LAB.index(b"<host "), LAB.index(b"</host>") + 7
    several = b"\n".join(LAB[begin:end].replace(b"127.0.0.1", host.encode()) for host in hosts)
    return LAB[:begin] + several + LAB[end:]


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


async def bring_in(purple, data: bytes, *include: str, format_: str = "", **wanted: Any) -> Campaign:
    imports = purple.container.imports
    stored = await imports.receive(pieces(data), format_)
    passive = await purple.authorisation(*include, max_intrusiveness=Intrusiveness.PASSIVE)
    asked = Wanted(authorisation_id=passive, **wanted)
    return await purple.end(await imports.start(purple.organisation, stored, asked))


async def states(purple, target: str) -> dict[tuple[str, int], VulnerabilityState]:
    return {(each.title, each.port): each.state for each in await purple.vulnerabilities(target)}


async def test_one_file_gives_each_target_its_own_results_and_lists_the_rest(purple) -> None:
    known = ("127.26.1.1", "127.26.1.2", "127.26.2.0/24")
    for each in known:
        await purple.container.targets.ensure(purple.organisation, each)
    file = nmap_of("127.26.1.1", "127.26.1.2", "127.26.2.9", "127.26.2.10", "127.26.3.3", "127.26.4.4")
    await purple.container.targets.ensure(purple.organisation, "127.26.4.4")
    ended = await bring_in(purple, file, "127.26.1.0/24", "127.26.2.0/24")
    assert (ended.profile, ended.state) == ("import-nmap", CampaignState.COMPLETED_WITH_GAPS)
    scans = {scan.host: scan for scan in await purple.scans(ended)}
    assert set(scans) == set(known)
    assert {(each.tool, each.state) for each in scans.values()} == {("import-nmap", ScanState.COMPLETE)}
    assert [scans[each].observations for each in known] == [9, 9, 18]
    for each, hosts in zip(known, (known[:1], known[1:2], ("127.26.2.9", "127.26.2.10")), strict=True):
        found = await purple.vulnerabilities(each)
        assert sorted(one.host for one in found) == sorted(hosts * 3), "a flaw of two hosts of a network is two"
    told = ended.summary["import"]
    assert (told["results"], told["left_out"]) == (54, 18)
    assert {(each["place"], each["results"], each["reason"]) for each in told["left_out_places"]} == {
        ("127.26.3.3", 9, "not in the register"),
        ("127.26.4.4", 9, "not covered by the authorisation: not-included"),
    }
    assert "18 results are left out" in ended.summary["notes"]["import"]
    again = CampaignRef(organisation_id=purple.organisation, campaign_id=ended.id)
    assert (await purple.container.surveying.survey(again)).results == 54, "a second attempt tells the same"
    assert await purple.vulnerabilities("127.26.4.4") == ()


async def test_new_hosts_are_registered_where_that_is_asked_and_covered(purple) -> None:
    file = nmap_of("127.26.10.1", "127.26.11.1")
    ended = await bring_in(purple, file, "127.26.10.0/24", create_targets=True)
    assert ended.summary["import"]["registered"] == ["127.26.10.1"]
    assert len(await purple.vulnerabilities("127.26.10.1")) == 3
    assert ended.summary["import"]["left_out"] == 9
    again = await bring_in(purple, file, "127.26.10.0/24", "127.26.11.0/24", create_targets=True)
    assert again.state is CampaignState.COMPLETED
    assert again.summary["import"]["registered"] == ["127.26.11.1"]
    assert set(again.target_ids) > set(ended.target_ids)


async def test_the_same_file_twice_changes_nothing(purple) -> None:
    await purple.container.targets.ensure(purple.organisation, "127.26.20.1")
    file = nmap_of("127.26.20.1")
    first = await bring_in(purple, file, "127.26.20.0/24", series="weekly")
    before = {each.id: each for each in await purple.vulnerabilities("127.26.20.1")}
    second = await bring_in(purple, file, "127.26.20.0/24", series="weekly")
    after = {each.id: each for each in await purple.vulnerabilities("127.26.20.1")}
    assert first.state is second.state is CampaignState.COMPLETED
    assert {key: (each.version, each.state, each.risk) for key, each in after.items()} == {
        key: (each.version, each.state, each.risk) for key, each in before.items()
    }
    assert {each.tools for each in after.values()} == {("import-nmap",)}


async def test_only_a_whole_file_of_the_same_series_closes(purple) -> None:
    target = "127.26.30.1"
    await purple.container.targets.ensure(purple.organisation, target)
    file = nmap_of(target)
    redis = file.index(b'<script id="redis-info"')
    mended = file[:redis] + file[file.index(b"</script>", redis) + 9 :] if b"</script>" in file[redis:] else b""
    assert mended
    await bring_in(purple, file, "127.26.30.0/24", series="weekly")
    cut = await bring_in(purple, mended[: mended.index(b"<runstats>")], "127.26.30.0/24", series="weekly")
    scan = await purple.scan(cut)
    assert (scan.state, cut.state) == (ScanState.PARTIAL, CampaignState.COMPLETED_WITH_GAPS)
    assert "could not be read to the end" in scan.reason
    assert scan.observations > 0
    await bring_in(purple, mended, "127.26.30.0/24", series="another")
    await bring_in(purple, nmap_of("127.26.30.9"), "127.26.30.0/24", series="weekly", create_targets=True)
    assert set((await states(purple, target)).values()) == {VulnerabilityState.OPEN}
    await bring_in(purple, mended, "127.26.30.0/24", series="weekly")
    fixed = [port for (_, port), state in (await states(purple, target)).items() if state is VulnerabilityState.FIXED]
    assert fixed == [12379]


async def test_a_file_that_speaks_of_nobody_we_know_ends_with_a_gap_and_says_so(purple) -> None:
    ended = await bring_in(purple, nmap_of("127.26.40.1"), "127.26.41.0/24")
    assert (ended.state, ended.target_ids) == (CampaignState.COMPLETED_WITH_GAPS, ())
    assert "9 results are left out: 127.26.40.1 (not in the register)" in ended.summary["notes"]["import"]


async def test_names_addresses_and_applications_find_their_targets(purple) -> None:
    for each in ("testphp.vulnweb.com", "http://bwa/bodgeit/"):
        await purple.container.targets.ensure(purple.organisation, each)
    nessus = await bring_in(purple, NESSUS, "testphp.vulnweb.com")
    assert nessus.state is CampaignState.COMPLETED
    assert len(await purple.vulnerabilities("testphp.vulnweb.com")) == 40, "two of 41 results are about one CVE"
    burp = await bring_in(purple, BURP, "bwa")
    assert burp.state is CampaignState.COMPLETED
    assert {each.parameter for each in await purple.vulnerabilities("http://bwa/bodgeit/")} == {
        "b_id", "password", "username",
    }  # fmt: skip


async def test_a_file_is_taken_in_by_the_api(client, purple) -> None:
    contract = str(await purple.authorisation("127.26.50.0/24"))
    query = {"authorisation_id": contract, "create_targets": "true", "name": "from the API"}
    headers = {"Idempotency-Key": "import-api-1"}
    file = nmap_of("127.26.50.1", "127.26.50.2")
    assert len(file) < 100_000
    padded = file.replace(
        b"<nmaprun", b"<!--" + b"x" * 3_000_000 + b"-->\n<nmaprun", 1
    )  # more than other bodies may be

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(padded), 50_000):
            yield padded[start : start + 50_000]

    refused = await client.post("/imports", params=query, content=body(), headers=headers)
    assert refused.status_code == 422, "its format is not seen in its first bytes"
    started = await client.post("/imports", params=query | {"format": "nmap"}, content=body(), headers=headers)
    assert started.status_code == 202, started.text
    campaign = started.json()
    assert started.headers["Location"] == f"/api/v1/campaigns/{campaign['id']}"
    again = await client.post("/imports", params=query | {"format": "nmap"}, content=padded, headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, campaign["id"])
    other = await client.post("/imports", params=query | {"format": "nmap"}, content=file, headers=headers)
    assert other.status_code == 409
    ended = await purple.end(await purple.container.campaigns.get(purple.organisation, campaign["id"]))
    assert (ended.state, len(ended.target_ids)) == (CampaignState.COMPLETED, 2)
    detail = (await client.get(f"/campaigns/{campaign['id']}")).json()
    assert detail["summary"]["import"]["registered"] == ["127.26.50.1", "127.26.50.2"]
    scratch = purple.container.data / "scratch"
    assert not list(scratch.glob("upload-*"))


@pytest.mark.parametrize(
    ("query", "content", "status", "said"),
    [
        ({}, b"", 422, "the file is empty"),
        ({}, b"<html/>", 422, "the root element <html>"),
        ({"format": "xlsx"}, b"<nmaprun/>", 422, "no format 'xlsx'"),
        ({"target": "-x"}, b"<nmaprun/>", 422, "-x"),
        ({"options": "[1]"}, b"a,b", 422, "no JSON object"),
        ({"authorisation_id": "0" * 32}, b"<nmaprun/>", 404, "no authorisation"),
        ({"wrong": "1"}, b"<nmaprun/>", 422, "no parameter 'wrong'"),
    ],
)
async def test_what_cannot_be_taken_in_is_refused(client, query, content, status, said) -> None:
    answer = await client.post("/imports", params=query, content=content)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


async def test_formats_are_listed(client) -> None:
    formats = (await client.get("/imports/formats")).json()
    assert {"name": "nmap", "title": "Nmap", "tool": "import-nmap", "told_by": ["XML <nmaprun>"]} in formats


@pytest.mark.parametrize(("length", "status"), [(MAX_IMPORT + 1, 413), (5_000_000, 401)])
def test_too_much_is_refused_before_it_is_read(api, length: int, status: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(api).netloc, timeout=60)
    connection.putrequest("POST", "/api/v1/imports")
    connection.putheader("Content-Length", str(length))
    connection.endheaders(b"<nmaprun>")
    assert connection.getresponse().status == status
    connection.close()


async def test_a_table_with_columns_of_its_own(client, purple) -> None:
    contract = str(await purple.authorisation("127.26.60.0/24"))
    table = b"Befund;Stufe;Rechner\nAlt;P1;127.26.60.1\nNeu;P9;127.26.60.1\n"
    options = {
        "columns": {"title": "Befund", "severity": "Stufe", "host": "Rechner"},
        "severities": {"P1": "critical"},
    }
    query = {"authorisation_id": contract, "create_targets": "true", "format": "csv", "options": json.dumps(options)}
    started = await client.post("/imports", params=query, content=table)
    assert started.status_code == 202, started.text
    ended = await purple.end(await purple.container.campaigns.get(purple.organisation, started.json()["id"]))
    scan = await purple.scan(ended)
    assert (scan.state, scan.observations) == (ScanState.PARTIAL, 1)
    assert "row 3: severity 'p9' is none of" in scan.reason
    wrong = query | {"options": json.dumps({"columns": {"titel": "x"}})}
    answer = await client.post("/imports", params=wrong, content=table)
    assert (answer.status_code, answer.json()["field"]) == (422, "options.csv.columns.titel.[key]")


async def test_a_file_is_taken_in_by_the_command_line(purple, purple_command, tmp_path) -> None:
    contract = str(await purple.authorisation("127.26.70.0/24"))
    path = tmp_path / "called-whatever.bin"
    path.write_bytes(nmap_of("127.26.70.1"))
    asked = ("import", str(path), "--authorisation", contract, "--create-targets", "--wait", "-o", "json")
    done = purple_command(*asked, "--fail-on", "critical")
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["counts"]["critical"] == 1
    size = len(path.read_bytes()) / 1_000_000
    assert f"sent {size:.1f} of {size:.1f} MB" in done.stderr
    path.write_bytes(nmap_of("127.26.70.1", "127.26.71.1"))
    left = purple_command(*asked)
    assert left.returncode == 5
    assert "left out: 127.26.71.1: 9 results: not covered by the authorisation" in left.stderr
    detached = purple_command("import", str(path), "--authorisation", contract, "-o", "json")
    assert (detached.returncode, json.loads(detached.stdout)["profile"]) == (0, "import-nmap")
    missing = purple_command("import", str(tmp_path / "none"))
    assert (missing.returncode, "is no file" in missing.stderr) == (2, True)
    path.write_bytes(b"<html/>")
    unknown = purple_command("import", str(path))
    assert (unknown.returncode, "name one with format: burp, csv" in unknown.stderr) == (2, True)
