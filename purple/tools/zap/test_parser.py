"""ZAP's reports.

Samples: `zap-2.9.0.xml` and `zap-2.16.1-requests.xml` are DefectDojo/django-DefectDojo
`unittests/scans/zap/some_2.9.0.xml` and `zap_2.16.1_with_req_resp.xml` at 7cfa159a (BSD-3-Clause), the names of sites
changed there. `zap-2.17.0-juice-shop.json` is what ZAP 2.17.0 wrote of OWASP Juice Shop on 2026-02-25, as a public
repository prints it; of seven alerts four are kept, with fewer instances.
"""

import json
from pathlib import Path

import pytest

from purple.domain.severity import Severity
from purple.tools.zap.parser import MAX_INSTANCES, parse
from tests.support import hostile
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
OLD = (SAMPLES / "zap-2.9.0.xml").read_bytes()
REQUESTS = (SAMPLES / "zap-2.16.1-requests.xml").read_bytes()
JSON = (SAMPLES / "zap-2.17.0-juice-shop.json").read_bytes()


def test_each_instance_is_a_flaw_at_its_url_and_parameter() -> None:
    found, error = read(parse, OLD)
    assert error is None
    assert len(found) == OLD.count(b"<instance>") == 17
    first = found[0]
    assert (first.rule, first.weakness, first.cwe) == ("zap:10011", "cookie-without-secure", (614,))
    assert (first.severity, first.confidence) == (Severity.LOW, 0.7)
    assert (first.location.host, first.location.port, first.location.parameter) == ("mainsite.com", 443, "opvc")
    assert first.evidence == "evidence: Set-Cookie: opvc"
    assert first.description.startswith("A cookie has been set without the secure flag")
    assert "<p>" not in first.remediation
    assert first.references == ("http://www.owasp.org/index.php/Testing_for_cookies_attributes_(OWASP-SM-002",)


def test_requests_and_responses_are_no_evidence_and_a_missing_cwe_is_none() -> None:
    found, error = read(parse, REQUESTS)
    assert error is None
    assert len(found) == 13
    assert {each.cwe for each in found} >= {()}
    assert "POST" in {each.location.method for each in found}
    assert not any("user-agent" in each.evidence for each in found)


def test_json_says_the_same_in_other_words() -> None:
    found, error = read(parse, JSON)
    assert error is None
    assert [(each.rule, each.location.url) for each in found[:2]] == [
        ("zap:10038-1", "http://host.docker.internal:8080"),
        ("zap:10038-1", "http://host.docker.internal:8080/"),
    ]
    assert {each.weakness for each in found} == {"header-missing-csp", "plaintext-http", ""}
    assert {each.severity for each in found} == {Severity.MEDIUM, Severity.LOW}


def test_a_false_positive_is_no_flaw_and_an_unknown_risk_is_told() -> None:
    found, error = read(parse, JSON.replace(b'"confidence": "3"', b'"confidence": "0"'))
    assert error is None
    assert "zap:10038-1" not in {each.rule for each in found}
    found, error = read(parse, JSON.replace(b'"riskcode": "1"', b'"riskcode": "9"'))
    assert {each.rule for each in found} == {"zap:10038-1", "zap:10106"}
    assert "2 alerts" in str(error)


def test_a_site_without_alerts_is_clean_and_anything_else_no_report() -> None:
    assert read(parse, b'{"site": [{"@name": "x", "alerts": []}]}') == ([], None)
    assert read(parse, b'<OWASPZAPReport><site host="x"><alerts></alerts></site></OWASPZAPReport>') == ([], None)
    for other in (b'{"runs": []}', b"<issues/>"):
        assert read(parse, other)[1] is not None


def test_an_alert_with_too_many_instances_is_cut_and_says_so() -> None:
    report = json.loads(JSON)
    alert = report["site"][1]["alerts"][1]
    alert["instances"] *= MAX_INSTANCES + 1
    report["site"][1]["alerts"] = [alert]
    found, error = read(parse, json.dumps(report).encode())
    assert len(found) == MAX_INSTANCES
    assert "1 alerts are cut" in str(error)


@pytest.mark.parametrize("sample", [OLD, JSON])
def test_it_survives_whatever_comes(sample: bytes) -> None:
    hostile.survives_damage(parse, sample)
    hostile.keeps_what_came_before(parse, sample)
    hostile.refuses_entities(parse, "OWASPZAPReport")


def test_memory_is_flat() -> None:
    body = OLD[OLD.index(b"<alertitem>") : OLD.index(b"</alertitem>") + 12]
    hostile.stays_flat(parse, b"<OWASPZAPReport><site><alerts>", body, b"</alerts></site></OWASPZAPReport>")
    alert = json.dumps(json.loads(JSON)["site"][1]["alerts"][1]).encode()
    hostile.stays_flat(parse, b'{"site": [{"alerts": [' + alert, b"," + alert, b"]}]}")
