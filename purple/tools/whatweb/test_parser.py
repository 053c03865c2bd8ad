"""WhatWeb's JSON: real logs of WhatWeb 0.5.5 against the lab, and damage to them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.observations import ObservationKind
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.whatweb import parser
from purple.tools.whatweb.adapter import Options, command
from purple.tools.whatweb.parser import parse
from tests.support.parsers import check_text, read

SAMPLES = Path(__file__).parent / "samples"
NGINX = (SAMPLES / "whatweb-0.5.5-lab-nginx.json").read_bytes()
WEBAPP = (SAMPLES / "whatweb-0.5.5-lab-webapp.json").read_bytes()
AWAY = (SAMPLES / "whatweb-0.5.5-nobody-listens.json").read_bytes()
"""WhatWeb 0.5.5 of Debian 12, `--log-json`, against the lab of this project on 2026-11-25."""


def test_the_real_log_of_nginx_gives_its_version() -> None:
    found, error = read(parse, NGINX)
    assert error is None
    assert [(each.kind, each.weakness, each.location.port) for each in found] == [
        (ObservationKind.SERVICE, "", 36495),
        (ObservationKind.FLAW, "version-disclosed", 36495),
    ]
    service = found[0].service
    assert service
    assert (service.product, service.version, service.tls) == ("nginx", "1.22.1", False)
    assert found[0].evidence == "HTML5, nginx 1.22.1"


def test_the_real_log_of_the_web_application_gives_its_cookie() -> None:
    found, error = read(parse, WEBAPP)
    assert error is None
    assert [(each.weakness, each.evidence) for each in found if each.kind is ObservationKind.FLAW] == [
        ("version-disclosed", "HTTPServer: BaseHTTP/0.6 Python/3.11.2"),
        ("cookie-without-httponly", "cookies: session"),
    ]
    assert found[0].attributes == {"title": "Shop of the lab"}


def test_a_server_that_did_not_answer_is_no_clean_result() -> None:
    found, error = read(parse, AWAY)
    assert found == []
    assert "did not answer" in str(error)


def test_truncated_output_keeps_what_came_before() -> None:
    both = b"[\n" + NGINX.split(b"\n")[1] + b"\n,\n" + WEBAPP.split(b"\n")[1] + b"\n]\n"
    assert len(read(parse, both)[0]) == 5
    found, error = read(parse, both[:-60])
    assert [each.location.port for each in found] == [36495, 36495]
    assert "breaks off" in str(error)


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, NGINX)[1])


def changed(plugins: Any) -> bytes:
    page = json.loads(NGINX)[0]
    return json.dumps(
        [page | {"plugins": page["plugins"] | plugins if isinstance(plugins, dict) else plugins}]
    ).encode()


def test_a_cookie_with_httponly_is_none_without() -> None:
    found, _ = read(parse, changed({"Cookies": {"string": ["a", "b"]}, "HttpOnly": {"string": ["a"]}}))
    assert [each.evidence for each in found if each.weakness == "cookie-without-httponly"] == ["cookies: b"]


def test_hostile_text_stays_text_and_short() -> None:
    title = "<script>alert(1)</script>\x00" + "x" * 20_000
    found, error = read(parse, changed({"Title": {"string": [title]}, "\ud800": {"version": ["1" * 9000]}}))
    assert error is None
    assert found[0].attributes["title"].startswith("<script>alert(1)</script>")
    check_text(found)


@pytest.mark.parametrize("data", [b"", b"{}", b"[", b"[[]]", b"[" * 10_000, b'[{"target": 3, "plugins": {}}]'])
def test_what_is_no_log_is_an_error(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    assert read(parse, data)[1] is not None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(values | st.dictionaries(st.sampled_from(["HTTPServer", "Cookies", "HttpOnly", "Title", "x"]), values))
def test_no_wrong_type_in_a_real_log_crashes_it(plugins: Any) -> None:
    check_text(read(parse, changed(plugins))[0])


def test_the_tool_goes_to_the_checked_address_and_follows_nobody() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "https://app.example.org:8443/shop/")
    arguments = command(ToolJob("whatweb", target, {}, 60, Path("/nowhere")), Options()).arguments
    assert arguments[-1] == "https://192.0.2.7:8443/shop/"
    assert arguments[arguments.index("--header") + 1] == "Host: app.example.org:8443"
    assert "--follow-redirect=never" in arguments
