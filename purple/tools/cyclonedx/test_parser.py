"""CycloneDX with vulnerabilities.

Samples, all of DefectDojo/django-DefectDojo `unittests/scans/cyclonedx/` at 7cfa159a (BSD-3-Clause):
`grype-0.41.0-log4j.json` and `.xml` are `log4j.json` and `log4j.xml`, which Grype 0.41.0 wrote;
`made-by-cyclonedx-1.4.json` and `made-by-cyclonedx-extension-1.0.xml` are `valid-vulnerability-1.4.json` and
`spec1.xml`, examples that the standard gives.
"""

import json
from pathlib import Path

import pytest

from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.tools.cyclonedx.parser import parse
from tests.support import hostile
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
JSON = (SAMPLES / "grype-0.41.0-log4j.json").read_bytes()
XML = (SAMPLES / "grype-0.41.0-log4j.xml").read_bytes()
EXAMPLE = (SAMPLES / "made-by-cyclonedx-1.4.json").read_bytes()
EXTENSION = (SAMPLES / "made-by-cyclonedx-extension-1.0.xml").read_bytes()


@pytest.mark.parametrize("sample", [JSON, XML])
def test_both_forms_say_the_same(sample: bytes) -> None:
    found, error = read(parse, sample)
    assert error is None
    assert len(found) == 8
    assert {each.severity for each in found} == {Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM}
    assert {each.flaw_class for each in found} == {FlawClass.COMPONENT}
    assert {each.location.host for each in found} == {""}
    assert {each.attributes["component"] for each in found} == {"pkg:maven/org.apache.logging.log4j/log4j-core"}
    known = {cve for each in found for cve in each.cve}
    assert "CVE-2021-44228" in known
    assert all(each.title.endswith("log4j-core@2.13.2") for each in found)


def test_the_extension_of_old_versions() -> None:
    (seen,), error = read(parse, EXTENSION)
    assert error is None
    assert (seen.cve, seen.cwe, seen.severity) == (("CVE-2018-7489",), (184, 502), Severity.CRITICAL)
    assert (seen.cvss_score, seen.cvss_vector) == (9.8, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    assert seen.location.path == "pkg:maven/com.fasterxml.jackson.core/jackson-databind@2.9.9"
    assert seen.remediation == "Upgrade"


def test_what_does_not_affect_is_no_flaw_and_what_does_is_one() -> None:
    assert read(parse, EXAMPLE) == ([], None)
    (seen,), error = read(parse, EXAMPLE.replace(b'"not_affected"', b'"exploitable"'))
    assert error is None
    assert (seen.rule, seen.cve) == ("cyclonedx:SNYK-JAVA-COMFASTERXMLJACKSONCORE-32111", ("CVE-2018-7489",))
    assert seen.cwe == (184, 502)
    assert seen.location.path == "pkg:maven/com.fasterxml.jackson.core/jackson-databind@2.9.4"


def test_the_rating_of_its_own_source_counts_else_the_worst() -> None:
    document = json.loads(EXAMPLE)
    entry = document["vulnerabilities"][0]
    del entry["analysis"]
    entry["ratings"] = [
        {"source": {"name": "NVD"}, "severity": "critical"},
        {"source": {"name": "Snyk"}, "score": 5.0},
    ]
    assert read(parse, json.dumps(document).encode())[0][0].severity is Severity.MEDIUM
    entry["source"]["name"] = "somebody"
    assert read(parse, json.dumps(document).encode())[0][0].severity is Severity.CRITICAL
    entry["ratings"] = []
    assert read(parse, json.dumps(document).encode())[0][0].severity is Severity.MEDIUM


def test_a_component_of_a_component_has_its_name_wherever_it_stands() -> None:
    inner = {"bom-ref": "one", "name": "inner", "version": "1"}
    document = {
        "vulnerabilities": [{"id": "CVE-2020-0001", "affects": [{"ref": "one"}, {"ref": "two"}]}],
        "components": [{"name": "outer", "components": [inner]}, {"bom-ref": "two", "purl": "pkg:npm/two@2?x=y"}],
        "bomFormat": "CycloneDX",
    }
    found, error = read(parse, json.dumps(document).encode())
    assert error is None
    assert [each.location.path for each in found] == ["inner@1", "pkg:npm/two@2?x=y"]
    assert [each.attributes["component"] for each in found] == ["inner", "pkg:npm/two"]


def test_entries_that_are_none_are_told_and_others_read() -> None:
    document = json.loads(JSON)
    document["vulnerabilities"][:0] = [None, 7, {"ratings": 5}, {"id": "x", "affects": "y"}]
    found, error = read(parse, json.dumps(document).encode())
    assert len(found) == 8
    assert "4 vulnerabilities" in str(error)


@pytest.mark.parametrize("sample", [JSON, XML])
def test_it_survives_whatever_comes(sample: bytes) -> None:
    hostile.survives_damage(parse, sample, 80)
    hostile.keeps_what_came_before(parse, sample)
    hostile.refuses_entities(parse, "bom")


@pytest.mark.parametrize("other", [b'{"bomFormat": "SPDX"}', b"{}", b"<bomb/>", b""])
def test_something_else_is_refused(other: bytes) -> None:
    assert read(parse, other)[1] is not None


def test_memory_is_flat() -> None:
    entry = json.dumps(json.loads(JSON)["vulnerabilities"][0]).encode()
    head = b'{"bomFormat": "CycloneDX", "vulnerabilities": [' + entry
    hostile.stays_flat(parse, head, b"," + entry, b"]}")
    body = XML[XML.index(b"<vulnerability>") : XML.index(b"</vulnerability>") + 16]
    hostile.stays_flat(parse, b"<bom><vulnerabilities>", body, b"</vulnerabilities></bom>")
