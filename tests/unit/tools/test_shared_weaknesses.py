"""Sightings of one flaw by different tools are one vulnerability: the lab's real samples have one fingerprint."""

from importlib import import_module
from pathlib import Path
from uuid import UUID

import pytest

from purple.domain.fingerprints import fingerprint
from purple.domain.observations import ObservationKind
from purple.toolkit.tools.plugins import load_plugins

TARGET = UUID("00000000-0000-0000-0000-000000000001")
TOOLS = Path(__file__).resolve().parents[3] / "purple/tools"


def fingerprints(tool: str, sample: str) -> dict[str, str]:
    """Of each shared weakness that the tool saw, by its name and file."""
    plugin = load_plugins()[tool]
    with (plugin.folder / "samples" / sample).open("rb") as stream:
        return {
            f"{seen.weakness} {seen.location.path}".strip(): fingerprint(TARGET, seen, plugin.spec.fingerprint_fields)
            for seen in plugin.parser.parse(stream)
            if seen.kind is ObservationKind.FLAW and seen.weakness
        }


TLS = {"tls-protocol-obsolete", "tls-cipher-weak", "tls-key-short", "tls-certificate-untrusted"}
PAIRS = [
    (("sslyze", "sslyze-6.3.1-lab-nginx.json"), ("sslscan", "sslscan-2.0.7-lab-nginx.xml"), TLS),
    (
        ("wapiti", "wapiti-3.2.3-lab-webapp.json"),
        ("whatweb", "whatweb-0.5.5-lab-webapp.json"),
        {"cookie-without-httponly"},
    ),
    (
        ("bandit", "bandit-1.9.4-planted-repository.json"),
        ("semgrep", "semgrep-1.185.0-planted-repository.sarif"),
        {
            "sql-injection app/views.py",
            "command-execution app/views.py",
            "command-execution .github/check.py",
            "broken-hash app/views.py",
            "unsafe-deserialisation app/views.py",
            "code-execution app/server.py",
            "certificate-not-verified app/server.py",
            "path-traversal app/server.py",
            "temporary-file-insecure app/server.py",
        },
    ),
    (("nmap", "nmap-7.93-lab-scripts.xml"), ("ffuf", "ffuf-1.1.0-lab-nginx.json"), {"repository-exposed"}),
    (("nmap", "nmap-7.93-lab-scripts.xml"), ("hydra", "hydra-9.4-lab-vsftpd.json"), {"anonymous-login"}),
    (("wapiti", "wapiti-3.2.3-lab-webapp.json"), ("sqlmap", "sqlmap-1.10.10-lab-webapp.txt"), {"sql-injection"}),
    (("sslyze", "sslyze-6.3.1-lab-nginx.json"), ("testssl", "testssl-3.0.8-lab-nginx.json"), TLS),
]


@pytest.mark.parametrize(("first", "second", "shared"), PAIRS)
def test_two_tools_agree_on_a_flaw_of_the_lab(first, second, shared: set[str]) -> None:
    one, other = fingerprints(*first), fingerprints(*second)
    assert set(one) & set(other) == shared
    for weakness in shared:
        assert one[weakness] == other[weakness], weakness


ADVISORIES = [
    ("pip-audit", "pip-audit-2.10.1-made-advisory.json"),
    ("osv-scanner", "osv-scanner-1.9.2-made-advisory.json"),
    ("trivy", "trivy-0.59.1-planted-repository.json"),
]


def test_a_vulnerable_package_is_one_flaw_whoever_knows_it() -> None:
    seen = set()
    for tool, sample in ADVISORIES:
        plugin = load_plugins()[tool]
        with (plugin.folder / "samples" / sample).open("rb") as stream:
            found = next(each for each in plugin.parser.parse(stream) if each.cve)
        seen.add(fingerprint(TARGET, found, plugin.spec.fingerprint_fields))
    assert len(seen) == 1


def test_every_weakness_that_a_parser_names_is_in_the_catalogue() -> None:
    from purple.domain.weaknesses import CATALOGUE
    from purple.toolkit.code_rules import WEAKNESSES

    assert set(CATALOGUE) >= WEAKNESSES
    for tool in load_plugins().values():
        module = import_module(tool.parser.__name__)  # type: ignore[attr-defined]
        known = getattr(module, "_WEAKNESSES", {})
        assert set(known.values()) <= set(CATALOGUE), tool.spec.name
