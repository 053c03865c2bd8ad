"""Tools outside the standard profile against the lab: each sees what the list says of it, and nothing once mended."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from purple.domain.observations import Observation
from purple.domain.tools import ScanState, ToolTarget
from purple.toolkit.tools.catalogue import Catalogue
from tests.support.lab import installed, lab, parsed, run_tool
from tests.support.running import ROOT, free_port

EXPECTED = yaml.safe_load((ROOT / "lab/expected-more.yaml").read_text())
Run = tuple[str, str, str, dict[str, Any]]
FAST = {"rate": 500, "timeout_s": 60}
"""A busy machine may let an answer wait for longer than the ten seconds that a tool waits by itself."""
RUNS: list[Run] = [
    ("ffuf", "http", "", FAST),
    ("dirsearch", "http", "", FAST),
    ("sqlmap", "webapp", "product?id=1", FAST),
    ("hydra", "ftp", "", {"service": "ftp", "logins": ["anonymous:anonymous", "admin:admin"]}),
    ("testssl", "https", "", {"checks": ["protocols", "server-defaults"]}),
    ("schemathesis", "webapp", "", FAST | {"max_examples": 5}),
]
"""Tool, service of the lab, what follows its URL, options."""
MENDED = "ftp,sql-injection"


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
    return installed("nmap", "whatweb", "wapiti", "wafw00f", "arjun", *(tool for tool, *_ in RUNS))


def target_of(address: str, more: str = "") -> ToolTarget:
    """A service of the lab by its address there."""
    port = int(address.strip("/").rpartition(":")[2])
    return ToolTarget("127.0.0.1", "127.0.0.1", port, address + more if "://" in address else "")


async def seen(
    tools: Catalogue, tool: str, target: ToolTarget, options: dict[str, Any], work: Path
) -> list[Observation]:
    """What a complete run sees."""
    run = await run_tool(tools, tool, target, options, work, timeout_s=240)
    assert (run.state, run.reason) == (ScanState.COMPLETE, "")
    assert run.version
    found, error = await parsed(tools, tool, run)
    assert error is None
    assert {each.location.port for each in found} <= {target.port}
    return found


def places(found: list[Observation]) -> set[tuple[str, str, str]]:
    """Weakness, path and parameter of each that has a name."""
    return {
        (each.weakness, urlsplit(each.location.url).path, each.location.parameter) for each in found if each.weakness
    }


@pytest.mark.parametrize(("tool", "service", "more", "options"), RUNS)
async def test_a_tool_sees_what_the_list_says_of_it(weak, tools, tool, service, more, options, tmp_path) -> None:
    wanted = {
        (each["weakness"], each.get("path", ""), each.get("parameter", ""))
        for each in EXPECTED[service]
        if each["tool"] == tool
    }
    assert wanted
    assert wanted <= places(await seen(tools, tool, target_of(weak[service], more), options, tmp_path / "work"))


@pytest.mark.parametrize(
    ("tool", "service", "more", "options"), [each for each in RUNS if each[0] in {"sqlmap", "hydra", "schemathesis"}]
)
async def test_what_was_mended_is_not_seen(strong, tools, tool, service, more, options, tmp_path) -> None:
    found = await seen(tools, tool, target_of(strong[service], more), options, tmp_path / "work")
    assert places(found) == set()


@pytest.mark.parametrize("tool", ["ffuf", "dirsearch"])
async def test_a_server_without_such_files_has_none(weak, tools, tool, tmp_path) -> None:
    found = await seen(tools, tool, target_of(weak["webapp"]), FAST, tmp_path / "work")
    assert {weakness for weakness, *_ in places(found)} == {"path-found"}
    assert {urlsplit(each.location.url).path for each in found} >= {"/search", "/product", "/openapi.json"}


async def test_arjun_finds_the_parameter_that_nothing_shows(weak, tools, tmp_path) -> None:
    found = await seen(tools, "arjun", target_of(weak["webapp"], "search"), {"rate": 500}, tmp_path / "work")
    assert "q" in {each.location.parameter for each in found}
    assert {urlsplit(each.location.url).path for each in found} == {"/search"}


async def test_wafw00f_sees_that_nothing_stands_before_the_lab(weak, tools, tmp_path) -> None:
    (service,) = await seen(tools, "wafw00f", target_of(weak["http"]), {}, tmp_path / "work")
    assert service.attributes == {"firewall": "none"}


class Guarded(BaseHTTPRequestHandler):
    """A site that answers attacks as ModSecurity does, and keeps by which name it was asked for."""

    asked: set[str]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.asked.add(self.headers["Host"])
        attacked = "<script>" in unquote(self.path) or "UNION" in self.path
        described = json.dumps(
            {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/": {"get": {}}}}
        )
        body = "This error was generated by Mod_Security" if attacked else described
        self.send_response(HTTPStatus.NOT_ACCEPTABLE if attacked else HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.fixture
def guarded() -> Iterator[tuple[ToolTarget, set[str]]]:
    """The site under a name that nobody can resolve, and the names it was asked for by."""
    handler = type("Site", (Guarded,), {"asked": set()})
    server = ThreadingHTTPServer(("127.24.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://site.example:{server.server_port}/?id=1"
    yield ToolTarget("site.example", "127.24.0.1", server.server_port, url), handler.asked
    server.shutdown()
    server.server_close()


async def test_wafw00f_names_the_firewall_that_stands_before_a_site(guarded, tools, tmp_path) -> None:
    found = await seen(tools, "wafw00f", guarded[0], {}, tmp_path / "work")
    assert [each.attributes["firewall"] for each in found] == ["ModSecurity (SpiderLabs)", "generic"]


@pytest.mark.parametrize("tool", ["wafw00f", "ffuf", "dirsearch", "arjun", "sqlmap", "schemathesis"])
async def test_a_site_is_asked_for_by_its_name_at_the_checked_address(guarded, tools, tool, tmp_path) -> None:
    target, asked = guarded
    options = {"words": ["a", "b", "c", "d"]} if tool in {"ffuf", "dirsearch", "arjun"} else {}
    run = await run_tool(tools, tool, target, options, tmp_path / "work")
    assert run.state is ScanState.COMPLETE, run.reason
    assert asked
    assert asked <= {"site.example", f"site.example:{target.port}"}


class Leading(Guarded):
    """A site whose description leads to another server: by a redirect, or by a reference inside."""

    elsewhere: str
    redirects: bool

    def do_GET(self) -> None:
        self.asked.add(self.headers["Host"])
        if self.redirects:
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", f"{self.elsewhere}moved")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        parameter = {"name": "q", "in": "query", "schema": {"$ref": f"{self.elsewhere}reference.json"}}
        paths = {"/": {"get": {"parameters": [parameter], "responses": {"200": {"description": "x"}}}}}
        info = {"title": "x", "version": "1"}
        described = {"openapi": "3.1.0", "info": info, "servers": [{"url": self.elsewhere}], "paths": paths}
        body = json.dumps(described).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def leading_to(other: ToolTarget, *, redirects: bool) -> Iterator[tuple[ToolTarget, set[str]]]:
    """Such a site, and the names it was asked for by."""
    elsewhere = f"http://{other.address}:{other.port}/"
    handler = type("Leads", (Leading,), {"elsewhere": elsewhere, "redirects": redirects, "asked": set()})
    server = ThreadingHTTPServer(("127.24.0.2", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    try:
        yield ToolTarget("127.24.0.2", "127.24.0.2", port, f"http://127.24.0.2:{port}/?id=1"), handler.asked
    finally:
        server.shutdown()
        server.server_close()


FOLLOWERS = {
    "nmap": {"scripts": "default"},
    "whatweb": {},
    "wapiti": {"modules": ["http_headers", "redirect"]},
    "wafw00f": {},
    "ffuf": {"words": ["a", "b"]},
    "dirsearch": {"words": ["a", "b"]},
    "arjun": {"words": ["a", "b"]},
    "sqlmap": {},
}


@pytest.mark.parametrize("tool", FOLLOWERS)
async def test_a_redirect_leads_no_tool_out_of_its_scope(guarded, tools, tool, tmp_path) -> None:
    other, asked = guarded
    with leading_to(other, redirects=True) as (target, led):
        options = FOLLOWERS[tool] | ({"ports": str(target.port)} if tool == "nmap" else {})
        run = await run_tool(tools, tool, target, options, tmp_path / "work")
    assert led, run.reason
    assert asked == set()


@pytest.mark.parametrize("redirects", [True, False])
async def test_an_api_leads_schemathesis_nowhere_else(guarded, tools, redirects, tmp_path) -> None:
    other, asked = guarded
    with leading_to(other, redirects=redirects) as (target, _):
        run = await run_tool(tools, "schemathesis", target, {"max_examples": 2}, tmp_path / "work")
    assert asked == set()
    assert run.state is (ScanState.FAILED if redirects else ScanState.COMPLETE), run.reason
    if not redirects:
        _, error = await parsed(tools, "schemathesis", run)
        assert "lead elsewhere" in str(error)


@pytest.mark.parametrize("tool", ["wafw00f", "ffuf", "dirsearch", "arjun", "sqlmap", "hydra", "schemathesis"])
async def test_where_nobody_listens_nothing_is_clean(tools, tool, tmp_path) -> None:
    port = free_port()
    target = ToolTarget("127.0.0.1", "127.0.0.1", port, f"http://127.0.0.1:{port}/?id=1")
    options = {"service": "ftp"} if tool == "hydra" else {"timeout_s": 2}
    run = await run_tool(tools, tool, target, options, tmp_path / "work")
    if run.state is ScanState.COMPLETE:
        found, error = await parsed(tools, tool, run)
        assert found == []
        assert error is not None
    else:
        assert (run.state, bool(run.reason)) == (ScanState.FAILED, True)
