"""Reports of OpenVAS and Greenbone.

Samples: `gmp-9.0-metasploitable.xml` and `gmp-22.6-windows.xml` are DefectDojo/django-DefectDojo
`unittests/scans/openvas/many_vuln.xml` and `report_detail_v2.xml` at 7cfa159a (BSD-3-Clause), names and addresses
changed there.
"""

from pathlib import Path

import pytest

from purple.domain.observations import FlawClass, ObservationKind
from purple.domain.severity import Severity
from purple.tools.openvas.parser import parse
from tests.support import hostile
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
MANY = (SAMPLES / "gmp-9.0-metasploitable.xml").read_bytes()
ONE = (SAMPLES / "gmp-22.6-windows.xml").read_bytes()


def test_a_result_of_the_present_version() -> None:
    (host, seen), error = read(parse, ONE)
    assert error is None
    assert (host.kind, host.location.host, host.attributes) == (
        ObservationKind.HOST,
        "10.99.99.99",
        {"name": "server99"},
    )
    assert seen.title == "Microsoft Windows Multiple Vulnerabilities (KB5062557)"
    assert (seen.location.host, seen.location.port, seen.location.transport) == ("10.99.99.99", 42, "tcp")
    assert (seen.severity, seen.cvss_score) == (Severity.CRITICAL, 9.8)
    assert seen.cvss_vector == "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    assert len(seen.cve) > 50
    assert seen.attributes["check"] == seen.rule.removeprefix("openvas:") == "1.3.6.1.4.1.25623.1.0.836484"
    assert seen.remediation.startswith("The vendor has released updates.")
    assert seen.confidence == 0.8


def test_many_results_of_one_host() -> None:
    found, error = read(parse, MANY)
    assert error is None
    flaws = [each for each in found if each.flaw_class]
    assert (len(found), len(flaws)) == (45, 44)
    rexec = flaws[0]
    assert (rexec.title, rexec.location.port) == ("The rexec service is running", 512)
    assert (rexec.cve, rexec.flaw_class, rexec.confidence) == (("CVE-1999-0618",), FlawClass.COMPONENT, 0.8)
    assert rexec.evidence == "The rexec service was detected on the target system."


def test_an_answer_of_gmp_is_a_report_too() -> None:
    body = ONE[ONE.index(b"<report ") :]
    found, error = read(parse, b"<get_reports_response status='200'>" + body.strip() + b"</get_reports_response>")
    assert error is None
    assert len(found) == 2


@pytest.mark.parametrize("severity", [b"-1.0", b"-3.0"])
def test_false_positives_and_errors_are_no_flaws(severity: bytes) -> None:
    changed = ONE.replace(b"<severity>9.8</severity>", b"<severity>%b</severity>" % severity)
    found, error = read(parse, changed)
    assert error is None
    assert [each.kind for each in found] == [ObservationKind.HOST]


@pytest.mark.parametrize("status", [b"Running", b"Interrupted", b"Stopped"])
def test_a_scan_that_was_not_done_is_not_complete(status: bytes) -> None:
    found, error = read(parse, ONE.replace(b">Done<", b">%b<" % status))
    assert len(found) == 2
    assert status.decode() in str(error)


def test_a_host_without_results_is_seen() -> None:
    report = b"<report><report><results/><host><ip>192.0.2.4</ip></host></report></report>"
    (host,), error = read(parse, report)
    assert error is None
    assert host.location.host == "192.0.2.4"


def test_a_port_as_old_versions_write_it() -> None:
    found, _ = read(parse, ONE.replace(b"<port>42/tcp</port>", b"<port>https (443/tcp)</port>"))
    assert found[1].location.port == 443
    found, _ = read(parse, ONE.replace(b"<port>42/tcp</port>", b"<port>general/tcp</port>"))
    assert (found[1].location.port, found[1].location.transport) == (0, "tcp")


def test_it_survives_whatever_comes() -> None:
    hostile.survives_damage(parse, ONE)
    hostile.keeps_what_came_before(parse, MANY)
    hostile.refuses_entities(parse, "report")


def test_something_else_is_refused() -> None:
    for other in (b"<issues/>", b"<report>", b"[]"):
        assert read(parse, other)[1] is not None


def test_memory_is_flat() -> None:
    body = MANY[MANY.index(b"<result id") : MANY.index(b"</result>") + 9]
    hostile.stays_flat(parse, b"<report><report><results>", body, b"</results></report></report>")
