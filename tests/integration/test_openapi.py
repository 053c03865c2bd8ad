"""The OpenAPI document: a client made from it works, and nothing that it allows or forbids makes the API fail."""

import importlib
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from api.lock import LOCK, text
from bench.house import answers
from purple.bootstrap import Container
from purple.db.migrate import upgrade
from purple.settings import Settings
from tests.support.running import free_port, process, wait_until

AWAY = "127.0.0.1:1"
"""Where no workflow server is: what is asked for at random must never run."""


@pytest.fixture(scope="module")
def made_client(api, tmp_path_factory):
    """A package that openapi-python-client makes."""
    folder = tmp_path_factory.mktemp("client")
    config = folder / "config.json"
    config.write_text(json.dumps({"post_hooks": []}))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--url", f"{api}/api/openapi.json"]
    command += ["--meta", "none", "--output-path", str(folder / "purple_client"), "--config", str(config)]
    done = subprocess.run([*command, "--fail-on-warning"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield "purple_client"
    sys.path.remove(str(folder))
    for name in [each for each in sys.modules if each.split(".")[0] == "purple_client"]:
        del sys.modules[name]


async def test_a_client_that_is_made_from_the_document_works(api, made_client, container) -> None:
    def part(name: str):  # noqa: ANN202 - a module that is made as we go
        return importlib.import_module(f"{made_client}.{name}")

    models = part("models")
    client = part("client").AuthenticatedClient(base_url=api, token=await container.identity.first_token())
    async with client:
        body = models.TargetBody(value="client.example.org", tags=["made-client"])
        target = await part("api.targets.create_target").asyncio(client=client, body=body)
        assert isinstance(target, models.TargetAnswer)
        page = await part("api.targets.list_targets").asyncio(client=client, filter_="tags:made-client")
        assert [each.id for each in page.items] == [target.id]
        edit = models.TargetEdit(name="by a client")
        edited = await part("api.targets.edit_target").asyncio_detailed(
            target.id, client=client, body=edit, if_match='"v1"'
        )
        assert edited.parsed.name == "by a client"
        until = datetime.now(UTC) + timedelta(hours=1)
        contract = models.AuthorisationBody(name="c", signed_by="s", include=["client.example.org"], valid_until=until)
        made = await part("api.authorisations.create_authorisation").asyncio(client=client, body=contract)
        assert made.include
        missing = await part("api.campaigns.get_campaign").asyncio(uuid4(), client=client)
        assert isinstance(missing, models.Problem)
        assert missing.status == 404


def test_version_1_is_as_its_clients_know_it() -> None:
    assert LOCK.read_text() == text(), "run `python -m api.lock`, and see that nothing which clients use went away"


@pytest.fixture(scope="module")
async def apart(servers, environment):
    """An API on a database of its own, with no workers and no workflow server."""
    name = f"fuzz_{uuid4().hex[:8]}"
    with psycopg.connect(servers.admin_url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} OWNER purple_owner")
    urls = {
        key: servers.environment[key].rsplit("/", 1)[0] + f"/{name}"
        for key in ("PURPLE_DATABASE__URL", "PURPLE_DATABASE__RELAY_URL", "PURPLE_DATABASE__OWNER_URL")
    }
    upgrade(urls["PURPLE_DATABASE__OWNER_URL"])
    database = {key.rsplit("__")[1].lower(): value for key, value in urls.items()}
    container = Container(Settings(_env_file=None, database=database))
    token = await container.identity.first_token()
    await container.close()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(environment, "api", **urls, PURPLE_API__PORT=str(port), PURPLE_TEMPORAL__ADDRESS=AWAY):
        wait_until(lambda: answers(f"{url}/health"), 60, "API")
        yield url, token


@pytest.mark.timeout(600)
def test_nothing_that_the_document_allows_or_forbids_makes_the_api_fail(apart, tmp_path) -> None:
    url, token = apart
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/api/openapi.json", "--url", url]
    command += ["--header", f"Authorization: Bearer {token}", "--exclude-path", "/api/v1/live", "--seed", "4"]
    checks = "not_a_server_error,response_schema_conformance,content_type_conformance,status_code_conformance"
    command += ["--checks", checks, "--phases", "examples,coverage,fuzzing", "--max-examples", "25"]
    command += ["--report", "ndjson", "--report-dir", str(tmp_path), "--no-color", "--max-time", "45"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    tried = re.search(r"Tested: (\d+)", done.stdout)
    assert tried, done.stdout
    assert int(tried[1]) >= 27
