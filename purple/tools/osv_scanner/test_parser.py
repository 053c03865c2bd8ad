"""OSV-Scanner's JSON, as OSV-Scanner 1.9.2 wrote it about the planted repository of the tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.osv_scanner.adapter import Options, command
from purple.tools.osv_scanner.parser import parse
from tests.support.parsers import check_damage, check_types, read

SAMPLE = (Path(__file__).parent / "samples/osv-scanner-1.9.2-made-advisory.json").read_bytes()
"""`osv-scanner scan --recursive --experimental-offline --format=json`, with an archive of the advisory of
`tests/support/advisories.py`; the work folder's name is changed."""


def test_a_vulnerability_is_of_a_package_and_is_named_by_its_cve() -> None:
    (found,), error = read(parse, SAMPLE)
    assert error is None
    assert (found.flaw_class, found.severity, found.cve, found.cwe) == (
        FlawClass.COMPONENT,
        Severity.CRITICAL,
        ("CVE-2026-10001",),
        (94,),
    )
    assert (found.cvss_score, found.cvss_vector) == (9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    assert found.title == "jinja2 2.4.1: A made flaw of templates"
    assert found.location.path == "requirements.txt"
    assert found.remediation == "Use jinja2 2.11.3 or newer."
    assert found.references == ("https://advisories.purple.test/1",)


def changed(**parts: Any) -> bytes:
    document = json.loads(SAMPLE)
    document["results"][0]["packages"][0] |= parts
    return json.dumps(document).encode()


def test_two_names_of_one_flaw_are_one_and_without_a_score_it_is_of_medium_severity() -> None:
    groups = [{"ids": ["PYSEC-2026-1", "GHSA-2222-3333-4444"], "aliases": ["CVE-2026-10001"], "max_severity": ""}]
    (found,), _ = read(parse, changed(groups=groups))
    assert (found.rule, found.severity, found.cvss_score) == ("advisory:CVE-2026-10001", Severity.MEDIUM, 0.0)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"No package sources found"])
def test_what_is_no_report_is_no_clean_result(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


def test_a_report_without_results_is_clean() -> None:
    assert read(parse, b'{"results": []}') == ([], None)


def test_damage_is_survived() -> None:
    check_damage(parse, SAMPLE)
    check_types(parse, SAMPLE)


@pytest.mark.parametrize("offline", [True, False])
def test_nothing_is_built_or_resolved_and_no_configuration_of_the_code_counts(offline: bool) -> None:
    target = ToolTarget("--config=/etc/passwd", "", kind="repository")
    arguments = command(ToolJob("osv-scanner", target, {}, 60, Path("/nowhere")), Options(offline=offline)).arguments
    assert {"--no-call-analysis=all", "--experimental-no-resolve", "--config"} <= {*arguments}
    assert ("--experimental-offline" in arguments) is offline
    assert arguments[-1] == "repository"
    assert target.host not in arguments
