"""The history of risk over HTTP, by the command line and in the console; the console's page of risk."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cli.main import main
from purple.domain.risk_history import Subject
from purple.services.identity import FIRST_ORGANISATION
from tests.integration.test_api import is_problem
from tests.integration.test_console import signed_in

TODAY = datetime.now(UTC).date()
EARLIER = TODAY - timedelta(30)


@pytest.fixture(scope="module")
async def target(container):
    """Its risk was 70 a month ago; the relay keeps what it is now."""
    made = await container.targets.create(FIRST_ORGANISATION, "127.43.1.1")
    async with container.work(FIRST_ORGANISATION) as uow:
        await uow.risk_history.keep(EARLIER, {(Subject.TARGET, made.id): 70})
        await uow.risk_history.keep(TODAY - timedelta(3), {(Subject.TARGET, made.id): 40})
    return made


async def test_it_is_told_from_a_day_on(client, target) -> None:
    whole = (await client.get(f"/targets/{target.id}/risk/history")).json()["items"]
    assert whole[:2] == [
        {"day": str(EARLIER), "score": 70},
        {"day": str(TODAY - timedelta(3)), "score": 40},
    ]
    since = {"since": str(TODAY - timedelta(5))}
    later = (await client.get(f"/targets/{target.id}/risk/history", params=since)).json()["items"]
    assert later[0] == {"day": since["since"], "score": 70}
    assert (await client.get("/risk/history")).status_code == 200
    is_problem(await client.get(f"/targets/{uuid4()}/risk/history"), 404)
    is_problem(await client.get(f"/business-units/{uuid4()}/risk/history"), 404)
    is_problem(await client.get("/risk/history", params={"since": "then"}), 422, field="since")


def test_the_command_line_tells_it(target, capsys) -> None:
    assert main(["risk", "history", "--target", "127.43.1.1", "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["subject"], told["items"][0]["score"]) == ("purple.risk-history/1", "target", 70)
    assert main(["risk", "history", "--since", str(EARLIER)]) == 0
    assert main(["risk", "history", "--target", "127.43.1.1", "--unit", "X"]) == 2
    capsys.readouterr()


async def test_the_console_draws_it_and_tries_weights_before_they_are_saved(api, container, target) -> None:
    async with signed_in(api, container) as browser:
        page = (await browser.get(f"/targets/{target.id}")).text
        assert f"Risk since {EARLIER}: 70 at first" in page
        assert 'class="line" d="M0.0,30.0 ' in page
        page = (await browser.get("/risk")).text
        assert 'name="weight.kev"' in page
        before = await container.risking.rules(FIRST_ORGANISATION)
        form = {f"weight.{name}": str(points) for name, points in before.weights.told().items()}
        form["version"] = str(before.version)
        tried = await browser.post("/risk", data=form | {"weight.kev": "30", "do": "try"})
        assert tried.status_code == 200
        assert 'id="trial"' in tried.text
        assert 'value="30"' in tried.text
        assert (await container.risking.rules(FIRST_ORGANISATION)).weights == before.weights
        wrong = await browser.post("/risk", data=form | {"weight.kev": "many", "do": "save"})
        assert wrong.status_code == 422
        assert "is no number of points" in wrong.text
        assert (await browser.post("/risk", data=form | {"weight.kev": "14", "do": "save"})).status_code == 303
        assert (await container.risking.rules(FIRST_ORGANISATION)).weights.kev == 14
        late = await browser.post("/risk", data=form | {"weight.kev": "15", "do": "save"})
        assert late.status_code == 412
        assert (await container.risking.rules(FIRST_ORGANISATION)).weights.kev == 14
        form["version"] = str(before.version + 1)
        assert (await browser.post("/risk", data=form | {"do": "reset"})).status_code == 303
        assert not (await container.risking.rules(FIRST_ORGANISATION)).own
