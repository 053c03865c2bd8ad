"""The short version of `make fuzz`: what once broke a parser, small bombs and a few mutants, against each of them."""

import itertools

import pytest

from bench.fuzz import inputs_of, try_input
from purple.toolkit.tools.plugins import load_plugins

PLUGINS = {name: each for name, each in load_plugins().items() if (each.folder / "samples").is_dir()}
SMALL = 1_500_000
MUTANTS = 40


@pytest.mark.parametrize("name", PLUGINS)
def test_damaged_output_is_read_or_refused(name: str) -> None:
    small = ((label, data) for label, data in inputs_of(PLUGINS[name], MUTANTS) if len(data) < SMALL)
    ends = {label: try_input(PLUGINS[name], data) for label, data in small}
    assert ends["billion-laughs"] == ends["external-entity"] == "refused"
    assert set(ends.values()) <= {"read", "refused"}
    assert sum(label.startswith("mutant") for label in ends) == MUTANTS


def test_mutants_are_the_same_every_time() -> None:
    first, again = (list(itertools.islice(inputs_of(PLUGINS["nmap"], 30), 60)) for _ in range(2))
    assert first == again
