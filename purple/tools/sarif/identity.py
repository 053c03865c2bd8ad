"""By what a result is known again, wherever its line has moved to and whichever way its tool's report comes in.

Sources: SARIF 2.1.0, sections 3.27.16 (`fingerprints`), 3.27.17 (`partialFingerprints`) and 3.52 (references to
taxa); the package-url specification; what Grype, OSV-Scanner and Trivy write into their messages.
"""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from purple.domain.observations import clip
from purple.toolkit.advisories import Advisory
from purple.toolkit.code import digest_of, inside

_OURS = {
    "semgrep oss": "semgrep",
    "semgrep pro": "semgrep",
    **{name: name for name in ("bandit", "checkov", "gitleaks", "osv-scanner", "semgrep", "trivy")},
}
"""Tools that Purple runs too, as they call themselves in SARIF: their rules and files get the names that these have."""
_ADVISORY = re.compile(r"CVE-\d{4}-\d{4,19}\b|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}\b")
_CWE = re.compile(r"\bcwe[-/ ]?0*(\d{1,6})\b", re.IGNORECASE)
_CVE = re.compile(r"\bCVE-\d{4}-\d{4,19}\b")
_MASKED = re.compile(r"REDACTED|\*{3}")
_EMPTY = ("", "requires login")
"""What is no fingerprint; the second is Semgrep's, of whoever is not logged in."""
_MOST = 20
_PACKAGE = re.compile(
    r"Package: (?P<trivy>[^\n]{1,300})\nInstalled Version: (?P<trivy_at>[^\n]{0,100})"
    r"|Package '(?P<osv>[^'\n]{1,300})@(?P<osv_at>[^'@\n]{0,100})' is vulnerable"
    r"|An? \w{1,20} vulnerability in (?P<kind>[\w.-]{1,60}) package: (?P<grype>[^\n]{1,300}?),"
    r" version (?P<grype_at>[^\s]{1,100}) was found"
)
_BEGINS = ("Package", "A ", "An ")
_PURL = re.compile(r"pkg:(?P<kind>[\w.+-]{1,60})/+(?P<name>[^@?#]{1,400})(?:@(?P<at>[^?#]{1,200}))?")
_ECOSYSTEMS = {
    **dict.fromkeys(("pypi", "python"), "pypi"),
    "npm": "npm",
    **dict.fromkeys(("golang", "go-module"), "go"),
    **dict.fromkeys(("maven", "java-archive"), "maven"),
    **dict.fromkeys(("cargo", "rust-crate"), "crates.io"),
    **dict.fromkeys(("composer", "php-composer"), "packagist"),
    "gem": "rubygems",
}
"""Types of package-urls and of Grype, by the names that OSV has for them, so that tools meet."""
_OF_SYSTEMS = frozenset(("apk", "deb", "rpm"))
"""Types whose namespace says of which system they are."""
_FILES = {
    **dict.fromkeys(("requirements.txt", "poetry.lock", "Pipfile.lock", "pdm.lock", "uv.lock"), "pypi"),
    **dict.fromkeys(("package-lock.json", "yarn.lock", "pnpm-lock.yaml"), "npm"),
    **dict.fromkeys(("pom.xml", "gradle.lockfile"), "maven"),
    "go.mod": "go",
    "Cargo.lock": "crates.io",
    "composer.lock": "packagist",
    "Gemfile.lock": "rubygems",
}
"""Where a tool says no ecosystem, the file that asks for the package does."""


def name_of(tool: str) -> str:
    """A tool as its rules are named: as Purple calls it, or as it calls itself."""
    return _OURS.get(tool.lower(), tool)


@lru_cache(maxsize=1024)
def path_of(tool: str, path: str) -> str:
    """A file as the repository names it; a tool that Purple ran was pointed at a folder around it."""
    return inside(path) if tool in _OURS else clip(path.removeprefix("./"), 1000)


@lru_cache(maxsize=1024)
def cves(rule: str) -> tuple[str, ...]:
    """Those that a rule is named by."""
    return tuple(dict.fromkeys(_CVE.findall(rule)))[:5] if "CVE-" in rule else ()


def cwes(properties: dict[str, Any], references: Any) -> tuple[int, ...]:
    """Those that tags, a property `cwe`, or references to taxa of CWE name.

    Args:
        properties: of a rule or result; CodeQL tags `external/cwe/cwe-79`, Semgrep `CWE-79: …`.
        references: of a result, its `taxa`; of a rule, the targets of its `relationships`.
    """
    tags, own = properties.get("tags"), properties.get("cwe")
    said = [str(each)[:100] for each in (tags if isinstance(tags, list) else [])[:50]]
    said += [str(each)[:100] for each in (own if isinstance(own, list) else [own])[:_MOST]]
    for each in (references if isinstance(references, list) else [])[:_MOST]:
        component = each.get("toolComponent") if isinstance(each, dict) else None
        if isinstance(component, dict) and str(component.get("name")).upper() == "CWE":
            said.append(f"CWE-{str(each.get('id') or '')[:20].upper().removeprefix('CWE-')}")
    return tuple(dict.fromkeys(int(each) for each in _CWE.findall(" ".join(said))))[:10]


def apart(result: dict[str, Any], snippet: str, *, secret: bool) -> dict[str, str]:
    """What tells it from other results of its rule in its file: the code itself, or else what its tool made of it.

    A secret that is masked looks like every other, so its mask tells nothing.
    """
    if snippet and not (secret and _MASKED.search(snippet)) and (digest := digest_of(snippet)):
        return {"secret" if secret else "snippet": digest}
    for name in ("fingerprints", "partialFingerprints"):
        given = result.get(name)
        if isinstance(given, dict):
            parts = sorted(f"{key[:100]} {str(each)[:500]}" for key, each in given.items() if each not in _EMPTY)
            if parts:
                return {"fingerprint": digest_of("\n".join(parts[:_MOST]))}
    return {}


def package_of(rule: str, message: str, purl: str, path: str) -> Advisory | None:
    """The known vulnerability of a package that a result tells of, by a package-url or by its message; else None."""
    said = _PACKAGE.match(message) if message.startswith(_BEGINS) else None
    linked = _PURL.match(purl) if purl else None
    if linked:
        ecosystem, name, version = _of_purl(linked)
    elif said:
        ecosystem = _ECOSYSTEMS.get(said["kind"] or "", said["kind"] or _FILES.get(path.rpartition("/")[2], "other"))
        name = str(said["trivy"] or said["osv"] or said["grype"])
        version = str(said["trivy_at"] or said["osv_at"] or said["grype_at"] or "")
    else:
        return None
    known = _ADVISORY.findall(rule) or [rule.removesuffix(f"-{name}")]
    ids = (*known, *(_ADVISORY.findall(message) if said else ()))
    return Advisory(ecosystem=ecosystem, name=name, version=version, ids=ids, path=inside(path))


def _of_purl(found: re.Match[str]) -> tuple[str, str, str]:
    """Ecosystem, name and version; what is scoped is named as its registry does."""
    kind = found["kind"].lower()
    space, _, name = unquote(found["name"]).strip("/").rpartition("/")
    version = unquote(found["at"] or "")
    if kind in _OF_SYSTEMS:
        return space or kind, name, version
    between = ":" if kind == "maven" else "/"
    return _ECOSYSTEMS.get(kind, kind), f"{space}{between}{name}" if space else name, version
