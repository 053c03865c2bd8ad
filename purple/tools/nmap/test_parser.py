"""Nmap's XML: real output of Nmap 7.93 against the lab, and whatever a hostile host makes of it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.observations import ObservationKind
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.nmap.adapter import Options, command
from purple.tools.nmap.parser import parse
from tests.support.parsers import check_text, read

SAMPLE = (Path(__file__).parent / "samples/nmap-7.93-lab.xml").read_bytes()
"""Nmap 7.93 of Debian 12, `-sT -sV -Pn -n -oX`, against the lab of this project on 2026-11-24."""
SCRIPTS = (Path(__file__).parent / "samples/nmap-7.93-lab-scripts.xml").read_bytes()
"""The same with `--script "default and safe and not external,redis-info"`, of 2026-11-25; one of the two Redis
servers wants a password. The folder that nmap ran from is written as /opt/nmap."""


def test_the_real_sample_gives_its_host_and_services() -> None:
    found, error = read(parse, SAMPLE)
    assert error is None
    assert [(each.kind, each.location.port) for each in found] == [
        (ObservationKind.HOST, 0),
        (ObservationKind.SERVICE, 33735),
        (ObservationKind.SERVICE, 36495),
        (ObservationKind.SERVICE, 45769),
    ]
    services = [each.service for each in found if each.service]
    assert [(each.name, each.product, each.version, each.tls) for each in services] == [
        ("unknown", "", "", False),
        ("http", "nginx", "1.22.1", False),
        ("http", "nginx", "1.22.1", True),
    ]


def test_a_truncated_scan_keeps_what_came_before_and_says_so() -> None:
    cut = SAMPLE.index(b'portid="45769"')
    found, error = read(parse, SAMPLE[:cut])
    assert [each.location.port for each in found] == [0, 33735, 36495]
    assert error is not None


def test_a_scan_that_was_broken_off_is_not_complete() -> None:
    found, error = read(parse, SAMPLE.replace(b'exit="success"', b'exit="error"'))
    assert len(found) == 4
    assert error is not None


def test_a_host_that_was_given_up_is_not_complete() -> None:
    _, error = read(parse, SAMPLE.replace(b"<host starttime", b'<host timedout="true" starttime'))
    assert "gave up on 1 hosts" in str(error)


def test_what_scripts_prove_is_a_weakness_and_a_locked_redis_is_none() -> None:
    found, error = read(parse, SCRIPTS)
    assert error is None
    assert [(each.weakness, each.location.port, each.location.url) for each in found if each.flaw_class] == [
        ("anonymous-login", 12021, ""),
        ("no-authentication", 12379, ""),
        ("repository-exposed", 36495, "http://127.0.0.1:36495/.git/"),
    ]
    services = {each.location.port: each.service.name for each in found if each.service}
    assert services == {12021: "ftp", 12022: "ssh", 12379: "redis", 12380: "redis", 36495: "http"}


BOMB = b"""<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>
<nmaprun><host><address addr="&b;" addrtype="ipv4"/></host></nmaprun>"""
FILE = b"""<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY a SYSTEM "file:///etc/passwd">]><nmaprun>&a;</nmaprun>"""


@pytest.mark.parametrize("data", [BOMB, FILE])
def test_entities_are_refused(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert "declares an entity" in str(error)


def test_a_vulnerability_of_a_script_is_a_flaw_with_its_cve() -> None:
    script = (
        b'<script id="http-vuln-x" output="VULNERABLE:&#xa; State: VULNERABLE&#xa; IDs: CVE:CVE-2017-5638"/></port>'
    )
    found, error = read(parse, SAMPLE.replace(b"</port>\n</ports>", script + b"\n</ports>"))
    assert error is None
    assert [(each.kind, each.cve, each.location.port) for each in found[-1:]] == [
        (ObservationKind.FLAW, ("CVE-2017-5638",), 45769)
    ]


def test_ports_inside_ports_and_scripts_outside_of_any_are_no_trouble() -> None:
    port = b'<port protocol="tcp" portid="1"><state state="open"/></port>'
    script = b'<script id="x" output="State: VULNERABLE"/>'
    host = b"<host><address addr='192.0.2.1'/><port>%b</port>%b</host>"
    odd = b"<nmaprun>%b" + host + b"<runstats><finished/></runstats></nmaprun>"
    found, error = read(parse, odd % (script, port, script))
    assert error is None
    assert [(each.kind, each.location.port) for each in found] == [
        (ObservationKind.HOST, 0),
        (ObservationKind.SERVICE, 1),
    ]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=4000))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SAMPLE) - 1), st.binary(min_size=1, max_size=20))
def test_no_damage_to_a_real_file_crashes_it(position: int, damage: bytes) -> None:
    found, _ = read(parse, SAMPLE[:position] + damage + SAMPLE[position + len(damage) :])
    check_text(found)


def test_it_holds_a_rate_where_it_is_given_one() -> None:
    job = ToolJob("nmap", ToolTarget("a.example", "192.0.2.7"), {}, 60, Path("/nowhere"))
    arguments = command(job, Options(rate=20)).arguments
    assert arguments[arguments.index("--max-rate") + 1] == "20"
    assert "--max-rate" not in command(job, Options()).arguments
