"""What is shown of a control: a clean result is earned, and what is not shown says what is missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from uuid import uuid4

import pytest

from purple.contracts.frameworks import Control
from purple.db.repositories.listings import TARGETS, VULNERABILITIES
from purple.domain.compliance import Breach, Look, Status
from purple.domain.errors import InvalidInputError, NotFoundError
from purple.domain.filters import parse_filter
from purple.domain.pages import Query
from purple.domain.targets import Criticality, DataClass, Target, TargetKind
from purple.domain.tools import ScanState, Topic
from purple.domain.weaknesses import CATALOGUE
from purple.services.compliance.frameworks import Frameworks, parse_framework
from purple.services.compliance.judging import in_order, judge
from purple.toolkit.tools.plugins import load_plugins

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TARGET = Target(uuid4(), uuid4(), TargetKind.HOST, "192.0.2.7", "web", Criticality.HIGH, (), NOW)
TOOLS = {Topic.TLS: ("sslscan", "sslyze"), Topic.SSH: ("ssh-audit",)}
BREACH = Breach(TARGET.id, 2, 1, uuid4(), "Weak ciphers")


def control(**told: object) -> Control:
    return Control(id="1", title="made", **({"looked": (Topic.TLS,), "within_days": 30} | told))


def look(tool: str = "sslyze", days: int = 1, state: ScanState = ScanState.COMPLETE, reason: str = "") -> Look:
    return Look(TARGET.id, tool, uuid4(), uuid4(), NOW - timedelta(days=days), state, reason)


def shown(wanted: Control, *looks: Look, breach: Breach | None = None, target: Target = TARGET):
    return judge(wanted, target, looks, breach, TOOLS, NOW)


def test_it_is_met_where_all_was_looked_into_lately_and_to_the_end() -> None:
    tls, ssh = look(), look("ssh-audit", 29)
    found = shown(control(looked=(Topic.TLS, Topic.SSH)), tls, ssh, look("sslscan", 3, ScanState.FAILED))
    assert (found.status, found.looks, found.gaps) == (Status.MET, (tls, ssh), ())


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        ([], "tls: nothing looked into it; sslscan or sslyze would"),
        ([look("nmap")], "tls: nothing looked into it; sslscan or sslyze would"),
        ([look(days=31)], "tls: the last complete scan is of 2026-05-01 by sslyze, older than 30 days"),
        ([look(state=ScanState.TIMED_OUT, reason="slow")], "tls: sslyze did not look to the end on 2026-05-31: slow"),
        ([look("sslscan", 2, ScanState.PARTIAL)], "tls: sslscan did not look to the end on 2026-05-30"),
    ],
)  # fmt: skip
def test_what_nobody_looked_into_is_neither_met_nor_broken(looks, said) -> None:
    found = shown(control(), *looks)
    assert (found.status, found.gaps) == (Status.NOT_TESTED, (said,))


def test_what_is_found_breaks_it_whoever_looked_and_an_accepted_risk_does_not() -> None:
    for looks in ((), (look(),)):
        found = shown(control(findings="severity:high"), *looks, breach=BREACH)
        assert (found.status, found.gaps[0]) == (Status.NOT_MET, "Weak ciphers is open, and 1 more")
    accepted = replace(BREACH, present=0)
    assert shown(control(findings="severity:high"), look(), breach=accepted).status is Status.MET


def test_the_register_must_say_what_is_asked_of_it() -> None:
    wanted = control(looked=(), known=("data_class", "unit_id", "criticality"))
    found = shown(wanted)
    assert (found.status, len(found.gaps)) == (Status.NOT_MET, 2)
    assert "business unit" in found.gaps[1]
    known = replace(TARGET, data_class=DataClass.PUBLIC, unit_id=uuid4())
    assert shown(wanted, target=known).status is Status.MET


def test_the_worst_comes_first() -> None:
    low = replace(TARGET, criticality=Criticality.LOW, value="192.0.2.1")
    cases = product((TARGET, low), ((), (look(),)), (None, BREACH))
    found = in_order(shown(control(), *looks, breach=breach, target=target) for target, looks, breach in cases)
    assert [each.status for each in found] == [Status.NOT_MET] * 4 + [Status.NOT_TESTED] * 2 + [Status.MET] * 2
    assert [each.target.criticality for each in found[:4]] == ["high", "high", "low", "low"]


@pytest.mark.parametrize("name", Frameworks().names())
def test_what_a_shipped_framework_asks_can_be_answered(name) -> None:
    """Each filter is one of the lists it is about, each weakness is in the catalogue, each topic has a tool."""
    framework = Frameworks().load(name)
    able = {topic for plugin in load_plugins().values() for topic in plugin.spec.examines}
    for each in framework.controls:
        TARGETS.conditions(Query(filter=each.targets))
        VULNERABILITIES.conditions(Query(filter=each.findings))
        assert set(each.looked) <= able
        for term in parse_filter(each.findings):
            for value in term.values if term.field == "weakness" else ():
                known = [key for key in CATALOGUE if key == value or (term.operator and value in key)]
                assert known, f"{each.id}: {value}"


def test_the_frameworks_that_were_asked_for_are_there() -> None:
    assert set(Frameworks().names()) == {"pci-dss", "iso-27001", "nist-csf", "cis", "lgpd", "gdpr"}


GOOD = """
name: own
title: Own rules
version: "1"
source: https://rules.example.org/
limits: nothing
controls:
  - {id: "1", title: Encrypted, looked: [tls], findings: "severity:>=high"}
"""


def test_a_deployment_adds_frameworks_and_replaces_ours(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(GOOD)
    (tmp_path / "cis.yaml").write_text(GOOD.replace("name: own", "name: cis"))
    frameworks = Frameworks([tmp_path])
    assert frameworks.load("own").controls[0].within_days == 90
    assert frameworks.load("cis").title == "Own rules"
    assert frameworks.checked(["own"]) == ("own",)
    with pytest.raises(NotFoundError, match="no framework 'other'"):
        frameworks.load("other")
    with pytest.raises(InvalidInputError, match="is no folder"):
        Frameworks([tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("name: own", "name: other", "it calls itself other"),
        ("looked: [tls], ", "", "nothing found is no evidence"),
        ("[tls]", "[luck]", "controls.0.looked.0"),
        ('"severity:>=high"', '"severity high"', "cannot be read"),
        ("title: Own", "title: [", "it is not YAML"),
        ('findings: "severity:>=high"}', '}\n  - {id: "1", title: x, looked: [ssh]}', "there twice: 1"),
    ],
)  # fmt: skip
def test_a_framework_that_is_wrong_says_where(before, after, said) -> None:
    with pytest.raises(InvalidInputError, match=said):
        parse_framework(GOOD.replace(before, after), "own")
