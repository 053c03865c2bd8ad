"""testssl.sh's JSON: real results of testssl.sh 3.0.8 against the lab, and damage to them."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.testssl import parser
from purple.tools.testssl.adapter import Options, command
from purple.tools.testssl.parser import parse
from tests.support.damage import check, damaged
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
NGINX = (SAMPLES / "testssl-3.0.8-lab-nginx.json").read_bytes()
PLAIN = (SAMPLES / "testssl-3.0.8-no-tls.json").read_bytes()
AWAY = (SAMPLES / "testssl-3.0.8-nobody-listens.json").read_bytes()
"""testssl.sh 3.0.8 of Debian 12: the nginx of the lab of this project with some of the checks, its port without TLS,
and where nobody listens, on 2026-11-25."""


def test_the_real_sample_gives_what_is_wrong_with_the_lab() -> None:
    found, error = read(parse, NGINX)
    assert error is None
    named = {each.weakness: each for each in found if each.weakness}
    assert set(named) == {
        "tls-protocol-obsolete", "tls-cipher-weak", "tls-key-short", "tls-certificate-untrusted",
    }  # fmt: skip
    assert [each.rule for each in found if each.rule.startswith("testssl:cert_exp")] == [
        "testssl:cert_expirationStatus"
    ]
    assert named["tls-protocol-obsolete"].evidence == "TLS1: offered (deprecated)\nTLS1_1: offered (deprecated)"
    assert {each.location.host for each in found} == {"127.0.0.1"}
    assert {each.flaw_class for each in named.values()} == {FlawClass.CONFIGURATION}


def finding(check: str, severity: str, **more: str) -> dict[str, str]:
    return {"id": check, "ip": "a/192.0.2.7", "port": "443", "severity": severity, "finding": "x", **more}


def read_parts(*parts: dict[str, str]) -> tuple[list[str], str]:
    found, error = read(parse, json.dumps(parts).encode())
    return [each.cve[0] if each.cve else each.weakness or each.rule for each in found], str(error or "")


END = finding("scanTime", "INFO")


def test_a_known_attack_is_its_cve() -> None:
    heartbleed = finding("heartbleed", "CRITICAL", cve="CVE-2014-0160", cwe="CWE-119")
    found, error = read(parse, json.dumps([heartbleed, END]).encode())
    assert error is None
    assert [(each.cve, each.cwe, each.severity, each.flaw_class) for each in found] == [
        (("CVE-2014-0160",), (119,), Severity.CRITICAL, FlawClass.COMPONENT)
    ]


def test_a_certificate_that_has_ended_is_the_flaw_that_other_tools_see() -> None:
    ended = finding("cert_expirationStatus <cert#1>", "CRITICAL") | {"finding": "expired"}
    assert read_parts(ended, END) == (["tls-certificate-expired"], "")


def test_what_is_well_or_only_told_is_no_flaw() -> None:
    told = [finding("TLS1_2", "OK"), finding("ALPN", "INFO"), finding("x", "WARN"), finding("y", "DEBUG")]
    assert read_parts(*told, END) == ([], "")


@pytest.mark.parametrize(("sample", "why"), [(PLAIN, "speaks no version of TLS"), (AWAY, "not tested to the end")])
def test_where_there_is_no_tls_nothing_is_clean(sample: bytes, why: str) -> None:
    found, error = read(parse, sample)
    assert found == []
    assert why in str(error)


def test_truncated_output_keeps_what_came_before() -> None:
    found, error = read(parse, NGINX[: len(NGINX) // 3])
    assert "tls-protocol-obsolete" in {each.weakness for each in found}
    assert "breaks off" in str(error)


def test_an_interrupted_run_is_no_clean_result() -> None:
    assert "Scan interrupted" in read_parts(finding("scanTime", "WARN") | {"finding": "Scan interrupted"})[1]


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, NGINX)[1])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


@settings(max_examples=150, deadline=None)
@given(damaged([finding("TLS1", "LOW"), finding("ROBOT", "HIGH", cve="CVE-2017-17382", cwe="CWE-203"), END]))
def test_no_damage_crashes_it(data: bytes) -> None:
    check(parse, data)


def test_it_goes_to_the_checked_address_and_looks_no_name_up() -> None:
    target = ToolTarget("app.example.org", "192.0.2.7", 8443, "")
    made = command(
        ToolJob("testssl", target, {}, 60, Path("/nowhere")), Options(checks=("protocols", "robot"))
    ).arguments
    assert made[-1] == "app.example.org:8443"
    assert made[made.index("--ip") + 1] == "192.0.2.7"
    assert made[made.index("--nodns") + 1] == "none"
    assert {"--protocols", "--robot"} <= {*made}
    assert "--heartbleed" not in made
    assert "--phone-out" not in made
