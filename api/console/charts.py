"""Charts as geometry: areas and bars in a box of 1000 by 100 that a page stretches; words stand beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from purple.domain.risk_history import RiskDay
from purple.domain.severity import Severity
from purple.domain.trends import WORST_FIRST, Day

WIDTH = 1000.0
HEIGHT = 100.0
BARS = 45
"""At most about so many; of more days several share one."""
_TOGETHER = (1, 7, 28)
_STEPS = (2, 4, 6, 8, 10)
CAME = ("found", "reopened", "returned")
WENT = ("fixed", "dismissed")


def nice(most: int) -> int:
    """The top of an axis: a round number from which half is whole."""
    size = 1
    while most > _STEPS[-1] * size:
        size *= 10
    return next(step * size for step in _STEPS if most <= step * size)


@dataclass(frozen=True, slots=True)
class Area:
    """What one severity takes of a stack, as the path of an SVG."""

    severity: Severity
    path: str


@dataclass(frozen=True, slots=True)
class Stack:
    """Open ones by severity over time, the worst at the bottom."""

    top: int
    areas: Sequence[Area]


def stack(days: Sequence[Day]) -> Stack:
    """Draw each day as wide as any other, as high as what is open at its end."""
    top = nice(max(sum(each.open.values()) for each in days))
    floor = [0] * len(days)
    areas = []
    for severity in WORST_FIRST:
        ceiling = [below + each.open[severity] for below, each in zip(floor, days, strict=True)]
        if ceiling != floor:
            areas.append(Area(severity, f"M{' '.join(_steps(ceiling, top) + _steps(floor, top)[::-1])}Z"))
        floor = ceiling
    return Stack(top, areas)


def _steps(levels: Sequence[int], top: int) -> list[str]:
    """The points of a line that goes along each level; those on the way are left out."""
    wide = WIDTH / len(levels)
    points = []
    for n, level in enumerate(levels):
        down = HEIGHT - HEIGHT * level / top
        points += [f"{n * wide:.1f},{down:.2f}"] if n == 0 or level != levels[n - 1] else []
        points += [f"{(n + 1) * wide:.1f},{down:.2f}"] if n + 1 == len(levels) or level != levels[n + 1] else []
    return points


@dataclass(frozen=True, slots=True)
class RiskLine:
    """When a risk changed, and the path that draws it."""

    days: Sequence[RiskDay]
    path: str


def risk_line(days: Sequence[RiskDay], until: date) -> RiskLine:
    """Scores from 0 to 100, each as wide as the days it lasted; the path is empty where none is known."""
    if not days:
        return RiskLine(days, "")
    whole = (until - days[0].day).days + 1
    ends = [*(each.day for each in days[1:]), until + timedelta(1)]
    points = []
    for each, end in zip(days, ends, strict=True):
        down = f"{HEIGHT - each.score * HEIGHT / 100:.1f}"
        points += [f"{(day - days[0].day).days * WIDTH / whole:.1f},{down}" for day in (each.day, end)]
    return RiskLine(days, f"M{' '.join(points)}")


@dataclass(frozen=True, slots=True)
class Span:
    """Some days together: levels at their end, and what came and went in them."""

    since: date
    until: date
    open: Mapping[Severity, int]
    past_due: int
    sums: Mapping[str, int]


def spans(days: Sequence[Day]) -> list[Span]:
    """A day each, or a week, or four weeks, the last one whole."""
    together = next((step for step in _TOGETHER if len(days) <= BARS * step), _TOGETHER[-1])
    found = []
    for end in range(len(days), 0, -together):
        mine = days[max(0, end - together) : end]
        sums = {name: sum(getattr(each, name) for each in mine) for name in (*CAME, *WENT)}
        found.append(Span(mine[0].day, mine[-1].day, mine[-1].open, mine[-1].past_due, sums))
    return found[::-1]


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a bar."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Flows:
    """What came above a line, and what went below it."""

    top: int
    bars: Sequence[Bar]


def flows(shown: Sequence[Span]) -> Flows:
    """Draw spans side by side."""
    sides = [sum(each.sums[name] for name in side) for each in shown for side in (CAME, WENT)]
    top = nice(max(sides))
    slot = WIDTH / len(shown)
    middle = HEIGHT / 2
    bars = []
    for n, each in enumerate(shown):
        x, width = n * slot + slot * 0.12, slot * 0.76
        above = below = middle
        for name in CAME:
            height = middle * each.sums[name] / top
            above -= height
            bars.append(Bar(name, x, above, width, height))
        for name in WENT:
            height = middle * each.sums[name] / top
            bars.append(Bar(name, x, below, width, height))
            below += height
    return Flows(top, [bar for bar in bars if bar.height])
