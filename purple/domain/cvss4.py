"""The score of CVSS v4.0: a table of macro vectors, and how far a vector is from the worst of its own.

Source: FIRST, "CVSS v4.0: Specification Document", section 8; table and highest vectors as in its reference
implementation (https://github.com/FIRSTdotorg/cvss-v4-calculator, BSD-2-Clause).
"""

from collections.abc import Mapping
from itertools import product

_ORDER = {
    "AV": "NALP", "PR": "NLH", "UI": "NPA", "AC": "LH", "AT": "NP", "VC": "HLN", "VI": "HLN", "VA": "HLN",
    "SC": "SHLN", "SI": "SHLN", "SA": "SHLN", "CR": "HML", "IR": "HML", "AR": "HML",
}  # fmt: skip
"""Values from the worst on; one step is one place. Safety (S) counts for modified SI and SA only."""
_BASE = ("AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA")
_NEEDS = ("CR", "IR", "AR")
_SUPPLEMENTAL = {
    "S": ("N", "P"), "AU": ("N", "Y"), "R": ("A", "U", "I"), "V": ("D", "C"), "RE": ("L", "M", "H"),
    "U": ("Clear", "Green", "Amber", "Red"),
}  # fmt: skip
_SUBSEQUENT = ("SC", "SI", "SA")


def _allowed() -> dict[str, tuple[str, ...]]:
    known = {name: tuple(_ORDER[name].replace("S", "") if name in _SUBSEQUENT else _ORDER[name]) for name in _BASE}
    modified = {f"M{name}": (*values, "X") for name, values in known.items()}
    modified |= {name: ("S", *modified[name]) for name in ("MSI", "MSA")}
    rest = {"E": ("A", "P", "U"), **{name: tuple(_ORDER[name]) for name in _NEEDS}, **_SUPPLEMENTAL}
    return known | modified | {name: (*values, "X") for name, values in rest.items()}


_TABLE = """
    10 9.8 9.5 10 9.3 9.1 9.3 8.9 8.1
    9.9 9.5 9.2 9.6 8.7 8.1 9 8 6.8
    9.8 9.5 9 9.3 8.9 8.1 8.8 7.8 6.9
    9.5 9.2 8.4 9.2 8.1 6.5 8 7 4.8
    9.2 8.2 7.2 7.9 6.9 5 6.9 5.5 2.7
    9.9 9.5 9.2 9.5 9 8.4 9.2 8.2 7.2
    9.7 9.2 8.5 9.1 8.3 7.1 8.1 7.1 5.3
    9.5 9.2 8.5 9.2 8 7 8.4 7.1 5
    9.3 8.5 7.3 8.2 7.2 5.9 7 5.2 3
    8.6 7.5 5.2 7.1 5.2 2.9 6.3 2.9 1.7
    9.8 9.4 9.1 9.4 8.6 7.7 8.7 7.4 6.3
    9.5 8.7 8.1 8.9 7.4 6.4 7.5 6.3 4.9
    9.4 8.8 7.6 8.6 7.4 5.9 7.2 5.7 5.2
    8.9 7.7 6.7 7.6 5.8 5 5.7 5.2 2.5
    8.3 7 5.4 6.5 5.8 2.6 5.3 2.1 1.3
    9.5 8.8 7.6 9 7.5 6.1 7.7 6.8 5.2
    9 7.6 7 7.7 6.2 5.3 6.6 5.9 3
    8.9 7.6 6.2 7.4 5.7 4.7 6.1 5.7 2.4
    7.8 6.7 5.8 5.9 5.7 2.3 5.2 2.9 1.6
    7.1 5.9 3 5.8 2.6 1.5 2.3 1.3 0.6
    9.3 8.6 7.5 8.6 7.4 5.6 7 5.2 4
    8.7 7.2 5.8 7.4 6.1 3.4 5.4 4 2.2
    8.5 7.4 6.2 7.2 5.5 4.6 5.3 3.4 1.9
    7.5 5.5 5.1 5.7 4.1 1.9 3.6 1.9 0.8
    6.4 5.1 2 4.7 2.1 1.1 2.4 0.9 0.4
    8.8 7.3 6 7.3 5.9 4.1 5.4 4.5 2
    7.5 5.3 5 5.5 4 2 4.3 2.2 1.1
    7.5 5.8 4 6.1 4.8 2 4.6 1.7 0.8
    5.5 4.5 2.1 5.1 1.8 0.9 1.8 0.7 0.2
    5.3 2.4 1.4 2.4 1.2 0.5 1 0.3 0.1
"""
"""A row for each EQ1, EQ2 and EQ3 with EQ6; in it EQ4 by EQ5."""
_THIRD_AND_SIXTH = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 1))
_Macro = tuple[int, int, int, int, int, int]
_SCORES: dict[_Macro, float] = {
    (one, two, three, four, five, six): float(score)
    for (one, two, (three, six), four, five), score in zip(
        product(range(3), range(2), _THIRD_AND_SIXTH, range(3), range(3)), _TABLE.split(), strict=True
    )
}

