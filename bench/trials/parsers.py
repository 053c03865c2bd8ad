"""Trial 6: damaged outputs and bombs against the parsers, as `make fuzz` has them."""

from collections.abc import Sequence

from bench import fuzz
from bench.trials.report import Report, trial


def run(points: int, seed: int, tools: Sequence[str] = ()) -> Report:
    """As many of all parsers together, and what once broke them and the bombs besides."""
    with trial(6, "malformed outputs and bombs") as report:
        wanted = tools or fuzz.with_samples()
        for tool in wanted:
            tally = fuzz.in_child(tool, -(-points // len(wanted)), seed)
            report.points += tally.ends.total()
            report.failed += [f"{tool}: {each}" for each in tally.broken]
            report.saw("CPU seconds", tally.slowest_s)
            report.saw("MiB", tally.peak_mib)
    return report
