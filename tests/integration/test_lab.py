"""The real tools against the real lab: each sees what the lab's list says of it, and nothing of it once mended."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from purple.domain.tools import ScanState, ToolJob, ToolTarget
from purple.settings.paths import default_cache
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs
from purple.toolkit.tools.runner import GuardedRunner
from purple.toolkit.world import SystemClock
from tests.support.running import ROOT, wait_until

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


@contextmanager
def lab(folder: Path, *arguments: str) -> Iterator[dict[str, str]]:
    """A lab of one's own; its state. It ends with its standard input."""
    state = folder / "lab.json"
    argv = [sys.executable, "-m", "lab", "--state", str(state), "--lifeline", *arguments]
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        wait_until(lambda: state.exists() or process.poll() is not None, 240, "the lab is up")
        assert process.poll() is None, (folder / "lab.log").read_text()
        yield json.loads(state.read_text())
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(30)


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
    made = Catalogue(Programs(default_cache() / "tools", default_cache()))
    for tool in {tool for tool, _, _ in RUNS}:
        assert made.install(tool, lambda _: None).usable
    return made


async def seen(
    tools: Catalogue, tool: str, address: str, options: dict[str, object], work: Path
) -> set[tuple[str, str]]:
    """Weakness and path of each flaw that a tool sees at an address of the lab."""
    url = address if "://" in address else ""
    port = int(address.strip("/").rpartition(":")[2])
    work.mkdir()
    job = ToolJob(
        tool, ToolTarget("127.0.0.1", "127.0.0.1", port, url), tools.validate_options(tool, options), 120, work
    )
    runner = GuardedRunner(tools, SystemClock(), memory_mb=4096, output_mb=64)
    run = await runner.run(job, lambda _: None)
    assert (run.state, run.reason) == (ScanState.COMPLETE, "")
    assert run.version
    assert run.output
    found = await asyncio.to_thread(lambda: list(tools.parse(tool, run.output)))
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
