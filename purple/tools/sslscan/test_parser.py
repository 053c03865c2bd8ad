"""sslscan's XML: real output of sslscan 2.0.7 against the lab, and damage to it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.sslscan import parser
from purple.tools.sslscan.adapter import Options, command
from purple.tools.sslscan.parser import parse
from tests.support.parsers import check_text, read

SAMPLES = Path(__file__).parent / "samples"
SAMPLE = (SAMPLES / "sslscan-2.0.7-lab-nginx.xml").read_bytes()
NO_TLS = (SAMPLES / "sslscan-2.0.7-no-tls.xml").read_bytes()
AWAY = (SAMPLES / "sslscan-2.0.7-nobody-listens.xml").read_bytes()
"""sslscan 2.0.7 of Debian 12, `--xml`, against the lab of this project on 2026-11-25."""


def test_the_real_sample_gives_what_is_wrong_with_the_lab() -> None:
    found, error = read(parse, SAMPLE)
    assert error is None
    assert [(each.weakness, each.evidence) for each in found] == [
        ("tls-protocol-obsolete", "accepted: TLS 1.0, TLS 1.1"),
        ("tls-cipher-weak", "accepted: AECDH-AES128-SHA, AECDH-AES256-SHA"),
        ("tls-key-short", "RSA key of 1024 bits"),
        ("tls-certificate-untrusted", "lab.invalid: self-signed"),
    ]
    assert {(each.location.host, each.location.port) for each in found} == {("127.0.0.1", 45769)}


@pytest.mark.parametrize(("data", "why"), [(NO_TLS, "speaks no TLS"), (AWAY, "Could not open a connection")])
def test_a_scan_of_nothing_is_no_clean_result_though_the_tool_ends_well(data: bytes, why: str) -> None:
    found, error = read(parse, data)
    assert found == []
    assert why in str(error)


CHANGES = [
    (
        b'<renegotiation supported="1" secure="1" />',
        b'<renegotiation supported="1" secure="0" />',
        "renegotiation-insecure",
    ),
    (b"<renegotiation", b'<compression supported="1" /><renegotiation', "compression"),
    (b"sha256WithRSAEncryption", b"sha1WithRSAEncryption", "signature-weak"),
    (b"<expired>false", b"<expired>true", "certificate-expired"),
    (b'curve="25519" ecdhebits="253"', b'dhebits="1024"', "dh-weak"),
]


@pytest.mark.parametrize(("old", "new", "weakness"), CHANGES)
def test_other_flaws_of_tls_are_told(old: bytes, new: bytes, weakness: str) -> None:
    assert old in SAMPLE
    found, error = read(parse, SAMPLE.replace(old, new))
    assert error is None
    assert f"tls-{weakness}" in {each.weakness for each in found}


@pytest.mark.parametrize("cipher", [b"DES-CBC3-SHA", b"EXP-RC4-MD5", b"NULL-SHA256", b"ADH-AES128-SHA"])
def test_weak_ciphers_go_by_their_names(cipher: bytes) -> None:
    found, _ = read(parse, SAMPLE.replace(b"AES128-CCM8", cipher).replace(b"AECDH", b"ECDHE"))
    assert [each.evidence for each in found if each.weakness == "tls-cipher-weak"] == [f"accepted: {cipher.decode()}"]


def test_heartbleed_is_its_cve() -> None:
    found, _ = read(parse, SAMPLE.replace(b'vulnerable="0"', b'vulnerable="1"'))
    assert ("CVE-2014-0160",) in [each.cve for each in found]


def test_a_truncated_scan_keeps_what_came_before_and_says_so() -> None:
    found, error = read(parse, SAMPLE[: SAMPLE.index(b"<certificates>")])
    assert [each.weakness for each in found] == ["tls-protocol-obsolete", "tls-cipher-weak"]
    assert "breaks off" in str(error)


def test_output_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 1000)
    assert "larger than 1000 bytes" in str(read(parse, SAMPLE)[1])


def test_entities_are_refused() -> None:
    bomb = SAMPLE.replace(b"<document", b'<!DOCTYPE document [<!ENTITY a "ha">]><document', 1)
    assert "declares an entity" in str(read(parse, bomb)[1])


def test_hostile_text_stays_text_and_short() -> None:
    subject = b"<![CDATA[<script>" + b"x" * 100_000 + b"]]>"
    found, error = read(parse, SAMPLE.replace(b"<![CDATA[lab.invalid]]>", subject))
    assert error is None
    assert found[-1].evidence.startswith("<script>xxx")
    check_text(found)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SAMPLE) - 1), st.binary(min_size=1, max_size=20))
def test_no_damage_to_a_real_file_crashes_it(position: int, damage: bytes) -> None:
    check_text(read(parse, SAMPLE[:position] + damage + SAMPLE[position + len(damage) :])[0])


def test_the_tool_goes_to_the_checked_address_with_the_name_for_sni() -> None:
    target = ToolTarget("www.example.org", "2001:db8::7", 8443)
    arguments = command(ToolJob("sslscan", target, {}, 60, Path("/nowhere")), Options()).arguments
    assert arguments[-1] == "[2001:db8::7]:8443"
    assert "--sni-name=www.example.org" in arguments
