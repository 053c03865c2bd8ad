"""SSLyze's JSON: real output of SSLyze 6.3.1 against the lab, and damage to it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.tools.sslyze import parser
from purple.tools.sslyze.parser import parse
from tests.support.parsers import check_text, read

SAMPLE = (Path(__file__).parent / "samples/sslyze-6.3.1-lab-nginx.json").read_bytes()
"""SSLyze 6.3.1 of PyPI, `--json_out`, against the nginx of the lab of this project on 2026-11-24."""


def test_the_real_sample_gives_what_is_wrong_with_the_lab() -> None:
    found, error = read(parse, SAMPLE)
    assert error is None
    assert [each.weakness for each in found] == [
        "tls-protocol-obsolete",
        "tls-cipher-weak",
        "tls-key-short",
        "tls-certificate-untrusted",
    ]
    assert found[0].evidence == "accepted: TLS 1.0, TLS 1.1"
    assert found[2].evidence == "RSA key of 1024 bits"
    assert {each.location.port for each in found} == {45769}
    assert {each.location.host for each in found} == {"lab.example"}


def changed(change: Any) -> bytes:
    document = json.loads(SAMPLE)
    change(document["server_scan_results"][0])
    return json.dumps(document).encode()


def test_checks_that_were_not_scheduled_are_no_clean_result() -> None:
    def unschedule(server: dict[str, Any]) -> None:
        for check in server["scan_result"].values():
            check.update(status="NOT_SCHEDULED", result=None)

    found, error = read(parse, changed(unschedule))
    assert found == []
    assert "not done" in str(error)


def test_a_server_that_could_not_be_reached_is_no_clean_result() -> None:
    def away(server: dict[str, Any]) -> None:
        server.update(scan_status="ERROR_NO_CONNECTIVITY", connectivity_status="ERROR", scan_result=None)

    found, error = read(parse, changed(away))
    assert found == []
    assert "connectivity ERROR" in str(error)


def test_heartbleed_is_its_cve() -> None:
    def bleed(server: dict[str, Any]) -> None:
        server["scan_result"]["heartbleed"]["result"]["is_vulnerable_to_heartbleed"] = True

    found, _ = read(parse, changed(bleed))
    assert ("CVE-2014-0160",) in [each.cve for each in found]


def test_compression_is_told() -> None:
    def compress(server: dict[str, Any]) -> None:
        server["scan_result"]["tls_compression"]["result"]["supports_compression"] = True

    found, error = read(parse, changed(compress))
    assert error is None
    assert "tls-compression" in [each.weakness for each in found]


def test_truncated_output_is_an_error() -> None:
    assert read(parse, SAMPLE[:5000])[1] is not None
    assert read(parse, b"")[1] is not None
    assert read(parse, b"[" * 100_000)[1] is not None


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 1000)
    assert "larger than 1000 bytes" in str(read(parse, SAMPLE)[1])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=500) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(json.loads(SAMPLE)["server_scan_results"][0]["scan_result"])), json_values)
def test_no_wrong_type_in_a_real_file_crashes_it(name: str, value: Any) -> None:
    def damage(server: dict[str, Any]) -> None:
        server["scan_result"][name] = {"status": "COMPLETED", "result": value}

    check_text(read(parse, changed(damage))[0])
