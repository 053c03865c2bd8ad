"""What a model may say, and what is refused."""

import json

import pytest

from purple.services.triage import check_answer

KNOWN = {"V1": object(), "V2": object()}
OWNER = {"O1": "V1", "O2": "V2"}
GOOD = {
    "summary": "Mend V1.",
    "order": [
        {"vulnerability": "V2", "reason": "r", "observations": ["O2"]},
        {"vulnerability": "V1", "reason": "r", "observations": ["O1"]},
    ],
}


def test_an_answer_that_cites_what_it_speaks_of_holds() -> None:
    answer = check_answer(json.dumps(GOOD), OWNER, KNOWN)
    assert [each.vulnerability for each in answer.order] == ["V2", "V1"]


def test_the_first_place_of_a_vulnerability_stands() -> None:
    answer = check_answer(json.dumps(GOOD | {"order": [*GOOD["order"], GOOD["order"][0]]}), OWNER, KNOWN)
    assert [each.vulnerability for each in answer.order] == ["V2", "V1"]


def ranked(**changes: object) -> str:
    return json.dumps(GOOD | {"order": [GOOD["order"][0] | changes]})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "answer"),
        ("Sure! Here is", "answer"),
        ("{}", "summary"),
        (json.dumps(GOOD | {"close": ["V1"]}), "close"),
        (ranked(vulnerability="V9"), "not a vulnerability"),
        (ranked(observations=["O1"]), "not an observation of V2"),
        (ranked(observations=["O7"]), "not an observation of V2"),
        (ranked(observations=[]), "observations"),
        (ranked(severity="info"), "severity"),
    ],
)
def test_an_answer_that_does_not_hold_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_answer(text, OWNER, KNOWN)
