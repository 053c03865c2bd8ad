"""What a measure is, and how one is printed."""

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One line of the results; `holds` is whether the goal does, None where it is told of and not judged."""

    name: str
    value: float
    unit: str
    baseline: str
    baseline_value: float
    ratio: float
    goal: str
    holds: bool | None = None

    def line(self) -> str:
        """For people."""
        verdict = {True: "holds", False: "MISSED", None: "not judged"}[self.holds]
        return (
            f"{self.name}: {self.value:.3f} {self.unit}; {self.baseline}: {self.baseline_value:.3f}; "
            f"ratio {self.ratio:.3f}; goal: {self.goal}: {verdict}"
        )


def measure(
    name: str,
    value: float,
    unit: str,
    baseline: tuple[str, float],
    goal: str,
    holds: Callable[[float, float], bool] | None = None,
) -> Measure:
    """A value beside its baseline.

    Args:
        name: the number of the goal, and what was measured.
        value: ours.
        unit: of both.
        baseline: what it stands beside, and that one's value.
        goal: in words.
        holds: whether the goal does, given value and ratio.
    """
    against, other = baseline
    ratio = value / other if other else 0.0
    kept = None if holds is None else holds(value, ratio)
    return Measure(name, round(value, 4), unit, against, round(other, 4), round(ratio, 4), goal, kept)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies, the nearest that occurred."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> dict[str, object]:
    """What figures were seen on."""
    return {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()}


median = statistics.median
