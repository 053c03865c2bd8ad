"""Trivy's JSON, as Trivy 0.59.1 wrote it about a part of the planted repository of the tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.trivy.adapter import Options, command
from purple.tools.trivy.parser import parse
from tests.support.parsers import check_damage, check_types, read

SAMPLE = (Path(__file__).parent / "samples/trivy-0.59.1-planted-repository.json").read_bytes()
"""`trivy filesystem --scanners vuln,misconfig,secret --format json --offline-scan --skip-db-update`, on `deploy`,
`config`, `requirements.txt` and `Dockerfile` of the planted code, with the key still in its file. Its database was made
for this and holds one advisory, that of `tests/support/advisories.py`; its checks are those in the program."""


def test_the_real_output_gives_vulnerabilities_misconfigurations_and_secrets() -> None:
    found, error = read(parse, SAMPLE)
    assert error is None
    assert [(each.rule, each.severity, each.location.path, each.location.line) for each in found] == [
        ("advisory:CVE-2026-10001", Severity.CRITICAL, "requirements.txt", 0),
        ("trivy:AVD-DS-0001", Severity.MEDIUM, "Dockerfile", 1),
        ("trivy:AVD-DS-0002", Severity.HIGH, "Dockerfile", 4),
        ("trivy:AVD-DS-0017", Severity.HIGH, "Dockerfile", 3),
        ("trivy:AVD-DS-0026", Severity.LOW, "Dockerfile", 0),
        ("trivy:AVD-AWS-0107", Severity.HIGH, "deploy/main.tf", 9),
        ("trivy:github-pat", Severity.CRITICAL, "config/deploy.ini", 1),
        ("trivy:aws-access-key-id", Severity.CRITICAL, "config/settings.ini", 2),
    ]
    package = found[0]
    assert (package.flaw_class, package.cve, package.cwe) == (FlawClass.COMPONENT, ("CVE-2026-10001",), (94,))
    assert package.attributes == {"package": "pypi/jinja2", "version": "2.4.1"}
    assert (package.cvss_score, package.remediation) == (9.8, "Use jinja2 2.11.3 or newer.")
    assert found[5].location.parameter == "aws_security_group.open"
    assert "\x1b" not in repr(found), "Trivy's colours are left out"
    assert found[7].evidence == "key = ********************"


def changed(**parts: Any) -> bytes:
    document = json.loads(SAMPLE)
    document["Results"][0] |= parts
    return json.dumps(document).encode()


def test_a_package_of_the_system_is_in_no_file() -> None:
    vulnerability = json.loads(SAMPLE)["Results"][0]["Vulnerabilities"][0] | {"PkgName": "musl"}
    data = changed(
        Target="alpine:3.10 (alpine 3.10.2)", Class="os-pkgs", Type="alpine", Vulnerabilities=[vulnerability]
    )
    found, _ = read(parse, data)
    assert (found[0].location.path, found[0].attributes["package"]) == ("", "alpine/musl")


def test_what_a_check_passed_is_no_flaw() -> None:
    document = json.loads(SAMPLE)
    document["Results"][1]["Misconfigurations"][0]["Status"] = "PASS"
    assert len(read(parse, json.dumps(document).encode())[0]) == 7


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"SchemaVersion": 1, "Results": []}', b"no JSON"])
def test_what_is_no_report_is_no_clean_result(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


def test_a_report_without_results_is_clean() -> None:
    assert read(parse, b'{"SchemaVersion": 2, "ArtifactName": "repository"}') == ([], None)


def test_damage_is_survived() -> None:
    check_damage(parse, SAMPLE, 40)
    check_types(parse, SAMPLE, 120)


def test_an_image_comes_from_its_registry_and_never_becomes_a_flag() -> None:
    target = ToolTarget("--config=/etc/passwd", "", kind="image")
    arguments = command(ToolJob("trivy", target, {}, 60, Path("/nowhere")), Options(update=False)).arguments
    assert arguments[:3] == ("image", "--image-src", "remote")
    assert arguments[-2:] == ("--", target.host)
    assert "--skip-db-update" in arguments


def test_of_a_repository_the_fetched_code_is_looked_at_and_no_module_of_terraform_is_fetched() -> None:
    target = ToolTarget("--config=/etc/passwd", "", kind="repository")
    arguments = command(ToolJob("trivy", target, {}, 60, Path("/nowhere")), Options()).arguments
    assert (arguments[0], arguments[-1]) == ("filesystem", "repository")
    assert "terraform" not in arguments[arguments.index("--misconfig-scanners") + 1]
    assert target.host not in arguments
