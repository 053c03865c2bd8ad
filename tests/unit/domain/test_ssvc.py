"""CISA's tree, row by row as CERT/CC publishes it, and what our data says of its decision points."""

from dataclasses import replace

import pytest

from purple.domain.cvss import parse
from purple.domain.risk import Known
from purple.domain.severity import Severity
from purple.domain.ssvc import TREE, Decision, decide
from purple.domain.targets import Criticality, DataClass
from tests.unit.domain.test_risk import TARGET

PUBLISHED = {  # of the 36 rows those that are not `track`; cisa_coordinator_2_0_3.csv
    ("none", "no", "total", "high"): "track*",
    ("none", "yes", "partial", "high"): "attend",
    ("none", "yes", "total", "high"): "attend",
    ("public poc", "no", "partial", "high"): "track*",
    ("public poc", "no", "total", "medium"): "track*",
    ("public poc", "no", "total", "high"): "attend",
    ("public poc", "yes", "partial", "high"): "attend",
    ("public poc", "yes", "total", "medium"): "track*",
    ("public poc", "yes", "total", "high"): "attend",
    ("active", "no", "partial", "high"): "attend",
    ("active", "no", "total", "medium"): "attend",
    ("active", "no", "total", "high"): "act",
    ("active", "yes", "partial", "low"): "attend",
    ("active", "yes", "partial", "medium"): "attend",
    ("active", "yes", "partial", "high"): "act",
    ("active", "yes", "total", "low"): "attend",
    ("active", "yes", "total", "medium"): "act",
    ("active", "yes", "total", "high"): "act",
}


def test_the_tree_is_the_published_one() -> None:
    assert len(TREE) == 36
    assert {way: str(decision) for way, decision in TREE.items() if decision is not Decision.TRACK} == PUBLISHED


EASY = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N"


@pytest.mark.parametrize(
    ("known", "vector", "severity", "values"),
    [
        (Known(kev=True), EASY, Severity.CRITICAL, ("active", "yes", "total", "low")),
        (Known(exploit=True), EASY.replace("UI:N", "UI:R"), Severity.HIGH, ("public poc", "no", "total", "low")),
        (Known(), f"{EASY}/E:F", Severity.HIGH, ("public poc", "yes", "total", "low")),
        (Known(), EASY.replace("I:H", "I:L"), Severity.HIGH, ("none", "yes", "total", "low")),
        (Known(), V4, Severity.HIGH, ("none", "no", "partial", "low")),
        (Known(), f"{V4}/E:A/AU:Y", Severity.HIGH, ("active", "yes", "partial", "low")),
        (Known(), "", Severity.CRITICAL, ("none", "no", "total", "low")),
        (Known(), "", Severity.HIGH, ("none", "no", "partial", "low")),
    ],
)
def test_decision_points_come_from_what_is_known(known, vector, severity, values) -> None:
    advice = decide(known, parse(vector) if vector else None, severity, TARGET)
    assert tuple(point.value for point in advice.points) == values
    assert all(point.why for point in advice.points)
    assert vector or "assumed" in advice.points[1].why


def test_mission_follows_the_asset() -> None:
    def mission(**changes: object) -> str:
        return decide(Known(), None, Severity.LOW, replace(TARGET, **changes)).points[-1].value

    assert [mission(criticality=each) for each in Criticality] == ["low", "low", "medium", "high"]
    assert mission(data_class=DataClass.RESTRICTED) == "medium"
    assert mission(data_class=DataClass.RESTRICTED, criticality=Criticality.CRITICAL) == "high"
