"""Nessus files.

Sample: `nessus-10.1.1-testphp.nessus` is DefectDojo/django-DefectDojo
`unittests/scans/tenable/nessus/nessus_with_cvssv3.nessus` at 7cfa159a (BSD-3-Clause), a scan of Acunetix's public test
site by Nessus 10.1.1; the policy is left out.
"""

from pathlib import Path

import pytest

from purple.domain.observations import FlawClass, ObservationKind
from purple.domain.severity import Severity
from purple.tools.nessus.parser import parse
from tests.support import hostile
from tests.support.parsers import read

SAMPLE = (Path(__file__).parent / "samples/nessus-10.1.1-testphp.nessus").read_bytes()
FOUND, ERROR = read(parse, SAMPLE)


def test_a_host_tells_its_names_and_its_services_once() -> None:
    assert ERROR is None
    host, *rest = FOUND
    assert (host.kind, host.location.host) == (ObservationKind.HOST, "testphp.vulnweb.com")
    assert host.attributes["address"] == "44.228.249.3"
    services = [each for each in rest if each.service]
    assert [(each.location.port, each.service and each.service.name) for each in services] == [(80, "http")]


def test_severities_are_tenables_own() -> None:
    flaws = [each for each in FOUND if each.flaw_class]
    assert len(flaws) == 41
    assert {each.severity for each in flaws} == set(Severity)
    assert "nessus:19506" not in {each.rule for each in flaws}, "what tells of the scan is no flaw"


def test_a_check_with_many_cves_keeps_them_all_and_its_own_name() -> None:
    many = max(FOUND, key=lambda each: len(each.cve))
    assert len(many.cve) > 5
    assert many.attributes["check"] == many.rule.removeprefix("nessus:")
    assert many.flaw_class is FlawClass.COMPONENT
    assert many.cvss_score > 0
    assert many.cvss_vector.startswith(("CVSS:3.0/AV:", "AV:"))
    assert many.cwe


def test_a_known_plugin_meets_what_other_tools_call_it() -> None:
    plugin = next(each for each in FOUND if each.flaw_class and each.severity is not Severity.INFO)
    changed = SAMPLE.replace(b'pluginID="%b"' % plugin.rule.removeprefix("nessus:").encode(), b'pluginID="26928"')
    found, _ = read(parse, changed)
    assert "tls-cipher-weak" in {each.weakness for each in found}


def test_a_host_whose_scan_did_not_end_is_not_complete() -> None:
    found, error = read(parse, SAMPLE.replace(b'"HOST_END"', b'"HOST_OTHER"'))
    assert len(found) == len(FOUND)
    assert "1 hosts did not end" in str(error)


def test_several_hosts_are_kept_apart() -> None:
    begin, end = SAMPLE.index(b"<ReportHost"), SAMPLE.index(b"</ReportHost>") + 13
    host = SAMPLE[begin:end]
    other = host.replace(b"testphp.vulnweb.com", b"192.0.2.9")
    found, error = read(parse, SAMPLE[:end] + other + SAMPLE[end:])
    assert error is None
    half = len(found) // 2
    assert {each.location.host for each in found[:half]} == {"testphp.vulnweb.com"}
    assert {each.location.host for each in found[half:]} == {"192.0.2.9"}


def test_a_severity_that_is_none_is_told() -> None:
    found, error = read(parse, SAMPLE.replace(b'severity="4"', b'severity="7"'))
    assert len(found) == len(FOUND) - 2
    assert "2 results" in str(error)


def test_it_survives_whatever_comes() -> None:
    small = SAMPLE[: SAMPLE.index(b"</ReportItem>", SAMPLE.index(b"</ReportItem>") + 5000) + 13]
    hostile.survives_damage(parse, small + b"</ReportHost></Report></NessusClientData_v2>", 60)
    hostile.keeps_what_came_before(parse, SAMPLE)
    hostile.refuses_entities(parse, "NessusClientData_v2")


@pytest.mark.parametrize("other", [b"<NessusClientData/>", b"<NessusClientData_v2>", b"", b"x"])
def test_something_else_is_refused(other: bytes) -> None:
    assert read(parse, other)[1] is not None


def test_memory_is_flat() -> None:
    item = SAMPLE[SAMPLE.index(b"<ReportItem") : SAMPLE.index(b"</ReportItem>") + 13]
    host = (
        b'<ReportHost name="a"><HostProperties><tag name="HOST_END">x</tag></HostProperties>' + item + b"</ReportHost>"
    )
    hostile.stays_flat(parse, b"<NessusClientData_v2><Report>", host, b"</Report></NessusClientData_v2>")
