"""The console's form for results of tools that ran elsewhere, over plain HTTP."""

import http.client
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from api.console.uploads import MAX_FIELDS, MAX_TEXT
from api.limits import MAX_BODY
from purple.domain.campaigns import CampaignState
from purple.domain.identity import Permission, User
from purple.domain.imports import MAX_IMPORT
from purple.domain.pages import Query
from tests.integration.test_console import signed_in
from tests.integration.test_imports import nmap_of

PATH = "/campaigns/import"


@pytest.fixture
async def browser(api, container, workers):
    async with signed_in(api, container) as made:
        yield made


def form(file: bytes, **fields: str) -> list[tuple[str, tuple[str | None, str | bytes]]]:
    """As a browser sends it: most fields stand behind the file."""
    return [("file", ("result.xml", file)), *((name, (None, value)) for name, value in fields.items())]


async def test_a_large_file_becomes_one_campaign_however_often_it_is_sent(browser, purple) -> None:
    contract = str(await purple.authorisation("127.26.80.0/24"))
    padding = b"<!--" + b"x" * 3_000_000 + b"-->\n<nmaprun"
    file = nmap_of("127.26.80.1").replace(b"<nmaprun", padding, 1)
    sent = form(file, key=str(uuid4()), format="nmap", authorisation_id=contract, create_targets="yes", name="by hand")
    answers = [await browser.post(PATH, files=sent) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303], answers[0].text
    (place,) = {each.headers["location"] for each in answers}
    ended = await purple.end(await purple.container.campaigns.get(purple.organisation, UUID(place.rpartition("/")[2])))
    assert (ended.name, ended.profile, ended.state) == ("by hand", "import-nmap", CampaignState.COMPLETED)
    assert ended.summary["import"]["registered"] == ["127.26.80.1"]
    assert not list((purple.container.data / "scratch").glob("upload-*"))


@pytest.mark.parametrize(
    ("file", "fields", "status", "field", "said"),
    [
        (b"", {}, 422, "file", "The file is empty"),
        (b"<html/>", {}, 422, "format", "is of no known format"),
        (b"<nmaprun/>", {"format": "xlsx"}, 422, "format", "There is no format"),
        (b"<nmaprun/>", {"target": "a b"}, 422, "target", "neither a host name nor an IP address"),
        (b"<nmaprun/>", {"authorisation_id": "x"}, 422, "authorisation_id", "none of those there are"),
        (b"<nmaprun/>", {"authorisation_id": str(UUID(int=0))}, 404, "", "no authorisation"),
        (b"title,severity\n", {"options": "[1]"}, 422, "options", "no JSON object"),
        (b"title,severity\n", {"options": '{"columns": {"titel": "x"}}'}, 422, "options", "titel"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_written_stays(
    browser, purple, file, fields, status, field, said
) -> None:
    fields = {"authorisation_id": str(await purple.authorisation("127.26.81.0/24"))} | fields
    answer = await browser.post(PATH, files=form(file, **fields, series="the weekly one"))
    assert answer.status_code == status
    assert said in answer.text
    assert "What to do:" in answer.text
    assert (f'href="#field-{field}"' in answer.text) is bool(field), "of what is not there the field is not known"
    assert not field or f'id="field-{field}"' in answer.text
    assert 'value="the weekly one"' in answer.text


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"format": "nmap"}},
        {"content": b"--x--", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"no boundary at all", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"files": form(b"<nmaprun/>", name="a\0b")},
        {"files": form(b"<nmaprun/>", name="x" * (MAX_TEXT + 1))},
        {"files": form(b"<nmaprun/>") * 2},
        {"files": form(b"<nmaprun/>", **{f"f{n}": "" for n in range(MAX_FIELDS)})},
    ],
)
async def test_what_is_no_such_form_is_refused(browser, purple, sent) -> None:
    await purple.authorisation("127.26.82.0/24")
    answer = await browser.post(PATH, **sent)
    assert answer.status_code == 422
    assert "This is not a form that we know" in answer.text


async def test_a_file_comes_from_our_own_pages_only(browser, purple) -> None:
    before = await purple.container.campaigns.page(purple.organisation, Query())
    answer = await browser.post(PATH, files=form(b"<nmaprun/>"), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert await purple.container.campaigns.page(purple.organisation, Query()) == before


async def test_who_may_not_register_targets_is_not_asked_for_them(api, purple) -> None:
    container = purple.container
    may = frozenset({Permission.READ_CAMPAIGNS, Permission.WRITE_CAMPAIGNS})
    guest = User(uuid4(), purple.organisation, f"guest-{uuid4()}", may, container.clock.now())
    async with container.work(purple.organisation) as uow:
        await uow.users.add(guest)
    contract = str(await purple.authorisation("127.26.83.0/24"))
    async with signed_in(api, container, guest.id) as visitor:
        shown = await visitor.get(PATH)
        assert 'name="create_targets"' not in shown.text
        for more in ({"create_targets": "yes"}, {"target": "127.26.83.1"}):
            refused = await visitor.post(PATH, files=form(b"<nmaprun/>", authorisation_id=contract, **more))
            assert refused.status_code == 403
            assert "write:targets" in refused.text


def test_too_much_is_refused_before_it_is_read(api) -> None:
    connection = http.client.HTTPConnection(urlsplit(api).netloc, timeout=60)
    connection.putrequest("POST", f"/console{PATH}")
    connection.putheader("Content-Length", str(MAX_IMPORT + MAX_BODY + 1))
    connection.endheaders(b"--x")
    assert connection.getresponse().status == 413
    connection.close()
