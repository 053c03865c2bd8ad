"""pip-audit's JSON, as pip-audit 2.10.1 wrote it, and the list that it is given in place of a project's files."""

import json
from pathlib import Path
from typing import Any

import pytest

from purple.domain.observations import FlawClass
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.pip_audit.adapter import Options, command
from purple.tools.pip_audit.parser import parse
from purple.tools.pip_audit.requirements import listed
from tests.support.parsers import check_damage, check_types, read

SAMPLES = Path(__file__).parent / "samples"
FOUND = (SAMPLES / "pip-audit-2.10.1-made-advisory.json").read_bytes()
"""`--requirement FILE --no-deps --disable-pip --format=json`, with the advisory of `tests/support/advisories.py` that a
server of the test answered with."""
SKIPPED = (SAMPLES / "pip-audit-2.10.1-not-found-on-pypi.json").read_bytes()
"""The same with PyPI's own service, from a mirror that has no advisories: pip-audit ended with 0 and said that it found
no known vulnerabilities."""


def test_a_vulnerability_is_of_a_package_and_is_named_by_its_cve() -> None:
    (found,), error = read(parse, FOUND)
    assert error is None
    assert (found.flaw_class, found.cve, found.rule) == (
        FlawClass.COMPONENT,
        ("CVE-2026-10001",),
        "advisory:CVE-2026-10001",
    )
    assert found.title == "jinja2 2.4.1: A made flaw of templates"
    assert found.attributes == {"package": "pypi/jinja2", "version": "2.4.1"}
    assert found.remediation == "Use jinja2 2.11.3 or newer."
    assert "GHSA-2222-3333-4444" in found.evidence


def test_a_skipped_package_is_no_clean_result() -> None:
    found, error = read(parse, SKIPPED)
    assert found == []
    assert "1 packages were not assessed: jinja2" in str(error)


def changed(**parts: Any) -> bytes:
    document = json.loads(FOUND)
    document["dependencies"][1]["vulns"][0] |= parts
    return json.dumps(document).encode()


def test_without_a_cve_the_github_advisory_names_it() -> None:
    (found,), _ = read(parse, changed(id="PYSEC-2026-1", aliases=["GHSA-2222-3333-4444"]))
    assert (found.rule, found.cve) == ("advisory:GHSA-2222-3333-4444", ())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"No known vulnerabilities found"])
def test_what_is_no_report_is_no_clean_result(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


def test_a_report_of_no_packages_is_clean() -> None:
    assert read(parse, b'{"dependencies": [], "fixes": []}') == ([], None)


def test_damage_is_survived() -> None:
    check_damage(parse, FOUND)
    check_types(parse, FOUND)


HOSTILE = """jinja2==2.4.1 ; python_version < '3'
Flask>=2
-r /etc/passwd
-r dev/requirements-dev.txt
--index-url http://evil.purple.test
-e .
left @ git+https://evil.purple.test/x
idna[all] == 3.10 \\
   --hash=sha256:abc # a comment
x==1.*
bad==abc
--requirement=../requirements.txt
https://evil.purple.test/y.whl
"""


def test_only_names_and_versions_are_given_and_the_rest_is_said_not_to_be_assessed(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "requirements.txt").write_text(HOSTILE)
    (tmp_path / "dev/requirements-dev.txt").write_text("Jinja2==3.0\nflask==2.0\n")
    lines = listed(tmp_path)
    assert {line for line in lines if "==" in line} == {"flask==2.0", "idna==3.10", "jinja2==2.4.1", "Jinja2==3.0"}
    assert {line.partition(" @ ")[0].lower() for line in lines if "==" not in line} == {
        "flask",
        "x",
        "bad",
        "requirements-elsewhere",
        "requirements-by-address",
    }
    spelled = [line.partition("==")[0].partition(" @ ")[0] for line in lines]
    assert len(set(spelled)) == len(spelled), "pip-audit refuses one spelling with two versions"
    assert not [line for line in lines if line.startswith("-") or "evil" in line or "/etc" in line]


def test_what_is_too_much_is_said_not_to_be_assessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purple.tools.pip_audit.requirements.MAX_FILES", 2)
    monkeypatch.setattr("purple.tools.pip_audit.requirements.MAX_BYTES", 10)
    for name, text in {"1": "a==1\n", "2": "b==1\n" * 9, "3": "c==1\n"}.items():
        (tmp_path / f"requirements-{name}.txt").write_text(text)
    assert [line.partition(" @ ")[0] for line in listed(tmp_path)] == [
        "a==1",
        "a-file-that-is-too-large",
        "files-that-are-too-many",
    ]


def test_no_pip_is_run_and_an_empty_project_does_not_audit_the_tool_itself(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    target = ToolTarget("--index-url=x", "", kind="repository")
    arguments = command(ToolJob("pip-audit", target, {}, 60, tmp_path), Options()).arguments
    assert {"--no-deps", "--disable-pip"} <= {*arguments}
    assert arguments[:2] == ("--requirement", "pinned.txt")
    assert (tmp_path / "pinned.txt").read_text() == ""
    assert target.host not in arguments
