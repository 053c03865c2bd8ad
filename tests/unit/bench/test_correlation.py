"""Merges of what real tools said, against the truth that a person wrote beside it."""

import pytest

from bench import correlation
from bench.correlation import PARTS, PRECISION, RECALL, score, sightings


@pytest.mark.parametrize("part", PARTS)
def test_tools_that_saw_one_flaw_meet_and_others_do_not(part) -> None:
    found = score(part, sightings())
    assert found.same > 20, "enough to say something"
    assert found.precision >= PRECISION, found
    assert found.recall >= RECALL, found


def test_a_rule_that_loses_its_shared_name_is_seen(monkeypatch) -> None:
    whole = score("held out", sightings())
    monkeypatch.setattr("purple.toolkit.code_rules._SEMGREP", {})
    assert score("held out", sightings()).recall < RECALL < whole.recall


def test_the_truth_and_the_samples_speak_of_the_same(monkeypatch, tmp_path) -> None:
    cut = tmp_path / "correlation.tsv"
    lines = correlation.TRUTH.read_text().splitlines(keepends=True)
    cut.write_text("".join(lines[:-1]))
    monkeypatch.setattr(correlation, "TRUTH", cut)
    with pytest.raises(ValueError, match="only told or only there"):
        sightings()
