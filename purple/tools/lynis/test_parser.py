"""Reports of Lynis.

Sample: `lynis-3.0.8-debian-12.dat` is what Lynis 3.0.8 of Debian 12 wrote of a virtual machine on 2026-11-29
(`lynis audit system --quick --quiet --report-file F`); lines of its inventory and most packages are left out, and its
name is changed.
"""

from pathlib import Path
from uuid import UUID

import pytest

from purple.domain.fingerprints import fingerprint
from purple.domain.observations import FlawClass, ObservationKind
from purple.domain.severity import Severity
from purple.tools.lynis import parser
from purple.tools.lynis.parser import parse
from tests.support import hostile
from tests.support.parsers import read

SAMPLE = (Path(__file__).parent / "samples/lynis-3.0.8-debian-12.dat").read_bytes()


def test_each_warning_and_suggestion_is_a_flaw_of_the_host() -> None:
    found, error = read(parse, SAMPLE)
    assert error is None
    flaws = [each for each in found if each.kind is ObservationKind.FLAW]
    assert len(flaws) == SAMPLE.count(b"\nwarning[]=") + SAMPLE.count(b"\nsuggestion[]=") - 1 == 46
    assert "LYNIS" not in {each.rule.removeprefix("lynis:") for each in flaws}, "that it is old is no flaw of the host"
    assert {each.location.host for each in found} == {"web-1"}
    warning = next(each for each in flaws if each.severity is Severity.MEDIUM)
    assert (warning.rule, warning.title) == ("lynis:PKGS-7392", "Found one or more vulnerable packages.")
    assert warning.evidence.split("\n")[:2] == ["apt", "apt-transport-https"]
    assert {each.severity for each in flaws} == {Severity.MEDIUM, Severity.LOW}
    assert {each.flaw_class for each in flaws} == {FlawClass.CONFIGURATION}


def test_details_and_solutions_come_with_their_finding() -> None:
    found, _ = read(parse, SAMPLE)
    by_rule = {each.rule: each for each in found}
    kernel = by_rule["lynis:KRNL-6000"]
    assert kernel.remediation.startswith("Change sysctl value")
    assert (
        "sysctl|desc:Restrict access to kernel symbols;field:kernel.kptr_restrict;prefval:2;value:0;|"
        in kernel.evidence
    )
    assert kernel.references == ("https://cisofy.com/lynis/controls/KRNL-6000/",)
    assert by_rule["lynis:FILE-7524"].remediation == "Use chmod to change file permissions"
    assert by_rule["lynis:BOOT-5264"].description.endswith(
        "Run '/usr/bin/systemd-analyze security SERVICE' for each service"
    )


def test_a_host_goes_by_each_address_that_others_reach() -> None:
    hosts = [each for each in read(parse, SAMPLE)[0] if each.kind is ObservationKind.HOST]
    assert [each.attributes for each in hosts] == [{"address": "192.0.2.2"}, {"address": "fd00::2"}]
    named = SAMPLE.replace(b"hostname=web-1\n", b"hostname=WEB-1\ndomainname=Example.org\n")
    assert {each.location.host for each in read(parse, named)[0]} == {"web-1.example.org"}
    nameless = SAMPLE.replace(b"hostname=web-1\n", b"")
    assert {each.location.host for each in read(parse, nameless)[0]} == {"192.0.2.2"}


def test_findings_of_one_test_are_told_apart_and_known_again_whatever_they_count() -> None:
    def prints(data: bytes) -> dict[str, str]:
        flaws = [each for each in read(parse, data)[0] if each.flaw_class]
        return {each.description: fingerprint(UUID(int=9), each, ["about"]) for each in flaws}

    first = prints(SAMPLE)
    assert len(set(first.values())) == len(first) == 46
    later = prints(SAMPLE.replace(b"Check 20 files in /tmp", b"Check 7 files in /tmp"))
    assert set(later.values()) == set(first.values())


def test_what_is_of_a_dockerfile_is_no_finding_of_the_machine() -> None:
    odd = (
        b"warning[]=dockerfile|latest TAG used.|-|-|\n"
        b"suggestion[]=Use SSL downloads when possible to increase security|UNKNOWN|-|-|\n"
    )
    found, error = read(parse, SAMPLE.replace(b"finish=true\n", odd + b"finish=true\n"))
    assert "2 findings are not what Lynis says of a machine" in str(error)
    assert found == read(parse, SAMPLE)[0]


def test_an_audit_that_did_not_end_closes_nothing() -> None:
    for cut in (len(SAMPLE) // 2, SAMPLE.index(b"finish=true"), len(SAMPLE) - 1):
        found, error = read(parse, SAMPLE[:cut])
        assert "breaks off" in str(error)
        assert len(found) > 10


@pytest.mark.parametrize("data", [b"", b"# Lynis", b"warning[]=SSH-7408|x|-|-|\n", b"{}"])
def test_another_file_is_refused(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert "this is no report of Lynis" in str(error)


def test_a_report_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "LIMIT", 100)
    assert "larger than 100 bytes" in str(read(parse, SAMPLE)[1])


def test_damage_is_survived() -> None:
    hostile.survives_damage(parse, SAMPLE)
