"""Burp's exports.

Samples: `burp-2020.12.1.xml` and `burp-1.6.05-bodgeit.xml` are DefectDojo/django-DefectDojo
`unittests/scans/burp/one_finding_with_cwe.xml` and `one_finding.xml` at 7cfa159a (BSD-3-Clause).
"""

from pathlib import Path

import pytest

from purple.domain.observations import MAX_TEXT, FlawClass
from purple.domain.severity import Severity
from purple.tools.burp.parser import parse
from tests.support import hostile
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
ONE = (SAMPLES / "burp-2020.12.1.xml").read_bytes()
THREE = (SAMPLES / "burp-1.6.05-bodgeit.xml").read_bytes()


def test_an_issue_is_a_flaw_with_its_cwe_and_its_request() -> None:
    (seen,), error = read(parse, ONE)
    assert error is None
    assert (seen.rule, seen.title, seen.cwe) == ("burp:7340288", "Cacheable HTTPS response", (524, 525))
    assert (seen.severity, seen.confidence, seen.flaw_class) == (Severity.INFO, 1.0, FlawClass.ENDPOINT)
    place = seen.location
    assert (place.host, place.port, place.method) == ("example.com", 443, "GET")
    assert place.url == "https://example.com/test/v4/public/users/fake"
    assert seen.evidence.startswith("GET /test/v4/public/users/fake HTTP/1.1\nHost: exemple.com")
    assert "Cache-control: no-store" in seen.remediation
    assert "<" not in seen.description + seen.remediation


def test_the_parameter_is_in_the_location_and_the_name_is_a_weakness() -> None:
    found, error = read(parse, THREE)
    assert error is None
    assert [(each.weakness, each.location.parameter, each.confidence) for each in found] == [
        ("sql-injection", "b_id", 0.8),
        ("sql-injection", "password", 0.5),
        ("sql-injection", "username", 0.5),
    ]


def test_a_false_positive_is_no_flaw_and_an_unknown_severity_is_told() -> None:
    assert read(parse, ONE.replace(b"<severity>Information", b"<severity>False positive")) == ([], None)
    found, error = read(parse, ONE.replace(b"<severity>Information", b"<severity>Terrible"))
    assert found == []
    assert "1 issues" in str(error)


def test_extensions_share_a_type_and_are_told_apart_by_name() -> None:
    (seen,), _ = read(parse, ONE.replace(b"7340288", b"134217728"))
    assert seen.rule == "burp:134217728:Cacheable HTTPS response"


def test_a_body_is_bounded_however_large_and_odd_base64_is_none() -> None:
    large = ONE.replace(b"R0VUIC90ZXN0", b"R0VUIC90ZXN0" * 200_000)
    (seen,), error = read(parse, large)
    assert error is None
    assert 0 < len(seen.evidence) <= MAX_TEXT
    (seen,), error = read(parse, ONE.replace(b"R0VUIC90", b"\xc3\xa9\xc3\xa9=="))
    assert error is None


def test_it_survives_whatever_comes() -> None:
    hostile.survives_damage(parse, THREE)
    hostile.keeps_what_came_before(parse, THREE)
    hostile.refuses_entities(parse, "issues")


@pytest.mark.parametrize("other", [b"<report/>", b"<issues>", b"{}"])
def test_something_else_is_refused(other: bytes) -> None:
    assert read(parse, other)[1] is not None


def test_memory_is_flat() -> None:
    body = ONE[ONE.index(b"<issue>") : ONE.index(b"</issue>") + 8]
    hostile.stays_flat(parse, b'<issues burpVersion="2020.12.1">', body, b"</issues>")
