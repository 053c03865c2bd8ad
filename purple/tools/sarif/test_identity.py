"""By what results of SARIF are known again: two made files, and real ones beside the reports of the same tools."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from purple.domain.fingerprints import fingerprint
from purple.domain.observations import FlawClass, Observation
from purple.toolkit.advisories import Advisory
from purple.toolkit.tools.plugins import load_plugins
from purple.tools.sarif.parser import parse
from tests.support.parsers import check_damage, check_types, read

SAMPLES = Path(__file__).parent / "samples"
CODEQL = (SAMPLES / "made-codeql.sarif").read_bytes()
"""Made in the shape of CodeQL 2.20, rules grouped by pack: two results of one rule in one file, and one with code."""
GRYPE = (SAMPLES / "made-grype.sarif").read_bytes()
"""Made in the shape of Grype 0.87: one CVE of two packages in one pom.xml, and an advisory without a CVE."""
HELD_OUT = Path(__file__).resolve().parents[3] / "bench/held_out"
TARGET = UUID(int=1)
PLUGINS = load_plugins()


def known(tool: str, seen: Observation) -> str:
    return fingerprint(TARGET, seen, PLUGINS[tool].spec.fingerprint_fields)


def changed(data: bytes, which: int = 0, **parts: Any) -> bytes:
    """The file with other fields of one of its results."""
    document = json.loads(data)
    document["runs"][0]["results"][which] |= parts
    return json.dumps(document).encode()


def test_results_of_one_rule_in_one_file_are_two_flaws_and_stay_them_where_lines_move() -> None:
    found, error = read(parse, CODEQL)
    assert error is None
    assert len({known("sarif", each) for each in found}) == len(found) == 4
    assert [each.location.line for each in found[:2]] == [10, 200]
    assert (found[0].cwe, found[3].cwe, str(found[0].severity)) == ((89,), (79, 116), "high")
    document = json.loads(CODEQL)
    for each in document["runs"][0]["results"]:
        each["locations"][0]["physicalLocation"]["region"]["startLine"] += 7
    moved, _ = read(parse, json.dumps(document).encode())
    assert [known("sarif", each) for each in moved] == [known("sarif", each) for each in found]


def test_what_its_tool_calls_a_fingerprint_stands_over_what_it_calls_a_part_of_one() -> None:
    whole, _ = read(parse, changed(CODEQL, fingerprints={"id/v1": "a"}))
    other, _ = read(parse, changed(CODEQL, fingerprints={"id/v1": "b"}, partialFingerprints={}))
    nothing, _ = read(parse, changed(CODEQL, fingerprints={"id/v1": "requires login"}))
    assert len({each[0].attributes["fingerprint"] for each in (whole, other, nothing)}) == 3
    assert nothing[0].attributes == read(parse, CODEQL)[0][0].attributes


def test_the_same_code_is_one_flaw_whichever_tool_or_format_tells_of_it() -> None:
    """CodeQL's query is Semgrep's of the same line."""
    file = (HELD_OUT / "semgrep/semgrep-1.185.0-second-repository.sarif").read_bytes()
    own = PLUGINS["semgrep"]
    native, brought = read(own.parser.parse, file)[0], read(parse, file)[0]
    assert len(native) == 13
    assert [known("semgrep", each) for each in native] == [known("sarif", each) for each in brought]
    assert known("sarif", read(parse, CODEQL)[0][2]) in {known("semgrep", each) for each in native}


def test_a_line_of_bandit_is_one_flaw_in_its_own_format_and_in_this() -> None:
    (result, *_), _ = read(parse, (SAMPLES / "bandit-1.9.4-made-repository.sarif").read_bytes())
    entry = {
        "test_id": "B324", "test_name": "hashlib", "issue_text": "weak", "issue_severity": "HIGH",
        "issue_confidence": "HIGH", "filename": "repository/app/crypto.py", "line_number": 5, "line_range": [5],
        "code": "4 def digest(text):\n5     return hashlib.md5(text.encode()).hexdigest()\n6 \n",
    }  # fmt: skip
    report = json.dumps({"errors": [], "metrics": {"_totals": {}}, "results": [entry]}).encode()
    (own,), _ = read(PLUGINS["bandit"].parser.parse, report)
    assert known("bandit", own) == known("sarif", result)


def test_a_vulnerable_package_is_told_apart_by_its_name_and_met_by_tools_that_know_it() -> None:
    found, error = read(parse, GRYPE)
    assert error is None
    assert [(each.rule, each.cve, each.attributes["package"]) for each in found] == [
        ("advisory:CVE-2021-45105", ("CVE-2021-45105",), "maven/org.apache.logging.log4j:log4j-core"),
        ("advisory:CVE-2021-45105", ("CVE-2021-45105",), "maven/org.apache.logging.log4j:log4j-api"),
        ("advisory:GHSA-35jh-r3h4-6jhm", (), "npm/lodash"),
    ]
    assert {each.flaw_class for each in found} == {FlawClass.COMPONENT}
    assert len({known("sarif", each) for each in found}) == 3
    name = "org.apache.logging.log4j:log4j-core"
    own = Advisory(ecosystem="Maven", name=name, version="2.16.0", ids=("CVE-2021-45105",), path="pom.xml").seen()
    assert known("osv-scanner", own) == known("sarif", found[0])


MESSAGES = [
    ("Package: jinja2\nInstalled Version: 2.4.1\nVulnerability CVE-2024-1", "pypi/jinja2"),
    ("Package 'Jinja2@2.4.1' is vulnerable to 'CVE-2024-1' (also known as 'GHSA-cpwx-vrp4-4pq7').", "pypi/jinja2"),
    ("A high vulnerability in python package: Jinja2, version 2.4.1 was found at: /poetry.lock", "pypi/jinja2"),
]


@pytest.mark.parametrize(("message", "package"), MESSAGES)
def test_scanners_of_packages_name_them_in_their_messages(message: str, package: str) -> None:
    place = [{"physicalLocation": {"artifactLocation": {"uri": "poetry.lock"}, "region": {"startLine": 1}}}]
    file = changed(GRYPE, ruleId="CVE-2024-1-Jinja2", message={"text": message}, locations=place)
    seen = read(parse, file)[0][0]
    assert (seen.attributes["package"], seen.attributes["version"]) == (package, "2.4.1")
    assert seen.evidence.startswith("pypi/jinja2 2.4.1")


TOLD = [
    ({"taxa": [{"id": "611", "toolComponent": {"name": "CWE"}}]}, (89, 611)),
    ({"taxa": [{"id": "611", "toolComponent": {"name": "OWASP"}}, "611"]}, (89,)),
    ({"properties": {"tags": ["CWE-79: Cross-site scripting", "external/cwe/cwe-022"]}}, (89, 79, 22)),
    ({"properties": {"cwe": "CWE-79"}}, (89, 79)),
]


@pytest.mark.parametrize(("parts", "cwe"), TOLD)
def test_weaknesses_stand_where_the_standard_and_the_tools_put_them(parts: dict[str, Any], cwe: tuple[int]) -> None:
    assert read(parse, changed(CODEQL, **parts))[0][0].cwe == cwe


def test_a_rule_may_relate_to_a_weakness() -> None:
    document = json.loads(CODEQL)
    rule = document["runs"][0]["tool"]["extensions"][0]["rules"][0]
    rule["relationships"] = [{"target": {"id": "CWE-943", "toolComponent": {"name": "cwe"}}, "kinds": ["superset"]}]
    assert read(parse, json.dumps(document).encode())[0][0].cwe == (89, 943)


def test_secrets_are_told_apart_unless_they_are_masked() -> None:
    file = (SAMPLES / "gitleaks-8.30.1-made-repository.sarif").read_bytes()
    assert {*(repr(each.attributes) for each in read(parse, file)[0])} == {"{}"}
    one, other = (read(parse, file.replace(b"REDACTED", each))[0][0] for each in (b"AKIA-one", b"AKIA-other"))
    assert known("sarif", one) != known("sarif", other)
    commits = (changed(file, partialFingerprints={"commitSha": each}) for each in "ab")
    assert len({known("sarif", read(parse, each)[0][0]) for each in commits}) == 2


@pytest.mark.parametrize("data", [CODEQL, GRYPE])
def test_damage_is_survived(data: bytes) -> None:
    check_damage(parse, data, 40)
    check_types(parse, data, 100)
