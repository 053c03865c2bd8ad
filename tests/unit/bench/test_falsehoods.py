"""What is proposed as false, of real tools' findings, against the truth that a person wrote beside them."""

import pytest

from bench import falsehoods
from bench.falsehoods import PRECISION, findings, hidden, models, told_of
from purple.domain.calibration import figures
from purple.domain.false_positives import Model


def test_what_is_proposed_is_false_and_no_true_critical_one_is() -> None:
    found = findings()
    held_out = [each for each in found if each.part != "known"]
    assert {each.part for each in found} == {"known", "held-out target", "held-out tool"}
    for name, model in models(found).items():
        told = figures(told_of(held_out, model))
        assert told.false > 40, "enough to say something"
        assert told.precision >= PRECISION, (name, told)
        assert hidden(found, model) == []


def test_a_rule_that_is_lost_is_seen(monkeypatch) -> None:
    held_out = [each for each in findings() if each.part != "known"]
    whole = figures(told_of(held_out, Model())).recall
    monkeypatch.setattr("purple.domain.false_positives.GUESSED", frozenset())
    assert figures(told_of(held_out, Model())).recall < whole


def test_every_finding_of_a_sample_has_its_truth(monkeypatch, tmp_path) -> None:
    cut = tmp_path / "falsehoods.tsv"
    cut.write_text("".join(falsehoods.TRUTH.read_text().splitlines(keepends=True)[:-1]))
    monkeypatch.setattr(falsehoods, "TRUTH", cut)
    with pytest.raises(ValueError, match="only told or only there"):
        findings()