_FIRST = ("AV", "PR", "UI")
_SECOND = ("AC", "AT")
_THIRD = ("VC", "VI", "VA", "CR", "IR", "AR")
_HIGHEST: dict[tuple[str, ...], dict[tuple[int, ...], tuple[str, ...]]] = {
    _FIRST: {(0,): ("NNN",), (1,): ("ANN", "NLN", "NNP"), (2,): ("PNN", "ALP")},
    _SECOND: {(0,): ("LN",), (1,): ("HN", "LP")},
    _THIRD: {
        (0, 0): ("HHHHHH",),
        (0, 1): ("HHLMMH", "HHHMMM"),
        (1, 0): ("LHHHHH", "HLHHHH"),
        (1, 1): ("LHLHMH", "LHHHMM", "HLHMHM", "HLLMHH", "LLHHHM"),
        (2, 1): ("LLLHHH",),
    },
    _SUBSEQUENT: {(0,): ("HSS",), (1,): ("HHH",), (2,): ("LLL",)},
}
"""The worst vectors of each level, in the order in which they are tried."""
_DEPTH: dict[tuple[str, ...], dict[tuple[int, ...], int]] = {
    _FIRST: {(0,): 1, (1,): 4, (2,): 5},
    _SECOND: {(0,): 1, (1,): 2},
    _THIRD: {(0, 0): 7, (0, 1): 6, (1, 0): 8, (1, 1): 8, (2, 1): 10},
    _SUBSEQUENT: {(0,): 6, (1,): 5, (2,): 4},
}
"""How many steps a level is deep."""
_EPSILON = 1e-6
"""Of a float that should be a round number and is a little less."""


def scores(metrics: Mapping[str, str], version: str) -> tuple[float, float]:  # noqa: ARG001 - there is one
    """Base score (CVSS-B), and the score with threat and environmental metrics where there are any.

    Args:
        metrics: values by metric, those not defined left out.
        version: `4.0`.
    """
    return _score({name: metrics[name] for name in _BASE}), _score(metrics)


RULES = (_allowed(), _BASE, scores)


def _score(metrics: Mapping[str, str]) -> float:
    """Section 8.2: the macro vector's score less the mean of what each group is below its worst."""
    known = {name: metrics.get(f"M{name}", metrics[name]) for name in _BASE}
    known |= {name: metrics.get(name, "H") for name in _NEEDS} | {"E": metrics.get("E", "A")}
    if all(known[name] == "N" for name in ("VC", "VI", "VA", *_SUBSEQUENT)):
        return 0.0
    macro = _macro(known)
    one, two, three, four, five, six = macro
    value = _SCORES[macro]
    groups = {_FIRST: (one,), _SECOND: (two,), _THIRD: (three, six), _SUBSEQUENT: (four,)}
    lower: dict[tuple[str, ...], list[_Macro]] = {
        _FIRST: [(one + 1, two, three, four, five, six)],
        _SECOND: [(one, two + 1, three, four, five, six)],
        _THIRD: [(one, two, three + 1, four, five, six), (one, two, three, four, five, six + 1)],
        _SUBSEQUENT: [(one, two, three, four + 1, five, six)],
    }
    drops = [0.0] if (one, two, three, four, five + 1, six) in _SCORES else []
    for group, level in groups.items():
        if there := [_SCORES[each] for each in lower[group] if each in _SCORES]:
            drops.append((value - max(there)) * _steps(known, group, level) / _DEPTH[group][level])
    value -= sum(drops) / len(drops) if drops else 0
    return int(max(0.0, min(10.0, value)) * 10 + 0.5 + 10 * _EPSILON) / 10


def _macro(known: Mapping[str, str]) -> _Macro:
    """The six equivalence sets; tables 24 to 29."""
    easy = [known["AV"] == "N", known["PR"] == "N", known["UI"] == "N"]
    one = 0 if all(easy) else 1 if any(easy) and known["AV"] != "P" else 2
    two = 0 if (known["AC"], known["AT"]) == ("L", "N") else 1
    high = [known[name] == "H" for name in ("VC", "VI", "VA")]
    three = 0 if high[0] and high[1] else 1 if any(high) else 2
    safety = "S" in {known["SI"], known["SA"]}
    four = 0 if safety else 1 if "H" in {known[name] for name in _SUBSEQUENT} else 2
    needed = [known[name] == "H" for name in _NEEDS]
    six = 0 if any(lost and need for lost, need in zip(high, needed, strict=True)) else 1
    return one, two, three, four, "APU".index(known["E"]), six


def _steps(known: Mapping[str, str], group: tuple[str, ...], level: tuple[int, ...]) -> int:
    """From the first of the level's worst vectors that is no better in any metric."""
    for highest in _HIGHEST[group][level]:
        each = [
            _ORDER[name].index(known[name]) - _ORDER[name].index(at) for name, at in zip(group, highest, strict=True)
        ]
        if min(each) >= 0:
            return sum(each)
    raise AssertionError("each level's worst vectors bound all of it")
