"""ssh-audit's JSON: real output of ssh-audit 3.9.0 against the lab, and damage to it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.observations import ObservationKind
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.ssh_audit import parser
from purple.tools.ssh_audit.adapter import Options, command
from purple.tools.ssh_audit.parser import parse
from tests.support.parsers import check_text, read

SAMPLE = (Path(__file__).parent / "samples/ssh-audit-3.9.0-lab-sshd.json").read_bytes()
"""ssh-audit 3.9.0 of PyPI, `--json --skip-rate-test`, against the OpenSSH 9.2p1 of the lab on 2026-11-25."""


def test_the_real_sample_gives_what_is_wrong_with_the_lab() -> None:
    found, error = read(parse, SAMPLE)
    assert error is None
    assert [each.weakness for each in found] == [
        "",
        "ssh-kex-weak",
        "ssh-host-key-weak",
        "ssh-cipher-weak",
        "ssh-mac-weak",
    ]
    assert {(each.location.host, each.location.port) for each in found} == {("127.0.0.1", 12022)}
    service = found[0].service
    assert service
    assert (service.name, service.product, service.version) == ("ssh", "OpenSSH", "9.2p1")
    assert found[3].evidence == "offered: 3des-cbc (using broken & deprecated 3DES cipher)"


def test_a_suspicion_about_a_curve_is_no_weakness() -> None:
    found, _ = read(parse, SAMPLE)
    assert b"backdoored" in SAMPLE
    assert not [each for each in found if "nistp256" in each.evidence]


def changed(**parts: Any) -> bytes:
    return json.dumps(json.loads(SAMPLE) | parts).encode()


def test_terrapin_is_its_cve() -> None:
    warned = {"algorithm": "chacha20-poly1305@openssh.com", "notes": {"warn": ["… Terrapin attack (CVE-2023-48795)"]}}
    found, error = read(parse, changed(enc=[warned]))
    assert error is None
    assert [(each.cve, each.evidence) for each in found[-1:]] == [
        (("CVE-2023-48795",), "without strict key exchange: chacha20-poly1305@openssh.com")
    ]


def test_a_server_without_its_algorithms_is_no_clean_result() -> None:
    document = json.loads(SAMPLE)
    for name in ("kex", "key", "enc", "mac"):
        del document[name]
    found, error = read(parse, json.dumps(document).encode())
    assert [each.kind for each in found] == [ObservationKind.SERVICE]
    assert "4 parts" in str(error)


def test_one_broken_entry_costs_itself_alone() -> None:
    found, error = read(parse, changed(kex=[{"algorithm": "x"}]))
    assert "1 parts" in str(error)
    assert {"ssh-cipher-weak", "ssh-mac-weak"} <= {each.weakness for each in found}


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", SAMPLE[:-20], b"[" * 100_000, changed(target="nowhere")])
def test_what_is_no_result_is_an_error(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 1000)
    assert "larger than 1000 bytes" in str(read(parse, SAMPLE)[1])


def test_hostile_text_stays_text_and_short() -> None:
    raw = "SSH-1.99-<script>\x00" + "x" * 20_000
    found, _ = read(parse, changed(banner={"protocol": "1.99", "software": "<b>\ud800", "raw": raw}))
    assert found[1].weakness == "ssh-protocol-obsolete"
    assert found[1].evidence.startswith("SSH-1.99-<script>")
    check_text(found)


values = st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.lists(st.text(max_size=3), max_size=2)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash_it(data: bytes) -> None:
    assert read(parse, data)[1] is not None


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["kex", "key", "enc", "mac", "banner", "target"]), values | st.lists(values, max_size=2))
def test_no_wrong_type_in_a_real_file_crashes_it(name: str, value: Any) -> None:
    check_text(read(parse, changed(**{name: value}))[0])


def test_the_tool_goes_to_the_checked_address() -> None:
    target = ToolTarget("ssh.example.org", "2001:db8::7", 2222)
    arguments = command(ToolJob("ssh-audit", target, {}, 60, Path("/nowhere")), Options()).arguments
    assert arguments[-2:] == ("--", "2001:db8::7")
    assert arguments[arguments.index("--port") + 1] == "2222"
    assert "--ipv6" in arguments
