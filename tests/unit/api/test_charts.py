"""The geometry of charts."""

from datetime import date, timedelta

import pytest

from api.console.charts import CAME, WENT, flows, nice, spans, stack
from purple.domain.severity import Severity
from purple.domain.trends import WORST_FIRST, Day


def day(n: int, *, found: int = 0, fixed: int = 0, **present: int) -> Day:
    present = dict.fromkeys(WORST_FIRST, 0) | {Severity(name): many for name, many in present.items()}
    return Day(date(2026, 1, 1) + timedelta(n), present, 0, found, 0, 0, fixed, 0)


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (3, 4), (10, 10), (11, 20), (99, 100), (101, 200), (8_001, 10_000)]
)
def test_an_axis_ends_at_a_round_number(most, top) -> None:
    assert nice(most) == top


def test_severities_stand_on_one_another_the_worst_below() -> None:
    drawn = stack([day(0, critical=1, low=1), day(1, critical=2, low=2)])
    assert (drawn.top, [each.severity for each in drawn.areas]) == (4, [Severity.CRITICAL, Severity.LOW])
    critical = "0.0,75.00 500.0,75.00 500.0,50.00 1000.0,50.00"
    assert drawn.areas[0].path == f"M{critical} 1000.0,100.00 0.0,100.00Z"
    back = "1000.0,50.00 500.0,50.00 500.0,75.00 0.0,75.00"
    assert drawn.areas[1].path == f"M0.0,50.00 500.0,50.00 500.0,0.00 1000.0,0.00 {back}Z"


def test_days_that_are_alike_are_one_line_and_nothing_is_drawn_of_nothing() -> None:
    for days in ([day(0, high=1)], [day(n, high=1) for n in range(90)]):
        assert stack(days).areas[0].path == "M0.0,50.00 1000.0,50.00 1000.0,100.00 0.0,100.00Z"
    assert stack([day(0), day(1)]).areas == []
    assert flows(spans([day(0)])).bars == []


def test_days_share_a_bar_where_they_are_many_and_none_is_lost() -> None:
    for many, bars in ((1, 1), (45, 45), (46, 7), (315, 45), (800, 29)):
        shown = spans([day(n, found=1) for n in range(many)])
        assert (len(shown), sum(each.sums["found"] for each in shown)) == (bars, many)
        assert (shown[0].since, shown[-1].until) == (date(2026, 1, 1), date(2026, 1, 1) + timedelta(many - 1))


def test_what_came_is_above_the_line_and_what_went_below() -> None:
    drawn = flows(spans([day(0, found=2), day(1, fixed=1)]))
    assert drawn.top == 2
    came, went = drawn.bars
    assert (came.name, came.y, came.height) == ("found", 0, 50)
    assert (went.name, went.y, went.height) == ("fixed", 50, 25)
    assert went.x - came.x == 500
    assert {came.name, went.name} <= {*CAME, *WENT}
