"""The real tools against the real lab: each sees what the lab's list says of it, and nothing of it once mended."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from purple.domain.tools import ScanState, ToolTarget
from purple.toolkit.tools.catalogue import Catalogue
from tests.support.lab import installed, lab, parsed, run_tool
from tests.support.running import ROOT

EXPECTED = yaml.safe_load((ROOT / "lab/expected.yaml").read_text())
RUNS = [
    ("ssh-audit", "ssh", {}),
    ("nmap", "redis", {"scripts": "default"}),
    ("nmap", "ftp", {"scripts": "default"}),
    ("sslscan", "https", {}),
    ("whatweb", "webapp", {}),
    ("whatweb", "https", {}),
]
MENDED = "ssh,redis,ftp,tls,cookies"


@pytest.fixture(scope="module")
def weak(tmp_path_factory) -> Iterator[dict[str, str]]:
    with lab(tmp_path_factory.mktemp("weak")) as state:
        yield state


@pytest.fixture(scope="module")
def strong(tmp_path_factory) -> Iterator[dict[str, str]]:
    with lab(tmp_path_factory.mktemp("strong"), "--without", MENDED) as state:
        yield state


@pytest.fixture(scope="module")
def tools() -> Catalogue:
    return installed(*{tool for tool, _, _ in RUNS})


async def seen(
    tools: Catalogue, tool: str, address: str, options: dict[str, object], work: Path
) -> set[tuple[str, str]]:
    """Weakness and path of each flaw that a tool sees at an address of the lab."""
    url = address if "://" in address else ""
    port = int(address.strip("/").rpartition(":")[2])
    run = await run_tool(tools, tool, ToolTarget("127.0.0.1", "127.0.0.1", port, url), options, work)
    assert (run.state, run.reason) == (ScanState.COMPLETE, "")
    assert run.version
    found, error = await parsed(tools, tool, run)
    assert error is None
    assert {each.location.port for each in found if each.location.port} == {port}
    return {(each.weakness, urlsplit(each.location.url).path) for each in found if each.weakness}


@pytest.mark.parametrize(("tool", "service", "options"), RUNS)
async def test_a_tool_sees_what_the_list_says_of_it(weak, tools, tool, service, options, tmp_path) -> None:
    wanted = {(each["weakness"], each.get("path", "")) for each in EXPECTED[service] if each["tool"] == tool}
    assert wanted
    assert wanted <= await seen(tools, tool, weak[service], options, tmp_path / "work")


@pytest.mark.parametrize(("tool", "service", "options"), [each for each in RUNS if each[:2] != ("whatweb", "https")])
async def test_what_was_mended_is_not_seen(strong, tools, tool, service, options, tmp_path) -> None:
    never_mended = {"version-disclosed", "tls-certificate-untrusted"}
    found = await seen(tools, tool, strong[service], options, tmp_path / "work")
    assert {weakness for weakness, _ in found} <= never_mended
