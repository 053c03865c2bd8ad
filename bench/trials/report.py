"""What came of a trial."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx


@dataclass
class Report:
    """Points tried, and those that failed with what was seen."""

    trial: int
    name: str
    points: int = 0
    failed: list[str] = field(default_factory=list)
    most: dict[str, float] = field(default_factory=dict)
    """The highest of what was measured at any point."""
    seconds: float = 0.0
    not_tried: str = ""
    """Why this machine cannot try it."""

    @property
    def holds(self) -> bool:
        """Whether it was tried and passed."""
        return self.points > 0 and not self.failed

    def point(self, *wrong: str) -> None:
        """One more was tried; empty texts are what was right."""
        self.points += 1
        if said := "; ".join(filter(None, wrong)):
            self.failed.append(said)

    def attempt(self, what: Callable[[], str]) -> None:
        """A point that tells what was wrong, or does not come to its end."""
        try:
            self.point(what())
        except (TimeoutError, RuntimeError, httpx.HTTPError) as error:
            self.point(f"{type(error).__name__}: {error}")

    def saw(self, what: str, value: float) -> None:
        """Something measured."""
        self.most[what] = max(self.most.get(what, 0.0), round(value, 3))

    def line(self) -> str:
        """For people."""
        verdict = "holds" if self.holds else f"not tried: {self.not_tried}" if self.not_tried else "FAILED"
        most = "".join(f", {what} at most {value:g}" for what, value in self.most.items())
        seen = "".join(f"\n   {each}" for each in self.failed)
        return (
            f"{self.trial}. {self.name}: {self.points} points, {len(self.failed)} failed{most}, "
            f"{self.seconds:.0f} s: {verdict}{seen}"
        )


@contextmanager
def trial(number: int, name: str) -> Iterator[Report]:
    """A report that counts the seconds of the block."""
    report, began = Report(number, name), time.monotonic()
    yield report
    report.seconds = round(time.monotonic() - began, 1)


def moments(points: int, seed: int) -> list[float]:
    """Parts of a length between 0 and 1: spread evenly, each somewhere within its share, in any order."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    found = [(number + chance.random()) / points for number in range(points)]
    chance.shuffle(found)
    return found
