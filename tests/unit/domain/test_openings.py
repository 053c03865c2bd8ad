"""What a vulnerability opens follows from the weakness, the CVSS vector or the CWE, and from nothing else."""

from dataclasses import replace
from uuid import UUID

import pytest

from purple.domain.openings import RULES, TECHNIQUES, WEAKNESSES, Finding, Gain, Means, opening_of
from purple.domain.risk import NOTHING_KNOWN, Known
from purple.domain.severity import Severity
from purple.domain.weaknesses import CATALOGUE

PLAIN = Finding(UUID(int=1), UUID(int=2), "Made", Severity.HIGH)
BAD = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
BAD4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"


def opened(known: Known = NOTHING_KNOWN, **told: object) -> tuple[Gain, int, list[str]] | None:
    """What it gives, its effort, and the parts of that."""
    found = opening_of(replace(PLAIN, **told), known)
    return found and (found.gain, sum(part.points for part in found.parts), [part.name for part in found.parts])


@pytest.mark.parametrize(
    ("weakness", "gain", "effort"),
    [
        ("command-execution", Gain.CONTROL, 2),
        ("code-execution", Gain.CONTROL, 2),
        ("unsafe-deserialisation", Gain.CONTROL, 4),
        ("login-guessed", Gain.CONTROL, 1),
        ("no-authentication", Gain.CONTROL, 1),
        ("sql-injection", Gain.DATA, 2),
        ("path-traversal", Gain.DATA, 2),
        ("server-side-request-forgery", Gain.DATA, 2),
        ("file-exposed", Gain.DATA, 1),
        ("repository-exposed", Gain.DATA, 1),
        ("anonymous-login", Gain.DATA, 1),
    ],
)
def test_shared_weaknesses(weakness, gain, effort) -> None:
    assert opened(weakness=weakness) == (gain, effort, ["weakness"])


def test_all_other_shared_weaknesses_open_nothing_whatever_else_is_told_of_them() -> None:
    others = [key for key in CATALOGUE if key not in WEAKNESSES]
    assert len(others) + 11 == len(CATALOGUE)
    assert {"cross-site-scripting", "tls-compression", "header-missing-csp", "debugger-served"} < set(others)
    for key in others:
        assert opened(weakness=key, cve=("CVE-2026-1",), cvss_vector=BAD, cwe=(78,), severity=Severity.CRITICAL) is None


def test_one_address_without_a_login_is_its_data_and_not_the_whole_service() -> None:
    assert opened(weakness="no-authentication", url="https://api.example.org/users") == (Gain.DATA, 1, ["weakness"])


@pytest.mark.parametrize(
    ("vector", "gain", "effort"),
    [
        (BAD, Gain.CONTROL, 4),
        (BAD4, Gain.CONTROL, 4),
        (BAD.replace("AC:L", "AC:H"), Gain.CONTROL, 6),
        (BAD4.replace("AT:N", "AT:P"), Gain.CONTROL, 6),
        (BAD.replace("AV:N", "AV:A"), Gain.CONTROL, 4),
        (BAD.replace("I:H", "I:N"), Gain.DATA, 4),
        (BAD4.replace("VI:H", "VI:L"), Gain.DATA, 4),
        (BAD + "/E:F", Gain.CONTROL, 2),
        (BAD4 + "/E:A", Gain.CONTROL, 1),
        (BAD.replace("C:H", "C:L"), None, 0),
        (BAD.replace("AV:N", "AV:L"), None, 0),
        (BAD.replace("PR:N", "PR:L"), None, 0),
        (BAD.replace("UI:N", "UI:R"), None, 0),
        (BAD4.replace("UI:N", "UI:P"), None, 0),
        (BAD4.replace("VC:H/VI:H", "VC:N/VI:N"), None, 0),
    ],
)
def test_vectors(vector, gain, effort) -> None:
    found = opened(cvss_vector=vector, cwe=(78,))
    assert (found and found[:2]) == ((gain, effort) if gain else None)
    made = opening_of(replace(PLAIN, cvss_vector=vector), NOTHING_KNOWN)
    assert made is None or made.near == ("AV:A" in vector)


def test_the_tools_vector_stands_before_the_published_one_and_use_that_is_known_is_easier() -> None:
    cve = {"cve": ("CVE-2026-1",)}
    assert opened(Known(cvss_vector=BAD), **cve) == (Gain.CONTROL, 4, ["unknown"])
    assert opened(Known(cvss_vector=BAD), **cve, cvss_vector=BAD.replace("AV:N", "AV:L")) is None
    assert opened(Known(cvss_vector=BAD, epss=0.1), **cve) == (Gain.CONTROL, 2, ["epss"])
    assert opened(Known(cvss_vector=BAD, epss=0.09), **cve) == (Gain.CONTROL, 4, ["unknown"])
    assert opened(Known(cvss_vector=BAD, exploit=True, epss=0.9), **cve) == (Gain.CONTROL, 2, ["exploit"])
    assert opened(Known(cvss_vector=BAD, exploit=True, kev=True), **cve) == (Gain.CONTROL, 1, ["kev"])


def test_without_a_vector_only_a_critical_cve_is_assumed_to_open_something_and_says_so() -> None:
    assert opened(cve=("CVE-2026-1",)) is None
    found = opening_of(replace(PLAIN, cve=("CVE-2026-1",), severity=Severity.CRITICAL), Known(kev=True))
    assert found is not None
    assert (found.gain, found.why) == (Gain.CONTROL, "assumed, for it is critical and has no CVSS vector")
    assert opened(severity=Severity.CRITICAL) is None, "without a CVE nothing is known of it"


def test_the_cwe_of_a_tool_that_shares_no_weakness_counts_and_the_worst_first() -> None:
    assert opened(weakness="made:rule", cwe=(89,)) == (Gain.DATA, 2, ["weakness"])
    assert opened(cwe=(22, 434, 79)) == (Gain.CONTROL, 2, ["weakness"])
    assert opened(cwe=(79, 352)) is None


def test_doubts_make_it_harder() -> None:
    assert opened(weakness="file-exposed", confidence=0.49) == (Gain.DATA, 3, ["weakness", "unsure"])
    assert opened(weakness="file-exposed", false_positive=0.8) == (Gain.DATA, 3, ["weakness", "doubt"])
    assert opened(weakness="file-exposed", confidence=0.5, false_positive=0.79) == (Gain.DATA, 1, ["weakness"])


def test_every_step_has_techniques_of_its_side() -> None:
    for cwe, rule in RULES.items():
        found = opening_of(replace(PLAIN, cwe=(cwe,)), NOTHING_KNOWN)
        assert found is not None
        outside, inside = found.techniques(inside=False), found.techniques(inside=True)
        assert set(outside) | set(inside) <= TECHNIQUES.keys()
        first = {
            Means.EXPLOIT: ("T1190", "T1210"),
            Means.ACCOUNT: ("T1110", "T1110"),
            Means.UNGUARDED: ("T1133", "T1021"),
        }
        assert (outside[0], inside[0]) == first[rule.means]
